# SPDX-License-Identifier: Apache-2.0
# lib.sh - shared functions of the lints. Each lint is `sh test/lint/NAME.sh [ROOT]`: it checks the tree in
# ROOT (default: the current directory), prints "ok ..." or "FAIL ..." for each check, and exits non-zero
# after a failure.
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

# verdict WHAT FILE: passes if the file, with one complaint a line, is empty.
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

# A temporary file for complaints.
complaints=$(mktemp)
trap 'rm -f "$complaints"' EXIT

# files [PATTERN]: prints the files of the project that match the extended regular expression.
files() {
    {
        # Without git or a repository, exclude the files that .gitignore lists.
        if ! { [ -e .git ] && git ls-files --cached --others --exclude-standard 2> /dev/null; }; then
            find . -type f ! -path './.git/*' ! -path './build/*' ! -path './certs/*.crt' \
                ! -path './certs/*.key' ! -path './certs/*.srl' | sed 's,^\./,,'
        fi
    } | grep -E -- "${1:-.}" | while IFS= read -r file; do
        [ ! -f "$file" ] || printf '%s\n' "$file"
    done | LC_ALL=C sort
}

# code FILE...: prints "FILE:LINE:text" of C sources, without comments and the contents of strings.
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
