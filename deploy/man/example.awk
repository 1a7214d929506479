# SPDX-License-Identifier: Apache-2.0
# example.awk - curfew.yaml(5): the page's beginning, then the example configuration. Comments
# become text (indented ones stay lines of their own), keys stay as they are.

function plain(text) {
    gsub(/\\/, "\\e", text)
    gsub(/--/, "\\-\\-", text)
    sub(/^[.']/, "\\\\\\&&", text)
    return text
}

function mode(name, begin) {
    if (shown == name)
        return
    if (shown == "lines" || shown == "keys")
        print ".Ed"
    if (begin != "")
        print begin
    shown = name
}

# The heading of the lines from `from` on: the path of its first key.
function heading(from,    i, key) {
    for (i = from; i <= held; i++) {
        key = block[i]
        if (key !~ /^ *[A-Za-z-]+:/)
            continue
        sub(/:.*/, "", key)
        if (key ~ /^ /) {
            sub(/^ */, "", key)
            return top "." key
        }
        top = key
        return top == "apiVersion" ? top " and kind" : top
    }
    return ""
}

function show_heading(from,    title) {
    title = heading(from)
    mode("", "")
    if (title != "")
        print ".Ss " title
}

function indent(line) {
    match(line, /^ */)
    return RLENGTH
}

function show_comment(line) {
    sub(/^ *# ?/, "", line)
    if (line == "") {
        mode("text", "")
        print ".Pp"
    } else if (line ~ /^  /) {
        mode("lines", ".Bd -literal -offset indent")
        sub(/^  /, "", line)
        print plain(line)
    } else {
        mode("text", "")
        print plain(line)
    }
}

# A comment below a key and further in begins a new section; one beside keys is a key that is
# commented out.
function show_block(    i, key) {
    show_heading(1)
    key = -1
    for (i = 1; i <= held; i++) {
        if (block[i] ~ /^ *#/ && key < 0) {
            show_comment(block[i])
        } else if (block[i] ~ /^ *#/ && indent(block[i]) > key) {
            show_heading(i)
            show_comment(block[i])
            key = -1
        } else {
            mode("keys", ".Bd -literal -offset indent")
            print plain(block[i])
            key = indent(block[i])
        }
    }
    mode("", "")
    held = 0
}

FNR == 1 { file++ }
file == 1 {
    print
    if (FNR == 1)
        print ".\\\" Written by make man, from curfew.yaml.5.in and deploy/curfew.example.yaml."
    next
}
/^# SPDX-License-Identifier/ { next }
/^$/ { show_block(); next }
{ block[++held] = $0 }
END {
    show_block()
    print ".Sh SEE ALSO"
    print ".Xr curfew 1 ,"
    print ".Xr curfew-serve 1"
}
