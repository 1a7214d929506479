#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# root.sh CURFEW LIBRARIES ROOT - the image's file system, in ROOT: the program, exactly the
# libraries that it needs (LIBRARIES/lib first, else this system's), their licences, and the two
# files that the C library wants to find. No shell, nothing else.
set -eu

curfew=$1 libraries=$2 root=$3

give_up() {
    echo "image: $*" >&2
    exit 1
}

# licence FILE: what its package says of it.
licence() {
    real=$(realpath "$1")
    package=$(dpkg-query -S "$real" "${real#/usr}" 2> /dev/null | head -n 1 | cut -d: -f1)
    [ -n "$package" ] || give_up "$1 belongs to no package: whose licence is it under?"
    mkdir -p "$root/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
}

rm -rf "$root"
mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/etc" "$root/usr/share/doc/curfew"
ln -s usr/lib "$root/lib" # where the loader looks, and on some machines stands itself
cp "$curfew" "$root/usr/bin/curfew"
strip "$root/usr/bin/curfew"
cp "$(dirname "$0")/../../LICENSE" "$root/usr/share/doc/curfew/copyright"

# Every library that the loader finds, under the name that it looks for.
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

# The loader stands where the program's header says.
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
