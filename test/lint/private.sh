#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# private.sh - no private key, and no path of somebody's machine, in what is committed.
. "$(dirname "$0")/lib.sh"

files | tr '\n' '\0' | xargs -0 grep -lE 'BEGIN [A-Z ]*PRIVATE KEY' |
    sed 's/$/: holds a private key/' > "$complaints"
files '\.(key|p12|pfx|jks)$' | sed 's/$/: looks like a private key/' >> "$complaints"
verdict "no private key" "$complaints"

# A folder of one machine, not of every system: /home/NAME/, /Users/NAME/, /root/, a work folder.
files '(\.([ch]|sh|md|ya?ml|[0-9])|Makefile|^\.ci/run)$' | grep -v '^test/lint/private\.sh$' |
    tr '\n' '\0' | xargs -0 grep -nE '(^|[^A-Za-z0-9_.{}$])/(home/[a-z]|Users/|root/|work/)|\.\./shared' |
    cut -c 1-120 | sed 's/$/: names a path of one machine/' > "$complaints"
verdict "no path of somebody's machine" "$complaints"
exit $bad
