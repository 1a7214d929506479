#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# root.sh CURFEW LIBRARIES ROOT - creates the file system of the image in ROOT: the program, the libraries
# that it needs (from LIBRARIES/lib, else from this system), their licences, and the two files that the C
# library reads. It has no shell.
set -eu

curfew=$1 libraries=$2 root=$3

give_up() {
    echo "image: $*" >&2
    exit 1
}

# licence FILE: copies the copyright file of the package that the file belongs to.
licence() {
    real=$(realpath "$1")
    package=$(dpkg-query -S "$real" "${real#/usr}" 2> /dev/null | head -n 1 | cut -d: -f1)
    [ -n "$package" ] || give_up "$1 does not belong to a package: its licence is unknown"
    mkdir -p "$root/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
}

rm -rf "$root"
mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/etc" "$root/usr/share/doc/curfew"
ln -s usr/lib "$root/lib" # the loader searches this path, and is installed in it on some architectures
cp "$curfew" "$root/usr/bin/curfew"
strip "$root/usr/bin/curfew"
cp "$(dirname "$0")/../../LICENSE" "$root/usr/share/doc/curfew/copyright"

# Copies every library under the name by which the loader finds it.
needed=$(LD_LIBRARY_PATH=$libraries/lib ldd "$curfew") || give_up "ldd $curfew failed"
! echo "$needed" | grep 'not found' || give_up "a library of $curfew is missing"
echo "$needed" | awk '$2 == "=>" { print $3 }' | while read -r library; do
    cp -L "$library" "$root/usr/lib/$(basename "$library")"
    case $library in
    "$libraries"/*) strip --strip-unneeded "$root/usr/lib/$(basename "$library")" ;;
    *) licence "$library" ;;
    esac
done
cp -R "$libraries/share/doc/." "$root/usr/share/doc/"

# Installs the loader at the path that the program's header names.
loader=$(echo "$needed" | awk '$1 ~ "^/.*/ld-" { print $1 }')
[ -e "$loader" ] || give_up "$curfew has no loader"
mkdir -p "$root$(dirname "$loader")"
cp -L "$loader" "$root$loader"
chmod 755 "$root$loader" "$root/usr/bin/curfew" "$root"/usr/lib/*

cat > "$root/etc/passwd" << END
root:x:0:0::/:/nowhere
curfew:x:65532:65532::/:/nowhere
END
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
