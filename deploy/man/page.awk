# SPDX-License-Identifier: Apache-2.0
# page.awk - a man page: page.in, with what the help of a command says. See make.sh.

# Text for mdoc: backslashes and flags as they are.
function plain(text) {
    gsub(/\\/, "\\e", text)
    gsub(/--/, "\\-\\-", text)
    sub(/^[.']/, "\\\\\\&&", text)
    return text
}

# A flag's help as mdoc: a capital (but for the names of subcommands, as in "run: "), a full stop.
function as_help(text) {
    if (text !~ /^[a-z|]+: /)
        text = toupper(substr(text, 1, 1)) substr(text, 2)
    return plain(text) (text ~ /\.$/ ? "" : ".")
}

# One word of "Usage:" as a macro.
function word(text) {
    if (text ~ /^\[.*\]$/)
        return "Op Ar " plain(substr(text, 2, length(text) - 2))
    if (text ~ /^-/)
        return "Fl " plain(substr(text, 2))
    return (text ~ /^[a-z|]+$/ ? "Cm " : "Ar ") plain(text)
}

# "  -f, --filename FILE   what it is": a flag of the list; further lines continue the text.
function take_flag(line,    at) {
    letter = line ~ /^  -.,/ ? substr(line, 4, 1) : ""
    line = substr(line, 7)
    at = match(line, /  +/)
    names = at ? substr(line, 1, at - 1) : line
    flags[++count] = names
    sub(/ .*/, "", flags[count])
    values[count] = names ~ / / ? substr(names, length(flags[count]) + 2) : ""
    letters[count] = letter
    helps[count] = at ? substr(line, at + RLENGTH) : ""
    known[flags[count]] = 1
}

function read_help(    line, part) {
    while ((getline line < help) > 0) {
        if (line ~ /^curfew [a-z]+: /) {
            summary = line
            sub(/^curfew [a-z]+: /, "", summary)
        }
        if (line ~ /^[A-Z][a-z ]*:/) {
            part = line
            sub(/:.*/, "", part)
            sub(/^[A-Z][a-z ]*: */, "", line)
        } else if (line == "") {
            part = ""
        }
        if (part == "Usage" && line != "") {
            sub(/^ +/, "", line)
            usages[++usage_lines] = line
        } else if (part == "Commands" && line ~ /^  [a-z]/) {
            commands[++command_count] = $0 = line
        } else if (part == "Flags" && line ~ /^  (-., |    )--/) {
            take_flag(line)
        } else if (part == "Flags" && line ~ /^   +[^ ]/) {
            sub(/^ +/, "", line)
            helps[count] = helps[count] " " line
        }
    }
    close(help)
}

function print_synopsis(    i, j, n, words, name, line) {
    for (i = 1; i <= usage_lines; i++) {
        n = split(usages[i], words, " ")
        j = 1
        if (words[1] == "curfew") {
            name = words[2] ~ /^[a-z]+$/ ? 2 : 1
            print ".Nm curfew" (name == 2 ? " " words[2] : "")
            j = name + 1
        }
        for (; j <= n; j++) {
            line = word(words[j])
            if (words[j] ~ /^--/ && j < n && words[j + 1] ~ /^[A-Z\[]/ && words[j + 1] !~ /^\[.*\]$/)
                line = line " Ar " plain(words[++j])
            print "." line
        }
    }
}

function print_options(    i) {
    print ".Bl -tag -width Ds"
    for (i = 1; i <= count; i++) {
        print ".It " (letters[i] != "" ? "Fl " letters[i] " , " : "") "Fl " substr(flags[i], 2) \
            (values[i] != "" ? " Ar " plain(values[i]) : "")
        print as_help(helps[i])
        printf "%s", details[flags[i]]
    }
    print ".El"
}

function print_commands(    i, name, text) {
    print ".Bl -tag -width inspect"
    for (i = 1; i <= command_count; i++) {
        name = text = commands[i]
        sub(/^ +/, "", name)
        sub(/ .*/, "", name)
        sub(/^ +[a-z]+ +/, "", text)
        print ".It Cm " name
        print as_help(text)
        if (name != "help")
            print "See\n.Xr curfew-" name " 1 ."
    }
    print ".El"
}

BEGIN { read_help() }
FNR == 1 {
    print
    print ".\\\" Written by make man, from " page ".in and the program's help."
    next
}
/^@options$/ { inside = 1; next }
/^@end$/ { inside = 0; print_options(); next }
inside && /^--/ {
    flag = $1
    if (!(flag in known)) {
        print page ".in: the program has no " flag > "/dev/stderr"
        bad = 1
    }
    next
}
inside { details[flag] = details[flag] $0 "\n"; next }
/^@name$/ { print ".Nd " summary; next }
/^@synopsis$/ { print_synopsis(); next }
/^@commands$/ { print_commands(); next }
{ print }
END { exit bad }
