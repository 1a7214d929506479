#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# links.sh - documents name only what exists: the files in backquotes, the files that links lead to
# and their headings. And every document is found from the README in at most two clicks.
. "$(dirname "$0")/lib.sh"

pages=$(files '\.md$' | grep -v '^test/golden/')

# `name.c` in backquotes is a file somewhere, `folder/name.c` and `folder/` a path.
for page in $pages; do
    [ "$page" != CHANGELOG.md ] || continue # which also names what was removed
    grep -oE '`[a-z_/-]+\.(c|h|sh|awk|py)`|`(src|test|deploy|include|certs|charts)/[a-z_./-]*[a-z_./]`' "$page" |
        tr -d '`' | LC_ALL=C sort -u | while IFS= read -r name; do
        case $name in
        */*) [ -e "$name" ] || [ -e "${page%/*}/$name" ] || echo "$page: there is no $name" ;;
        *) files "(^|/)$name\$" | grep -q . || echo "$page: there is no $name" ;;
        esac
    done
done > "$complaints"
verdict "the files that documents name are there" "$complaints"

# "# page#anchor" of every heading, "> page target#anchor" of every relative link. An anchor is made as
# GitHub makes it: lower case, no punctuation, hyphens for blanks.
# shellcheck disable=SC2086 # a list of files
awk '
    FNR == 1 { fence = 0 }
    /^ *```/ { fence = !fence; next }
    fence { next }
    /^#+ / {
        text = tolower($0)
        sub(/^#+ +/, "", text)
        gsub(/\]\([^)]*\)/, "", text)
        gsub(/[^a-z0-9 _-]/, "", text)
        gsub(/ /, "-", text)
        print "# " FILENAME "#" text
    }
    {
        line = $0
        while (match(line, /\]\([^) ]+\)/)) {
            link = substr(line, RSTART + 2, RLENGTH - 3)
            line = substr(line, RSTART + RLENGTH)
            if (link ~ /^[a-z]+:/) continue
            at = index(link, "#")
            file = at ? substr(link, 1, at - 1) : link
            anchor = at ? substr(link, at) : ""
            n = file == "" ? 0 : split(FILENAME, from, "/") - 1
            base = ""
            for (i = 1; i <= n; i++) base = base from[i] "/"
            path = file == "" ? FILENAME : base file
            while (match(path, /(^|\/)[^\/.][^\/]*\/\.\.\//))
                path = substr(path, 1, RSTART - 1) (substr(path, RSTART, 1) == "/" ? "/" : "") \
                    substr(path, RSTART + RLENGTH)
            sub(/\/$/, "", path)
            print "> " FILENAME " " path anchor
        }
    }' $pages > "$complaints.links"

sed -n 's/^> //p' "$complaints.links" | while read -r page target; do
    path=${target%%#*}
    [ -e "$path" ] || echo "$page: links to $path, which does not exist"
    case $target in
    *.md\#*)
        grep -qxF "# $target" "$complaints.links" || echo "$page: links to $target, a heading that does not exist"
        ;;
    esac
done > "$complaints"
[ -s "$complaints.links" ] || echo "no link was found" >> "$complaints"
verdict "every link leads to a file, and to a heading of it" "$complaints"

# linked: what the documents on standard input link to.
linked() {
    while IFS= read -r page; do
        sed -n "s,^> $page \([^#]*\).*,\1,p" "$complaints.links"
    done | LC_ALL=C sort -u
}
echo README.md > "$complaints.found"
echo README.md | linked > "$complaints.one"
linked < "$complaints.one" | cat - "$complaints.one" >> "$complaints.found"
{
    printf '%s\n' $pages
    files '^deploy/man/.*\.[0-9]$'
} | grep -vxFf "$complaints.found" |
    sed 's/$/: is not found from README.md in two clicks/' > "$complaints"
rm -f "$complaints.links" "$complaints.found" "$complaints.one"
verdict "every document is found from README.md in two clicks" "$complaints"
exit $bad
