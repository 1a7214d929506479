#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs.sh - what the program has, the README and the man page tell, and nothing else: commands,
# flags, exit codes and metrics; and what they speak of as a file is there.
. "$(dirname "$0")/lib.sh"

curfew=${CURFEW:-build/curfew}
manual=deploy/curfew.8
if [ ! -x "$curfew" ]; then
    fail "there is no $curfew: run 'make lint'"
    exit 1
fi

commands() {
    "$curfew" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | grep -v '^help$'
}

# "command --flag" of every command's help.
flags() {
    for command in $(commands); do
        "$curfew" "$command" --help |
            sed -n '/^Flags:/,$s/^  \(-.,\)\{0,1\} *\(--[a-z-]*\).*/\2/p' | sed "s/^/$command /"
    done
}

# "command --flag" of the README's tables (### `curfew COMMAND`, then rows that begin "| `--flag").
told() {
    awk '/^#/ { command = "" }
         /^### `curfew [a-z]+`/ { command = $3; gsub(/`/, "", command) }
         command != "" && /^\| `-/ {
             row = $0
             sub(/^\| /, "", row)
             sub(/ \| .*/, "", row)
             while (match(row, /--[a-z-]+/)) {
                 print command, substr(row, RSTART, RLENGTH)
                 row = substr(row, RSTART + RLENGTH)
             }
         }' README.md
}

# The same of the man page: .Ss curfew COMMAND, then .It Fl -flag.
printed() {
    awk '/^\.S[sh]/ { command = $1 == ".Ss" && $2 == "curfew" ? $3 : "" }
         command != "" && /^\.It Fl/ {
             for (i = 3; i <= NF; i++)
                 if ($i ~ /^-[a-z]/) print command, "-" $i
         }' "$manual"
}

flags | grep -v -- ' --help$' | LC_ALL=C sort > "$complaints.flags"
for source in told printed; do
    where=$([ $source = told ] && echo README.md || echo "$manual")
    $source | LC_ALL=C sort -u > "$complaints.told"
    LC_ALL=C comm -23 "$complaints.flags" "$complaints.told" |
        sed "s,.*,$where: does not tell 'curfew &'," >> "$complaints"
    LC_ALL=C comm -13 "$complaints.flags" "$complaints.told" |
        sed "s,.*,$where: tells 'curfew &'\, which the program does not have," >> "$complaints"
done
[ -s "$complaints.flags" ] || echo "no flag was found in the help" >> "$complaints"
rm -f "$complaints.flags" "$complaints.told"
verdict "README and man page tell every flag, and no other" "$complaints"

metrics() {
    grep -ohE 'curfew_[a-z_]*[a-z]' "$@" | grep -vE '_(bucket|sum|count)$' | LC_ALL=C sort -u
}
metrics src/server/*.c > "$complaints.code"
sed -n '/^## Metrics$/,/^## /p' README.md > "$complaints.readme"
metrics "$complaints.readme" > "$complaints.told"
LC_ALL=C comm -23 "$complaints.code" "$complaints.told" |
    sed 's/.*/README.md: does not tell the metric &/' >> "$complaints"
LC_ALL=C comm -13 "$complaints.code" "$complaints.told" |
    sed 's/.*/README.md: tells the metric &, which the program does not have/' >> "$complaints"
[ -s "$complaints.code" ] || echo "no metric was found in src/server" >> "$complaints"
rm -f "$complaints.code" "$complaints.readme" "$complaints.told"
verdict "README tells every metric, and no other" "$complaints"

# The calls of the filter, against the table of the README.
grep -oE 'SCMP_SYS\([a-z0-9_]+\)' src/server/seccomp.c | sed 's/.*(//;s/)//' | LC_ALL=C sort -u > "$complaints.code"
sed -n '/^#### System calls$/,/^#### How/p' README.md | grep '^| ' | grep -oE '`[a-z0-9_]+`' | tr -d '`' |
    LC_ALL=C sort -u > "$complaints.told"
LC_ALL=C comm -23 "$complaints.code" "$complaints.told" |
    sed 's/.*/README.md: does not tell the system call &/' >> "$complaints"
LC_ALL=C comm -13 "$complaints.code" "$complaints.told" |
    sed 's/.*/README.md: tells the system call &, which the server may not make/' >> "$complaints"
[ -s "$complaints.code" ] || echo "no system call was found in src/server/seccomp.c" >> "$complaints"
rm -f "$complaints.code" "$complaints.told"
verdict "README tells every system call of the filter, and no other" "$complaints"

# "NAME = number" of the codes, against "| number |" in the README.
sed -n 's/.*CF_EXIT_[A-Z]* = \([0-9]*\),.*/\1/p' include/curfew/cmd.h | while read -r code; do
    sed -n '/^## Exit codes$/,/^## /p' README.md | grep -q "^| $code |" ||
        echo "README.md: does not tell the exit code $code"
    sed -n '/^\.Sh EXIT STATUS/,/^\.Sh /p' "$manual" | grep -q "^\.It $code" ||
        echo "$manual: does not tell the exit code $code"
done >> "$complaints"
verdict "README and man page tell every exit code" "$complaints"

# `name.c` in backquotes is a file somewhere, `folder/name.c` and `folder/` a path, [x](y) a file.
for page in README.md CONTRIBUTING.md SECURITY.md certs/README.md; do
    [ -f "$page" ] || continue
    grep -oE '`[a-z_/-]+\.(c|h|sh|awk)`|`(src|test|deploy|include|certs)/[a-z_./-]*[a-z_./]`' "$page" |
        tr -d '`' | LC_ALL=C sort -u | while IFS= read -r name; do
        case $name in
        */*) [ -e "$name" ] || [ -e "${page%/*}/$name" ] || echo "$page: there is no $name" ;;
        *) files "(^|/)$name\$" | grep -q . || echo "$page: there is no $name" ;;
        esac
    done
    grep -oE '\]\([A-Za-z./_-]+\)' "$page" | tr -d '](,)' | while IFS= read -r name; do
        [ -e "$name" ] || echo "$page: links to $name, which is not there"
    done
done > "$complaints"
verdict "what the pages speak of is there" "$complaints"
exit $bad
