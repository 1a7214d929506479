#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# format.sh - C sources are formatted with clang-format, of one version: others format differently. Without
# that version it only prints a notice, except in CI and `make fmt-check` (STRICT=1). `make fmt` formats (FIX=1).
. "$(dirname "$0")/lib.sh"
pinned=14.0.6

# The first of these that is of this version (deploy/deps.sh installs one); sets $found, or $others.
find_tool() {
    found='' others=''
    for tool in ${CLANG_FORMAT:-clang-format-14 clang-format build/clang-format/bin/clang-format}; do
        version=$("$tool" --version 2> /dev/null | sed -n 's/.*clang-format version \([0-9.]*\).*/\1/p')
        if [ "$version" = $pinned ]; then
            found=$tool
            return
        fi
        [ -z "$version" ] || others="$others, $tool is $version"
    done
}

find_tool
if [ -z "$found" ]; then
    why="clang-format $pinned is not installed (sh deploy/deps.sh format installs it)$others"
    if [ "${STRICT:-${FIX:-${CI:+1}}}" ]; then
        fail "$why"
    else
        ok "not checked: $why"
    fi
elif [ "${FIX:-}" ]; then
    files '^(src|include|test|deploy)/.*\.[ch]$' | xargs "$found" -i
else
    files '^(src|include|test|deploy)/.*\.[ch]$' | xargs "$found" --dry-run 2>&1 |
        sed -n 's/^\(.*:[0-9]*\):[0-9]*: .*/\1: is not formatted (make fmt)/p' | uniq > "$complaints"
    verdict "the C sources are formatted with clang-format $pinned" "$complaints"
fi
exit $bad
