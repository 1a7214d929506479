#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libraries.sh PREFIX - builds and installs in PREFIX the libraries that the image does not copy from this
# system:
#
#   libmicrohttpd   Debian 12 and 13 have 0.9.75 and 1.0.1; SECURITY.md lists the fixes since then
#   libcurl         only with HTTP and HTTPS; Debian's also has LDAP, Kerberos, SSH and RTMP
#
# The sources are Debian's source packages, which apt verifies. They are built once; a second, concurrent
# call waits for the first.
set -eu

suite=${IMAGE_SUITE:-forky} # the Debian release of the sources
mhd_at_least=1.0.10
prefix=$1

give_up() {
    echo "image: $*" >&2
    exit 1
}

run_apt() {
    apt-get "$@" > apt.log 2>&1 || {
        cat apt.log >&2
        give_up "apt-get $* failed"
    }
}

# sources: downloads and unpacks both as NAME-VERSION, without changing the apt lists of this system.
sources() {
    mkdir -p apt/lists/partial apt/cache/archives/partial
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
        "http://deb.debian.org/debian $suite main" > apt/sources.list
    set -- -q -o Dir::Etc::sourcelist="$PWD/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt/cache" \
        -o APT::Sandbox::User=root
    run_apt "$@" update
    run_apt "$@" source --download-only libmicrohttpd curl
    for archive in libmicrohttpd_*.orig.tar.* curl_*.orig.tar.*; do
        case $archive in *.asc) continue ;; esac
        tar -xf "$archive" --no-same-owner
    done
}

# build DIRECTORY MAKE-DIRECTORIES -- CONFIGURE-ARGS...
build() {
    folder=$1 places=$2
    shift 3
    (
        cd "$folder"
        ./configure --prefix="$prefix" --libdir="$prefix/lib" --disable-static --enable-shared \
            --disable-dependency-tracking "$@"
        for place in $places; do
            make -C "$place" -j"$(nproc)"
            make -C "$place" install
        done
    ) > "$folder.log" 2>&1 || {
        tail -n 30 "$folder.log" >&2
        give_up "failed to build $folder"
    }
}

hardened='-O2 -g -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2'
export CFLAGS="$hardened" LDFLAGS='-Wl,-z,relro,-z,now,-z,noexecstack'

[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] ||
    give_up 'no /usr/share/keyrings/debian-archive-keyring.gpg: install debian-archive-keyring'
mkdir -p "$(dirname "$prefix")"
exec 9> "$prefix.lock"
flock 9
[ ! -e "$prefix/complete" ] || exit 0
rm -rf "$prefix" "$prefix.work"
mkdir -p "$prefix" "$prefix.work"
prefix=$(cd "$prefix" && pwd)
cd "$prefix.work"

sources
mhd=$(echo libmicrohttpd-[0-9]*)
curl=$(echo curl-[0-9]*)
[ "$(printf '%s\n' "$mhd_at_least" "${mhd#*-}" | sort -V | head -n 1)" = "$mhd_at_least" ] ||
    give_up "$suite has $mhd; need at least $mhd_at_least"

echo "image: building $mhd and $curl, once"
build "$mhd" 'src/include src/microhttpd .' -- --enable-https --disable-doc --disable-examples \
    --disable-tools --disable-curl --disable-bauth --disable-dauth --disable-httpupgrade \
    --disable-postprocessor --disable-nls
build "$curl" 'lib include' -- --with-openssl --enable-threaded-resolver --disable-ldap \
    --disable-ldaps --disable-ftp --disable-file --disable-dict --disable-gopher --disable-imap \
    --disable-ipfs --disable-mqtt --disable-pop3 --disable-rtsp --disable-smb --disable-smtp \
    --disable-telnet --disable-tftp --disable-manual --disable-docs --disable-ntlm \
    --disable-kerberos-auth --disable-negotiate-auth --disable-aws --disable-cookies \
    --disable-alt-svc --disable-hsts --disable-doh --disable-netrc --disable-unix-sockets \
    --disable-websockets --without-brotli --without-zstd --without-zlib --without-libpsl \
    --without-libidn2 --without-nghttp2 --without-libssh2 --without-librtmp --without-libgsasl \
    --without-ca-bundle --without-ca-path
install -m 644 "$curl/libcurl.pc" "$prefix/lib/pkgconfig/"
for source in "$mhd" "$curl"; do
    mkdir -p "$prefix/share/doc/${source%%-*}"
    cp "$source/COPYING" "$prefix/share/doc/${source%%-*}/copyright"
done
rm -rf "$prefix.work"
touch "$prefix/complete"
