#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shell.sh - scripts parse, and shellcheck (where it is installed) has nothing to say.
. "$(dirname "$0")/lib.sh"

files '(\.sh|^\.ci/run)$' | while IFS= read -r file; do
    shell='sh'
    grep -qE '^(#!.*bash|# shellcheck shell=bash)' "$file" && shell='bash'
    $shell -n "$file" 2>&1 | sed "s,^,$file: ,"
done > "$complaints"
verdict "every script parses" "$complaints"

if command -v shellcheck > /dev/null; then
    # SC1091, SC2154, SC2034: a script that is sourced shares its variables.
    files '(\.sh|^\.ci/run)$' | while IFS= read -r file; do
        set -- -f gcc -S warning -e SC1091,SC2154,SC2034
        head -n 1 "$file" | grep -q '^#!' || set -- "$@" -s bash
        shellcheck "$@" "$file"
    done > "$complaints" 2>&1
    verdict "shellcheck has nothing to say" "$complaints"
fi
exit $bad
