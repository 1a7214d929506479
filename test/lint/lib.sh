# SPDX-License-Identifier: Apache-2.0
# lib.sh - what the lints share. Each is `sh test/lint/NAME.sh [ROOT]`: it looks at the tree below
# ROOT (default: here), prints a line for each check, "ok ..." or "FAIL ...", and fails with one.
# shellcheck shell=sh
set -u
LC_ALL=C.UTF-8
export LC_ALL

lint=$(basename "$0" .sh)
cd "${1:-.}" || exit 1
bad=0

ok() {
    echo "ok $lint: $*"
}

fail() {
    echo "FAIL $lint: $*"
    bad=1
}

# verdict WHAT FILE: passes when the file, one complaint a line, is empty.
verdict() {
    if [ -s "$2" ]; then
        while IFS= read -r line; do
            fail "$line"
        done < "$2"
    else
        ok "$1"
    fi
    : > "$2"
}

# A file for complaints, gone at the end.
complaints=$(mktemp)
trap 'rm -f "$complaints"' EXIT

# files [PATTERN]: those that belong to the project, and match the extended regular expression.
files() {
    {
        # Without git, or outside of a repository, what .gitignore names is left out by hand.
        if ! { [ -e .git ] && git ls-files --cached --others --exclude-standard 2> /dev/null; }; then
            find . -type f ! -path './.git/*' ! -path './build/*' ! -path './certs/*.crt' \
                ! -path './certs/*.key' ! -path './certs/*.srl' | sed 's,^\./,,'
        fi
    } | grep -E -- "${1:-.}" | while IFS= read -r file; do
        [ ! -f "$file" ] || printf '%s\n' "$file"
    done | LC_ALL=C sort
}

# code FILE...: "FILE:LINE:text" of C sources, without comments and what strings hold.
code() {
    awk '
    FNR == 1 { comment = 0 }
    {
        line = $0; out = ""
        while (line != "") {
            if (comment) {
                at = index(line, "*/")
                if (at == 0) break
                comment = 0
                line = substr(line, at + 2)
            } else if (match(line, /^\/\*/)) {
                comment = 1
                line = substr(line, 3)
            } else if (match(line, /^\/\//)) {
                break
            } else if (match(line, /^"([^"\\]|\\.)*"/) || match(line, /^\047([^\047\\]|\\.)+\047/)) {
                out = out "\"\""
                line = substr(line, RLENGTH + 1)
            } else {
                out = out substr(line, 1, 1)
                line = substr(line, 2)
            }
        }
        if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
    }' "$@"
}
