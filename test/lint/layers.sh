#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layers.sh - a directory of src/ may include public headers of its own layer and of lower layers, and
# private headers only of its own. The table lists the layers from low to high, with their public headers.
. "$(dirname "$0")/lib.sh"

layers='
base     arena.h attr.h buf.h encoding.h err.h file.h hash.h limits.h log.h path.h process.h str.h swap.h time.h
json     documents.h json.h writer.h
token    base64.h jwks.h token.h
config   config.h options.h
object   fields.h object.h podspec.h refs.h request.h
client   client.h
store    store.h
watch    watch.h
certs    certs.h certs_cluster.h rotator.h
boundary boundary.h
rules    rule.h
review   engine.h review.h
server   probes.h server.h
cli      cmd.h
'

# The table lists exactly the existing directories and headers.
{
    for dir in src/*/; do
        basename "$dir"
    done
    for header in include/curfew/*.h; do
        basename "$header"
    done
} | LC_ALL=C sort > "$complaints.there"
printf '%s' "$layers" | tr -s ' \n' '\n\n' | sed '/^$/d' | LC_ALL=C sort > "$complaints.table"
comm -23 "$complaints.there" "$complaints.table" |
    sed "s,.*,& is in no layer: give it one in test/lint/layers.sh," >> "$complaints"
comm -13 "$complaints.there" "$complaints.table" |
    sed "s,.*,& has a layer in test/lint/layers.sh and does not exist," >> "$complaints"
rm -f "$complaints.there" "$complaints.table"
verdict "every folder and header has a layer" "$complaints"

# Only quoted includes: angle brackets are for libraries.
grep -nE '^[ \t]*#[ \t]*include[ \t]*"' include/curfew/*.h src/*.c src/*/*.[ch] |
    awk -v layers="$layers" '
    BEGIN {
        n = split(layers, row, "\n")
        for (i = 1; i <= n; i++) {
            m = split(row[i], word, " ")
            if (m == 0) continue
            rank[word[1]] = i
            for (j = 2; j <= m; j++) home[word[j]] = word[1]
        }
        rank["main.c"] = n + 1
    }
    {
        split($0, part, ":")
        file = part[1]
        split($0, quoted, "\"")
        wanted = quoted[2]
        m = split(file, path, "/")
        mine = path[1] == "include" ? home[path[3]] : path[2]
        where = file ":" part[2] ": "
        if (wanted ~ /^curfew\//) {
            other = home[substr(wanted, 8)]
            if (other == "")
                print where "includes " wanted ", which is in no layer"
            else if (rank[other] > rank[mine])
                print where mine "/ may not include " wanted ", which is of " other "/, a higher layer"
        } else if (path[1] == "include" || wanted ~ /\//) {
            print where "includes " wanted ", a private header of another folder"
        } else if ((getline line < ("src/" mine "/" wanted)) < 0) {
            print where "includes " wanted ", which is not beside it"
        } else {
            close("src/" mine "/" wanted)
        }
    }' >> "$complaints"
verdict "no folder includes what is above it" "$complaints"
exit $bad
