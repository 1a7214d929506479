#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chart.sh - the chart says what is so: its README has every value, its schema every rule, its alerts
# and dashboard only metrics that there are. What it renders is `make chart`.
. "$(dirname "$0")/lib.sh"
chart=charts/curfew

awk -f test/lint/values.awk $chart/values.yaml > "$complaints.values" 2> "$complaints"
sed -n '/^| value |/,/^$/p' $chart/README.md | grep '^|' > "$complaints.page"
diff "$complaints.page" "$complaints.values" | sed -n \
    -e "s,^> | \(\`[^\`]*\`\).*,$chart/README.md: its table lacks this row of values.yaml: \1,p" \
    -e "s,^< | \(\`[^\`]*\`\).*,$chart/README.md: values.yaml does not have this row of its table: \1,p" >> "$complaints"
rm -f "$complaints.values" "$complaints.page"
verdict "its README has every value, as in values.yaml" "$complaints"

# What the rules print of their options, and the schema with it; UPDATE=1 writes it.
schema=$chart/values.schema.json
"$(dirname "${CURFEW:-${BUILD:-build}/curfew}")/rules-test" --schema > "$complaints.printed" ||
    echo "rules-test prints no schema: make rules" >> "$complaints"
awk -f "$(dirname "$0")/schema.awk" "$complaints.printed" $schema > "$complaints.schema"
[ -z "${UPDATE:-}" ] || cp "$complaints.schema" $schema
diff $schema "$complaints.schema" | sed -n \
    -e "s,^> *\(.*\),$schema: the rules have \1 (make schema),p" \
    -e "s,^< *\(.*\),$schema: the rules do not have \1 (make schema),p" >> "$complaints"
sed '1,/^## other mappings$/d' "$complaints.printed" | while read -r section option; do
    [ "$section" != - ] || option=${option%%: *}:
    grep -qF -e "$option" $schema || echo "$schema: the mapping $section needs $option"
done >> "$complaints"
rm -f "$complaints.printed" "$complaints.schema"
verdict "its schema has every rule and its options" "$complaints"

grep -ohE 'curfew_[a-z_]*[a-z]' $chart/files/* | sed 's/_bucket$//' | LC_ALL=C sort -u | while read -r metric; do
    sed -n '/^## Metrics$/,/^## /p' deploy/README.md | grep -q "\`$metric\`" ||
        echo "$chart/files: $metric is not a metric of deploy/README.md"
done > "$complaints"
verdict "its alerts and its dashboard ask for metrics that there are" "$complaints"

for key in version appVersion; do
    grep -qE "^$key: \"?$(cat VERSION)\"?\$" $chart/Chart.yaml ||
        echo "$chart/Chart.yaml: its $key is not $(cat VERSION), as the file VERSION has it"
done > "$complaints"
verdict "its version is the program's" "$complaints"
exit $bad
