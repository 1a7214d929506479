#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# size.sh - sources of at most 600 lines, tests under 800 (their cases do not depend on each other), and
# lines of C of at most 100 characters (tests may hold longer texts).
. "$(dirname "$0")/lib.sh"

files '(\.[ch]|\.sh|(^|/)Makefile|^\.ci/run)$' | tr '\n' '\0' | xargs -0 awk '
    FNR == 601 && FILENAME !~ /^test\// { print FILENAME ": more than 600 lines; split it" }
    FNR == 800 { print FILENAME ": 800 lines or more; split it" }' > "$complaints"
verdict "no source is too long" "$complaints"

# Characters, not bytes: grep counts so in a UTF-8 locale.
files '^(src|include|deploy)/.*\.[ch]$' | tr '\n' '\0' | xargs -0 grep -nE '^.{101,}$' /dev/null |
    sed 's/^\([^:]*:[0-9]*\):.*/\1: is longer than 100 characters/' > "$complaints"
verdict "no line is too long" "$complaints"
exit $bad
