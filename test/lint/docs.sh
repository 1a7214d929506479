#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs.sh - the documents say what is so: the man pages are what `make man` writes from the program's
# help, no document names a flag, a metric or a system call that does not exist or leaves one out,
# every exit code is there, and the examples of the README print what it says.
. "$(dirname "$0")/lib.sh"

curfew=${CURFEW:-build/curfew}
operating=deploy/README.md
manual=deploy/man/curfew.1
if [ ! -x "$curfew" ]; then
    fail "there is no $curfew: run 'make lint'"
    exit 1
fi

# A page that is missing, too many, or different, with the first line that differs.
fresh=$(mktemp -d)
sh deploy/man/make.sh "$curfew" "$fresh" 2> "$complaints"
diff -r -U0 -x '*.in' -x '*.sh' -x '*.awk' -x '*.md' deploy/man "$fresh" | awk -v fresh="$fresh" '
    /^Only in / {
        sub(/:/, "", $3)
        print ($3 == fresh ? "deploy/man/" $4 " is missing" : "deploy/man/" $4 " is not a page of the program") \
            ": run make man"
    }
    /^--- / { page = $2; shown = 0 }
    /^[-+][^-+]/ && !shown++ { print page " is not up to date: run make man (" $0 ")" }' >> "$complaints"
rm -rf "$fresh"
verdict "the man pages are what 'make man' writes from the program's help" "$complaints"

if command -v groff > /dev/null 2>&1; then
    for page in deploy/man/*.[0-9]; do
        groff -mdoc -ww -Tutf8 -z "$page" 2>&1 | sed "s,^,$page: groff: ,"
    done > "$complaints"
    verdict "the man pages are well-formed" "$complaints"
fi

# `--flag` in a document is a flag of some command, or of one of these other programs.
{
    printf '%s\n' --help --version --admission-control-config-file --authorization-config --atomic
    for command in $("$curfew" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
        "$curfew" "$command" --help | sed -n '/^Flags:/,$s/^  \(-.,\)\{0,1\} *\(--[a-z-]*\).*/\2/p'
    done
} > "$complaints.flags"
for page in $(files '\.md$' | grep -vE '^(CHANGELOG.md|test/golden/)'); do
    grep -oE '`--[a-z][a-z-]*' "$page" | tr -d '`' | LC_ALL=C sort -u | grep -vxFf "$complaints.flags" |
        sed "s,.*,$page: names the flag &\, which no command has,"
done > "$complaints"
rm -f "$complaints.flags"
verdict "no document names a flag that does not exist" "$complaints"

# compare WHAT: the lines of $complaints.code against those of $complaints.page.
compare() {
    LC_ALL=C comm -23 "$complaints.code" "$complaints.page" | sed "s,.*,$operating: lacks the $1 &,"
    LC_ALL=C comm -13 "$complaints.code" "$complaints.page" |
        sed "s,.*,$operating: has the $1 &\, which the program does not have,"
    [ -s "$complaints.code" ] || echo "no $1 was found in src/server"
    rm -f "$complaints.code" "$complaints.page"
}

# section TITLE: of deploy/README.md.
section() {
    sed -n "/^## $1\$/,/^## /p" "$operating"
}

metrics() {
    grep -ohE 'curfew_[a-z_]*[a-z]' "$@" | grep -vE '_(bucket|sum|count)$' | LC_ALL=C sort -u
}
metrics src/server/*.c > "$complaints.code"
section Metrics | metrics > "$complaints.page"
compare metric > "$complaints"
verdict "$operating has every metric, and no other" "$complaints"

grep -ohE 'SCMP_SYS\([a-z0-9_]+\)' src/server/*.c | sed 's/.*(//;s/)//' | LC_ALL=C sort -u > "$complaints.code"
section 'System calls' | grep '^| ' | grep -oE '`[a-z0-9_]+`' | tr -d '`' | LC_ALL=C sort -u > "$complaints.page"
compare 'system call' > "$complaints"
verdict "$operating has every system call of the filter, and no other" "$complaints"

# "NAME = number" of the codes, against "| number |" in the README and ".It number" in curfew(1).
sed -n 's/.*CF_EXIT_[A-Z]* = \([0-9]*\),.*/\1/p' include/curfew/cmd.h > "$complaints.code"
while read -r code; do
    grep -q "^| $code |" README.md || echo "README.md: lacks the exit code $code"
    sed -n '/^\.Sh EXIT STATUS/,/^\.Sh /p' "$manual" | grep -q "^\.It $code" ||
        echo "$manual: lacks the exit code $code"
