# Sourced by ./demo and ./check: installs the packages that packages.debian lists.
# SPDX-License-Identifier: LGPL-2.1-or-later

missing_packages() {
    for package in $(sed 's/#.*//' packages.debian); do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages YES: asks before it installs unless YES is 1 or CI is set.
install_packages() {
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    echo "These Debian packages are missing:" $missing
    if [ "$1" != 1 ] && [ -z "${CI:-}" ]; then
        printf 'Install them? [Y/n] '
        read -r answer
        case "$answer" in
            '' | y* | Y*) ;;
            *) echo "Nothing was installed." >&2; return 1 ;;
        esac
    fi
    as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends $missing >/dev/null
}

# build_guest DIRECTORY: the test guest; a list of packages that is missing or old is brought up to date.
build_guest() {
    sh tests/interop/guest/build.sh "$1" && return
    as_root apt-get update -qq && sh tests/interop/guest/build.sh "$1"
}

# configure DIRECTORY OPTION...: a meson build folder, made or brought up to date.
configure() {
    directory=$1
    shift
    if [ -f "$directory/build.ninja" ]; then
        meson configure "$directory" "$@" >/dev/null
    else
        meson setup "$directory" "$@" >/dev/null
    fi
}
