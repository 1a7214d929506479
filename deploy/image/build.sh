#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh BUILD [root] - builds BUILD/curfew-image.tar, or only its file system in BUILD/image/root,
# without Docker.
#
#   IMAGE_CACHE=DIR    cache for the libraries of libraries.sh (default ~/.cache/curfew-image)
#   IMAGE_VERSION=TAG  tag of the image (default: the contents of VERSION)
set -eu
cd "$(dirname "$0")/../.."
here=deploy/image
build=$1
version=${IMAGE_VERSION:-$(cat VERSION)}
libraries=${IMAGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/curfew-image}/libraries

sh "$here/libraries.sh" "$libraries"
PKG_CONFIG_PATH=$libraries/lib/pkgconfig \
    make --no-print-directory BUILD="$build/image" CFLAGS='-O2 -g' "$build/image/curfew"
sh "$here/root.sh" "$build/image/curfew" "$libraries" "$build/image/root"
[ "${2:-}" != root ] || exit 0

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || echo 0)}
export SOURCE_DATE_EPOCH
sh "$here/archive.sh" "$build/image/root" "$version" "$build/curfew-image.tar"
echo "$build/curfew-image.tar: curfew:$version," \
    "$(($(wc -c < "$build/curfew-image.tar") / 1024)) KiB to pull," \
    "$(du -sk --apparent-size "$build/image/root" | cut -f1) KiB on disk"
