# SPDX-License-Identifier: Apache-2.0
# values.awk - generates the table of the chart's README from values.yaml: a row for each key below a
# "# --" comment. A key without a comment, and without a commented parent, is an error.
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
    text = $0
    sub(/^ *# -- /, "", text)
    gsub(/\|/, "\\|", text)
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
    if (text != "") {
        covered = depth
        printf "| `%s` | %s | %s |\n", path(depth), text, value == "" ? "see `values.yaml`" : "`" value "`"
        text = ""
    } else if (value != "" && covered == 99) {
        print "values.yaml:" FNR ": " path(depth) " has no line '# -- ...' above it" > "/dev/stderr"
        bad = 1
    }
}
END { exit bad }
