#!/bin/sh
# Builds the reference's image codecs for side-by-side benches, outside of this tree.
#
#     tests/bench/reference.sh [FOLDER]      (default: ${TMPDIR:-/tmp}/gst-spice-reference)
#
# Fetches Debian's source packages of spice and spice-protocol with apt (no root, no change to the
# system's configuration), compiles the codecs with image/reference-adapter.c into
# FOLDER/libreference.so and prints that path. Nothing of it is part of this project. Needs
# network the first time, cc, pkg-config, dpkg-dev and GLib's headers.
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

if ! [ -d "$folder/spice" ] || ! [ -d "$folder/spice-protocol" ]; then
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb-src [signed-by=$keyring] http://deb.debian.org/debian $suite main" \
        >"$folder/apt/sources.list"
    apt_here update || { echo "reference.sh: no network, no reference" >&2; exit 1; }
    for package in spice spice-protocol; do
        rm -rf "$folder/$package"
        (cd "$folder" && apt_here source --download-only "$package")
        dpkg-source --no-check -x "$folder/$package"_*.dsc "$folder/$package" >&2
    done
fi

common=$folder/spice/subprojects/spice-common
: >"$folder/config.h"
# The reference's functions stay hidden, so that they cannot clash with anybody's.
cc -shared -fPIC -O2 -g -w -fvisibility=hidden -DHAVE_CONFIG_H \
    -I"$folder" -I"$common" -I"$common/common" -I"$folder/spice/server" -I"$folder/spice-protocol" \
    $(pkg-config --cflags glib-2.0) \
    -o "$folder/libreference.so" \
    "$here/image/reference-adapter.c" "$common/common/lz.c" "$common/common/quic.c" \
    "$common/common/log.c" "$common/common/backtrace.c" "$common/common/mem.c" \
    $(pkg-config --libs glib-2.0)
echo "$folder/libreference.so"
