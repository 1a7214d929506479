#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# symbols.sh - every global symbol begins with cf_, so that it cannot collide with symbols of a library
# (a bundled jansson or cJSON).
. "$(dirname "$0")/lib.sh"

library=${BUILD:-build}/libcurfew.a
if [ ! -e "$library" ]; then
    fail "there is no $library: run 'make lint'"
    exit 1
fi
nm -g --defined-only "$library" |
    awk 'NF == 3 && $3 !~ /^(cf_|__asan|__odr_asan|__start_|__stop_|DW\.)/ {
        print $3 ": a global symbol without the prefix cf_" }' > "$complaints"
verdict "every global symbol begins with cf_" "$complaints"
exit $bad
