#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shell.sh - every script parses, and passes shellcheck if it is installed.
. "$(dirname "$0")/lib.sh"

files '(\.sh|^\.ci/run)$' | while IFS= read -r file; do
    shell='sh'
    grep -qE '^(#!.*bash|# shellcheck shell=bash)' "$file" && shell='bash'
    $shell -n "$file" 2>&1 | sed "s,^,$file: ,"
done > "$complaints"
verdict "every script parses" "$complaints"

if command -v shellcheck > /dev/null; then
    # SC1091, SC2154, SC2034: sourced scripts share their variables.
    set -- -f gcc -S warning -e SC1091,SC2154,SC2034
    {
        files '(\.sh|^\.ci/run)$' | xargs awk 'FNR == 1 && /^#!/ { print FILENAME }' |
            xargs -r -P "$(nproc)" -n 10 shellcheck "$@"
        files '(\.sh|^\.ci/run)$' | xargs awk 'FNR == 1 && !/^#!/ { print FILENAME }' |
            xargs -r -P "$(nproc)" -n 10 shellcheck "$@" -s bash
    } > "$complaints" 2>&1
    verdict "every script passes shellcheck" "$complaints"
fi
exit $bad
