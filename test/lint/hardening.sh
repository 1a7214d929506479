#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hardening.sh - every object is compiled with all hardening that this compiler supports. The lint checks
# objects rather than the program, because the start files of the distribution may have less.
. "$(dirname "$0")/lib.sh"

build=${BUILD:-build}
case $(uname -m) in
x86_64) note='IBT, SHSTK' ;;
aarch64) note='BTI, PAC' ;;
*) note= ;;
esac
files '^src/.*\.c$' | sed "s,\.c\$,.o,;s,^,$build/," > "$complaints.objects"
[ -s "$complaints.objects" ] || echo "found no objects in $build/src: run 'make lint'" >> "$complaints"
while IFS= read -r object; do
    if [ ! -e "$object" ]; then
        echo "$object is missing: run 'make lint'" >> "$complaints"
        continue
    fi
    readelf -n "$object" 2> /dev/null | grep -q "feature.*: $note" ||
        echo "$object: has no note '$note' of checked branches" >> "$complaints"
done < "$complaints.objects"
rm -f "$complaints.objects"
verdict "the processor can check the branches of every object" "$complaints"

# takes FLAG...: the compiler and the C library support the flag.
takes() {
    ${CC:-cc} -O2 -Werror "$@" -include string.h -x c -S -o /dev/null /dev/null 2> /dev/null
}

if [ -e Makefile ] && command -v make > /dev/null; then
    line=$(MAKEFLAGS='' make -n -B V=1 CC="${CC:-cc}" DEPS=check "$build/src/main.o" 2> /dev/null | grep 'src/main\.c')
    for flag in -D_FORTIFY_SOURCE=3 -ftrivial-auto-var-init=zero -fstack-protector-strong \
        -fstack-clash-protection; do
        ! takes -U_FORTIFY_SOURCE "$flag" || case " $line " in
        *" $flag "*) ;;
        *) echo "Makefile: src/main.c is compiled without $flag" >> "$complaints" ;;
        esac
    done
    verdict "sources are compiled with every supported flag" "$complaints"
fi
exit $bad
