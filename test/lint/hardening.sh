#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hardening.sh - every object of ours is compiled as hard as this compiler can. The start files of the
# distribution may be softer, and the linker's note of a program is that of its softest object.
. "$(dirname "$0")/lib.sh"

build=${BUILD:-build}
case $(uname -m) in
x86_64) note='IBT, SHSTK' ;;
aarch64) note='BTI, PAC' ;;
*) note= ;;
esac
files '^src/.*\.c$' | sed "s,\.c\$,.o,;s,^,$build/," > "$complaints.objects"
[ -s "$complaints.objects" ] || echo "there are no objects in $build/src: run 'make lint'" >> "$complaints"
while IFS= read -r object; do
    if [ ! -e "$object" ]; then
        echo "$object is not there: run 'make lint'" >> "$complaints"
        continue
    fi
    readelf -n "$object" 2> /dev/null | grep -q "feature.*: $note" ||
        echo "$object: has no note '$note' of checked branches" >> "$complaints"
done < "$complaints.objects"
rm -f "$complaints.objects"
verdict "the processor can check the branches of every object" "$complaints"

# takes FLAG...: the compiler and the C library do.
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
    verdict "what the compiler takes, it is given" "$complaints"
fi
exit $bad
