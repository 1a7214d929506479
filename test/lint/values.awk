# SPDX-License-Identifier: Apache-2.0
# values.awk - the table of the chart's README, from values.yaml: a row for each key below a "# --".
# A leaf that has none, and is below none, is a mistake.
function path(depth,    i, text) {
    text = key[0]
    for (i = 1; i <= depth; i++) text = text "." key[i]
    return text
}

BEGIN {
    print "| value | what it is for | default |"
    print "|---|---|---|"
    covered = 99
}
/^ *# -- / {
    told = $0
    sub(/^ *# -- /, "", told)
    gsub(/\|/, "\\|", told)
    next
}
/^ *[A-Za-z]+:/ {
    match($0, /[^ ]/)
    depth = (RSTART - 1) / 2
    name = value = $0
    sub(/^ */, "", name)
    sub(/:.*/, "", name)
    sub(/^[^:]*: ?/, "", value)
    key[depth] = name
    if (depth <= covered) covered = 99
    if (told != "") {
        covered = depth
        printf "| `%s` | %s | %s |\n", path(depth), told, value == "" ? "see `values.yaml`" : "`" value "`"
        told = ""
    } else if (value != "" && covered == 99) {
        print "values.yaml:" FNR ": " path(depth) " has no line '# -- ...' above it" > "/dev/stderr"
        bad = 1
    }
}
END { exit bad }
