#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# logs.sh - logs and expected output of tests contain no token, neither plain nor in base64: the program
# never prints tokens. Fixtures may contain tokens.
. "$(dirname "$0")/lib.sh"

# The base64 of {"alg": {"kid": {"typ": {"iss": {"aud": at the beginning of the parts of a JWT, and the
# base64 of that, as in Secrets. Patches are base64 of JSON too, but do not match.
once='eyJ(hbGci|raWQi|0eXAi|pc3Mi|hdWQi)'
twice='ZXlK(aGJHY2l|cmFXUWl|MGVYQWl|cGMzTWl|aGRXUWl)'
pattern="($once|$twice)[A-Za-z0-9_-]{4,}"

{
    {
        find "${BUILD:-build}/test-logs" -type f -name '*.log' 2> /dev/null
        files '^test/(golden|http|recorded|rules)/.*(\.want|\.stdout|\.stderr|\.log|/stdout|/stderr|\.answer|\.out)$'
    } | tr '\n' '\0' | xargs -0 grep -aEoH "$pattern" /dev/null
    # Only the expected output of a golden case, which follows its input.
    files '^test/golden/.*\.case$' | while IFS= read -r file; do
        sed -nE '/^-- (stdout|stderr)(, escaped)? --$/,$p' "$file" |
            grep -aEoH --label="$file" "$pattern"
    done
} | cut -c 1-100 | sed 's/$/...: a token/' > "$complaints"
verdict "no token in any log or expected output" "$complaints"
exit $bad
