#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deps.sh - installs what is missing, on Debian 12 and 13 and Ubuntu 24.04.
#
#   deploy/deps.sh [--check] SET...     sets: build test soak fuzz bench e2e image format debian13 ci
#
# It checks for headers and programs rather than packages, so that other installations are found too, and
# calls apt only if something is missing. --check only lists the missing packages.
set -eu

CC=${CC:-cc}
check=false
missing=

has_program() {
    command -v "$1" > /dev/null 2>&1 || [ -x "/usr/sbin/$1" ]
}

has_pkg() {
    has_program pkg-config && pkg-config --exists "$1"
}

# has_header HEADER: the compiler finds it.
has_header() {
    printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <%s>\n' "$1" |
        "$CC" -E -x c - > /dev/null 2>&1
}

# has_sanitizers KIND...: clang has the runtimes of these sanitizers, which are in a separate package.
has_sanitizers() {
    has_program clang || return 1
    out=$(mktemp)
    for kind in "$@"; do
        main='main(void)'
        [ "$kind" != fuzzer ] || main='LLVMFuzzerTestOneInput(void)'
        printf 'int %s { return 0; }\n' "$main" |
            clang -x c "-fsanitize=$kind" -o "$out" - > /dev/null 2>&1 || {
            rm -f "$out"
            return 1
        }
    done
    rm -f "$out"
}

# want PACKAGE CHECK...: adds the package to the missing ones unless the check passes.
want() {
    package=$1
    shift
    "$@" || missing="$missing $package"
}

want_build() {
    want gcc has_program "$CC"
    want libc6-dev has_header stdio.h
    want make has_program make
    want pkg-config has_program pkg-config
    want libmicrohttpd-dev has_pkg libmicrohttpd
    want libgnutls28-dev has_pkg gnutls
    want libssl-dev has_pkg libcrypto
    want libjwt-dev has_pkg libjwt
    want libyaml-dev has_pkg yaml-0.1
    want libcjson-dev has_pkg libcjson
    want libcurl4-openssl-dev has_pkg libcurl
    want libseccomp-dev has_pkg libseccomp
}

want_test() {
    want libcmocka-dev has_header cmocka.h
    want curl has_program curl
    want openssl has_program openssl
    want python3 has_program python3
}

want_soak() {
    want slowhttptest has_program slowhttptest
}

want_fuzz() {
    want clang has_program clang
    has_program clang && ! has_sanitizers address,undefined fuzzer &&
        missing="$missing $(sanitizer_package)"
    return 0
}

want_bench() {
    want curl has_program curl
    want openssl has_program openssl
    want nginx-light has_program nginx
    want wrk has_program wrk
}

# The pods contain only busybox, so it must be statically linked.
has_static_busybox() {
    has_program busybox && ! ldd "$(command -v busybox)" > /dev/null 2>&1
}

# Without Go: the cluster needs a newer version than Debian's.
want_e2e() {
    want ca-certificates test -e /etc/ssl/certs/ca-certificates.crt
    want curl has_program curl
    want openssl has_program openssl
    want libseccomp-dev has_header seccomp.h
    want etcd-server has_program etcd
    want containernetworking-plugins test -x /usr/lib/cni/bridge
    want busybox-static has_static_busybox
    want iproute2 has_program ip
    want iptables has_program iptables
    want util-linux has_program setpriv
    want mount has_program mount
    want python3 has_program python3
}

# Tools to build the libraries of deploy/image.
want_image() {
    want debian-archive-keyring test -e /usr/share/keyrings/debian-archive-keyring.gpg
    want xz-utils has_program xz
    want binutils has_program strip
    want util-linux has_program flock
    want dpkg-dev has_program dpkg-source
}

# One version, since each formats differently.
clang_format=14.0.6
format=

has_clang_format() {
    for tool in clang-format-14 clang-format build/clang-format/bin/clang-format; do
        if "$tool" --version 2> /dev/null | grep -q "clang-format version $clang_format"; then return; fi
    done
    return 1
}

want_format() {
    has_clang_format || format=clang-format-14
}

# Debian 13 has no package of this version: there it comes from PyPI.
install_clang_format() {
    as_root apt-get update -qq < /dev/null
    if apt-cache show $format > /dev/null 2>&1; then
        install_packages $format
    else
        has_venv || install_packages python3-venv
        python3 -m venv build/clang-format
        build/clang-format/bin/pip install --quiet "clang-format==$clang_format"
    fi
}

has_venv() {
    has_program python3 && python3 -c 'import ensurepip, venv' 2> /dev/null
}

# Tools to download and enter a Debian 13 root.
want_debian13() {
    want debian-archive-keyring test -e /usr/share/keyrings/debian-archive-keyring.gpg
    want debootstrap has_program debootstrap
    want util-linux has_program unshare
    want mount has_program mount
    want git has_program git
}

want_ci() {
    want git has_program git
    want gcc has_program gcc
    want binutils has_program nm
    want shellcheck has_program shellcheck
    want clang has_program clang
    want_format
    has_program clang && ! has_sanitizers address,undefined thread && missing="$missing $(sanitizer_package)"
    return 0
}

sanitizer_package() {
    echo "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

install_packages() {
    if ! has_program apt-get; then
        echo "deps: this system has no apt-get; install the contents of these Debian packages: $*" >&2
        exit 1
    fi
    if [ "$(id -u)" != 0 ] && ! has_program sudo; then
        echo "deps: not running as root, and sudo is not installed; run as root: apt-get install $*" >&2
        exit 1
    fi
    echo "deps: installing $*"
    as_root apt-get update -qq < /dev/null
    # RUNLEVEL=1 keeps apt from starting installed servers (nginx).
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "$@" < /dev/null > /dev/null
}

if [ "${1:-}" = --check ]; then
    check=true
    shift
fi
for set in "$@"; do
    case $set in
    build | test | soak | fuzz | bench | e2e | image | format | debian13 | ci) "want_$set" ;;
    *)
        echo "deps: unknown set '$set': must be build, test, soak, fuzz, bench, e2e, image, format, debian13 or ci" >&2
        exit 2
        ;;
    esac
done

[ -n "$missing$format" ] || exit 0
if $check; then
    echo "deps: missing:$missing${format:+ $format}"
    exit 1
fi
# shellcheck disable=SC2086 # a list of words
[ -z "$missing" ] || install_packages $missing
[ -z "$format" ] || install_clang_format
# clang may have been installed above, without the sanitizers.
case " $* " in
*" ci "* | *" fuzz "*)
    has_sanitizers address,undefined thread fuzzer || install_packages "$(sanitizer_package)"
    ;;
esac
