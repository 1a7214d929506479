#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rules.sh - a rule is a file, a line of the array, fixtures and a row of the README: all four or
# none. deploy/rules.md may say more about it.
. "$(dirname "$0")/lib.sh"

# "id level file" of every rule in the sources.
awk '/^const struct cf_rule cf_rule_/ { inside = 1 }
     inside && /\.id = "/ { split($0, q, "\""); id = q[2] }
     inside && /\.level = CF_/ { sub(/.*CF_/, ""); sub(/,.*/, ""); level = tolower($0) }
     inside && /^};/ { print id, level, FILENAME; inside = 0 }' src/rules/*.c > "$complaints.rules"

# "id level" of the rows of the README's table of rules.
sed -n '/^## Rules$/,/^## /s/^| `\([a-z0-9-]*\)` | \([a-z]*\).*/\1 \2/p' README.md > "$complaints.rows"

# The same of the rows of deploy/rules.md.
sed -n '/^## The rules$/,/^## /s/^| `\([a-z0-9-]*\)` | \([a-z]*\).*/\1 \2/p' deploy/rules.md > "$complaints.more"

# "id" of the lines of the array.
sed -n 's/.*\bX(\([a-z0-9_]*\)).*/\1/p' src/rules/rules.c | tr _ - > "$complaints.array"

while read -r id level file; do
    name=$(printf '%s' "$id" | tr - _)
    case $id in
    *[!a-z0-9-]* | -* | *- | *--*) echo "$file: the id '$id' is not kebab-case" ;;
    esac
    [ "$file" = "src/rules/$name.c" ] || echo "$file: rule $id belongs in src/rules/$name.c"
    grep -qF "X($name)" src/rules/rules.c || echo "$id: is not in the array of src/rules/rules.c"
    for side in allow deny; do
        set -- "test/rules/$id/$side"/*.yaml
        [ -e "$1" ] || echo "$id: has no fixture in test/rules/$id/$side/"
    done
    case $(grep "^$id " "$complaints.rows") in
    "$id $level" | "$id always") ;;
    "") echo "$id: has no row in the README's table of rules" ;;
    *) echo "$id: is of level $level, and the README says otherwise" ;;
    esac
    case $(grep "^$id " "$complaints.more") in
    "$id $level" | "$id always" | "") ;;
    *) echo "deploy/rules.md: $id is of level $level" ;;
    esac
done < "$complaints.rules" > "$complaints"
verdict "every rule has its place in the array, fixtures and a row in the README" "$complaints"

{
    sed 's/ .*/ README.md/' "$complaints.rows"
    sed 's/ .*/ deploy\/rules.md/' "$complaints.more"
    sed 's/$/ src\/rules\/rules.c/' "$complaints.array"
    for dir in test/rules/*/; do
        [ ! -d "$dir" ] || echo "$(basename "$dir") $dir"
    done
} | while read -r id where; do
    grep -q "^$id " "$complaints.rules" || echo "$where: there is no rule $id"
done > "$complaints"
[ -s "$complaints.rules" ] || echo "no rule was found in src/rules" >> "$complaints"
rm -f "$complaints.rules" "$complaints.rows" "$complaints.more" "$complaints.array"
verdict "no row, fixture or line of the array without a rule" "$complaints"
exit $bad
