#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# logs.sh - no token, in plain or in base64, in what the tests said or what is expected of the
# program: tokens are never printed. What the fixtures feed in may hold some.
. "$(dirname "$0")/lib.sh"

# The base64 of {"alg": {"kid": {"typ": {"iss": {"aud": at the beginning of a JWT's parts, and the
# same once more in base64, as Secrets hold it. A patch is base64 of JSON too, and is none of these.
once='eyJ(hbGci|raWQi|0eXAi|pc3Mi|hdWQi)'
twice='ZXlK(aGJHY2l|cmFXUWl|MGVYQWl|cGMzTWl|aGRXUWl)'
pattern="($once|$twice)[A-Za-z0-9_-]{4,}"

{
    {
        find "${BUILD:-build}/test-logs" -type f -name '*.log' 2> /dev/null
        files '^test/(golden|http|recorded|rules)/.*(\.want|\.stdout|\.stderr|\.log|/stdout|/stderr|\.answer|\.out)$'
    } | tr '\n' '\0' | xargs -0 grep -aEoH "$pattern" /dev/null
    # Of a golden case, what it expects: that comes after its input.
    files '^test/golden/.*\.case$' | while IFS= read -r file; do
        sed -nE '/^-- (stdout|stderr)(, escaped)? --$/,$p' "$file" |
            grep -aEoH --label="$file" "$pattern"
    done
} | cut -c 1-100 | sed 's/$/...: a token/' > "$complaints"
verdict "no token in any log or expected output" "$complaints"
exit $bad
