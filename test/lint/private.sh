#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# private.sh - committed files contain no private key and no path of a developer's machine.
. "$(dirname "$0")/lib.sh"

files | tr '\n' '\0' | xargs -0 grep -lE 'BEGIN [A-Z ]*PRIVATE KEY' |
    sed 's/$/: holds a private key/' > "$complaints"
files '\.(key|p12|pfx|jks)$' | sed 's/$/: looks like a private key/' >> "$complaints"
verdict "no private key" "$complaints"

# Directories of one machine: /home/NAME/, /Users/NAME/, /root/, a work directory.
files '(\.([ch]|sh|md|ya?ml|[0-9])|Makefile|^\.ci/run)$' | grep -v '^test/lint/private\.sh$' |
    tr '\n' '\0' | xargs -0 grep -nE '(^|[^A-Za-z0-9_.{}$])/(home/[a-z]|Users/|root/|work/)|\.\./shared' |
    cut -c 1-120 | sed 's/$/: names a path of one machine/' > "$complaints"
verdict "no path of a developer's machine" "$complaints"
exit $bad
