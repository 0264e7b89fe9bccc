#!/bin/sh
# Builds the reference's image codecs for side-by-side benches, outside of this tree.
#
#     tests/bench/reference.sh [FOLDER]      (default: ${TMPDIR:-/tmp}/gst-spice-reference)
#
# Fetches Debian's source packages of spice, spice-gtk (for its GLZ decoder) and spice-protocol with apt
# (no root, no change to the system's configuration), compiles the codecs with the adapters in image/
# into FOLDER/libreference.so and prints that path. Nothing of it is part of this project. Needs network
# the first time, cc, pkg-config, dpkg-dev and the headers of GLib and pixman.
#
# SPDX-License-Identifier: LGPL-2.1-or-later
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${TMPDIR:-/tmp}/gst-spice-reference}
suite=bookworm

mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache"
folder=$(cd "$folder" && pwd)

apt_here() {
    apt-get -q -o Dir::Etc::sourcelist="$folder/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" \
        -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" "$@" >&2
}

if ! [ -d "$folder/spice" ] || ! [ -d "$folder/spice-gtk" ] || ! [ -d "$folder/spice-protocol" ]; then
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb-src [signed-by=$keyring] http://deb.debian.org/debian $suite main" \
        >"$folder/apt/sources.list"
    apt_here update || { echo "reference.sh: no network, no reference" >&2; exit 1; }
    for package in spice spice-gtk spice-protocol; do
        rm -rf "$folder/$package"
        (cd "$folder" && apt_here source --download-only "$package")
        dpkg-source --no-check -x "$folder/$package"_*.dsc "$folder/$package" >&2
    done
fi

: >"$folder/config.h"
libraries='glib-2.0 gio-2.0 pixman-1'
# The reference's functions stay hidden, so that they cannot clash with anybody's.
compile() { # with the headers of which of the two copies of spice-common, then sources
    common=$folder/$1/subprojects/spice-common
    shift
    for source; do
        cc -c -fPIC -O2 -g -w -fvisibility=hidden -DHAVE_CONFIG_H -I"$folder" -I"$common" \
            -I"$common/common" -I"$folder/spice/server" -I"$folder/spice-gtk/src" \
            -I"$folder/spice-protocol" $(pkg-config --cflags $libraries) \
            -o "$folder/$(basename "$source" .c).o" "$source"
        objects="$objects $folder/$(basename "$source" .c).o"
    done
}
objects=
server=$folder/spice/subprojects/spice-common/common
compile spice "$here/image/reference-adapter.c" "$server/lz.c" "$server/quic.c" "$server/log.c" \
    "$server/backtrace.c" "$server/mem.c" "$folder/spice/server/glz-encoder.c" \
    "$folder/spice/server/glz-encoder-dict.c"
client=$folder/spice-gtk/subprojects/spice-common/common
compile spice-gtk "$here/image/reference-glz-decoder.c" "$folder/spice-gtk/src/decode-glz.c" \
    "$client/canvas_utils.c" "$client/pixman_utils.c"
cc -shared -o "$folder/libreference.so" $objects $(pkg-config --libs $libraries) -lpthread
echo "$folder/libreference.so"
