#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# size.sh - sources of at most 600 lines, tests under 800 (their cases do not depend on each other),
# lines of C of at most 100 characters (tests may hold longer texts), and a README that people read to its end.
. "$(dirname "$0")/lib.sh"

files '(\.[ch]|\.sh|(^|/)Makefile|^\.ci/run)$' | tr '\n' '\0' | xargs -0 awk '
    FNR == 601 && FILENAME !~ /^test\// { print FILENAME ": more than 600 lines; split it" }
    FNR == 800 { print FILENAME ": 800 lines or more; split it" }' > "$complaints"
verdict "no source is too long" "$complaints"

# Characters, not bytes: grep counts so in a UTF-8 locale.
files '^(src|include|deploy)/.*\.[ch]$' | tr '\n' '\0' | xargs -0 grep -nE '^.{101,}$' /dev/null |
    sed 's/^\([^:]*:[0-9]*\):.*/\1: is longer than 100 characters/' > "$complaints"
verdict "no line is too long" "$complaints"

{
    [ "$(wc -l < README.md)" -le 250 ] || echo "README.md: more than 250 lines; move what is not needed first"
    [ "$(wc -c < README.md)" -le 20480 ] || echo "README.md: more than 20 KiB; move what is not needed first"
} > "$complaints"
verdict "README.md has at most 250 lines and 20 KiB" "$complaints"
exit $bad
