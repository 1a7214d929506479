#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rules.sh - a rule is a file, a line of the array, fixtures and a row of the README: all four or
# none.
. "$(dirname "$0")/lib.sh"

# "id level file" of every rule in the sources.
rules() {
    for file in src/rules/*.c; do
        awk -v file="$file" '
            /^const struct cf_rule cf_rule_/ { inside = 1 }
            inside && /\.id = "/ { split($0, q, "\""); id = q[2] }
            inside && /\.level = CF_/ { sub(/.*CF_/, ""); sub(/,.*/, ""); level = tolower($0) }
            inside && /^};/ { print id, level, file; inside = 0 }' "$file"
    done
}

# "id level" of the rows of the README's table of rules.
rows() {
    sed -n '/^## Rules$/,/^## /p' README.md |
        sed -n 's/^| `\([a-z0-9-]*\)` | \([a-z]*\).*/\1 \2/p'
}

rules | while read -r id level file; do
    name=$(printf '%s' "$id" | tr - _)
    printf '%s' "$id" | grep -qE '^[a-z0-9]+(-[a-z0-9]+)*$' || echo "$file: the id '$id' is no kebab-case"
    [ "$file" = "src/rules/$name.c" ] || echo "$file: rule $id belongs in src/rules/$name.c"
    grep -qE "X\\($name\\)" src/rules/rules.c || echo "$id: is not in the array of src/rules/rules.c"
    for side in allow deny; do
        [ -n "$(find "test/rules/$id/$side" -name '*.yaml' 2> /dev/null | head -n 1)" ] ||
            echo "$id: has no fixture in test/rules/$id/$side/"
    done
    case $(rows | grep "^$id ") in
    "$id $level" | "$id always") ;;
    "") echo "$id: has no row in the README's table of rules" ;;
    *) echo "$id: is of level $level, and the README says otherwise" ;;
    esac
done > "$complaints"
verdict "every rule has its place in the array, fixtures and a row in the README" "$complaints"

{
    rows | cut -d' ' -f1 | sed 's/$/ README.md/'
    for dir in test/rules/*/; do
        [ ! -d "$dir" ] || echo "$(basename "$dir") $dir"
    done
    sed -n 's/^ *X(\([a-z0-9_]*\)).*/\1/p' src/rules/rules.c | tr _ - | sed 's/$/ src\/rules\/rules.c/'
} | while read -r id where; do
    rules | grep -q "^$id " || echo "$where: there is no rule $id"
done > "$complaints"
verdict "no row, fixture or line of the array without a rule" "$complaints"
exit $bad