done < "$complaints.code" > "$complaints"
[ -s "$complaints.code" ] || echo "no exit code was found in include/curfew/cmd.h" >> "$complaints"
rm -f "$complaints.code"
verdict "README and curfew(1) have every exit code" "$complaints"

# "folder" of the rows of src/README.md against src/, and its line of layers against layers.sh.
sed -n 's/^| `\([a-z]*\)\/` |.*/\1/p' src/README.md | LC_ALL=C sort > "$complaints.page"
for folder in src/*/; do
    basename "$folder"
done | LC_ALL=C sort > "$complaints.code"
{
    LC_ALL=C comm -23 "$complaints.code" "$complaints.page" | sed 's,.*,src/README.md: lacks the folder src/&,'
    LC_ALL=C comm -13 "$complaints.code" "$complaints.page" | sed 's,.*,src/README.md: there is no src/&,'
    layers=$(sed -n "/^layers='/,/^'/s/^\([a-z]*\) .*/\1/p" test/lint/layers.sh | paste -sd '<' - | sed 's/</ < /g')
    grep -qF -- "    $layers" src/README.md || echo "src/README.md: lacks the line of layers: $layers"
} > "$complaints"
rm -f "$complaints.code" "$complaints.page"
verdict "src/README.md has every folder, and the layers in order" "$complaints"

# The last column of SECURITY's table of threats: names of tests and "what they print" are in test/.
if [ -d test/unit ]; then
    sed -n '/^| threat |/,/^$/p' SECURITY.md | sed 1,2d | sed 's/ |$//; s/.* | //' |
        sed 's/`[^`]*`//g' | grep -oE '"[^"]*"|[a-z]+(_[a-z]+)+' | tr -d '"' | LC_ALL=C sort -u > "$complaints.names"
    while IFS= read -r name; do
        grep -rqF --exclude-dir=golden --exclude-dir=lint -- "$name" test || echo "SECURITY.md: no test has '$name'"
    done < "$complaints.names" > "$complaints"
    [ -s "$complaints.names" ] || echo "SECURITY.md: names no test" >> "$complaints"
    rm -f "$complaints.names"
    verdict "the tests that SECURITY names are there" "$complaints"
fi

# "N COMMAND" and "N=LINE" of the README's examples, blocks that begin with "$ ".
awk '/^```/ { fence = !fence; mine = 0; next }
     fence && /^\$ / { n++; mine = 1; print n " " substr($0, 3); next }
     fence && mine && NF && !/^ *\.\.\.$/ { print n "=" $0 }' README.md > "$complaints.examples"
# A review as the API server sends it, in place of the manifest that a person creates.
answers() { # FILE.yaml
    for phase in mutate validate; do
        "$curfew" review --objects deploy/demo/objects.yaml --phase $phase -f "deploy/demo/${1%.yaml}.json"
    done | sed 's/\\n/\n/g; s/\\"/"/g'
}
ran=0
while IFS= read -r line; do
    case $line in
    *[0-9]' kubectl create -f '*)
        file=${line##* }
        answers "$file" > "$complaints.out" 2>&1
        ran=$((ran + 1))
        ;;
    *[0-9]' curfew '*)
        # shellcheck disable=SC2046 # a list of arguments
        "$curfew" $(echo "$line" | sed 's/^[0-9]* curfew //') > "$complaints.out" 2>&1
        ran=$((ran + 1))
        ;;
    *[0-9]=pod/*' created') ;; # kubectl's own line
    *)
        text=$(printf '%s\n' "$line" | sed -E 's/^[0-9]+=//; s/^Warning: //; s/^Error from server .* denied the request: //')
        grep -qF -- "$text" "$complaints.out" || echo "README.md: an example does not print: $text"
        ;;
    esac
done < "$complaints.examples" > "$complaints"
[ $ran -ge 3 ] || echo "README.md: fewer than three examples were run" >> "$complaints"
rm -f "$complaints.examples" "$complaints.out"
verdict "the README's examples print what it says" "$complaints"
exit $bad
