#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# words.sh [PATH...] - plain words in what people read: messages, help, log lines, comments, names of tests,
# charts, manifests, documents, and identifiers in src/ and include/. words.txt holds the words, each with its
# replacement and two samples; the samples are checked first.
#
#   sh test/lint/words.sh                 the whole tree
#   sh test/lint/words.sh src/json README.md     only these files and directories
#
# Not read: LICENSE, selftest.sh (its samples hold the words), and what tests record of the program's output
# (goldens follow from src/ and charts/).
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# A single argument that holds a whole tree is the root, as for the other lints.
if [ $# = 1 ] && [ -f "$1/VERSION" ]; then
    root=$1
    shift
else
    root=.
fi
wanted=
for path in "$@"; do
    path=${path#./}
    wanted="$wanted ${path%/}"
done
set -- "$root"
. "$here/lib.sh"
LC_ALL=C
export LC_ALL
words=$here/words.txt

skipped='^(LICENSE|VERSION|test/lint/(words\.(sh|txt)|selftest\.sh))$'
skipped="$skipped|^test/(golden|recorded|rules|chart/golden|fuzz/corpus|tokens)/|^\.git|/\.gitignore\$"
skipped="$skipped|\.(json|pem|der|jwt|tar|gz|png|lock|sum|mod)\$"

# in_scope: of the file names on stdin those that are wanted and may be read.
in_scope() {
    grep -vE "$skipped" | awk -v wanted="$wanted" '
    BEGIN { n = split(wanted, path, " ") }
    {
        fine = n == 0
        for (i = 1; i <= n; i++)
            if ($0 == path[i] || index($0, path[i] "/") == 1 || path[i] == ".") fine = 1
        if (fine) print
    }'
}

# The schema and the dashboard of the chart are JSON that people read.
{
    files | in_scope
    skipped='^$'
    files '^charts/.*\.json$' | in_scope
} > "$complaints.files"
trap 'rm -f "$complaints" "$complaints.files"' EXIT

# scan MODE [FILE...]: complaints about files; with MODE "samples", about the list itself.
scan() {
    mode=$1
    shift
    awk -v mode="$mode" -v words="$words" '
    # ---- the list ----
    function load(  line, column, section, n) {
        while ((getline line < words) > 0) {
            if (line ~ /^\[/) section = line
            if (line ~ /^(#|\[|$)/) continue
            n = split(line, column, / :: /)
            if (n < 4) {
                print "words.txt: not PATTERN :: WRITE :: CAUGHT :: PASSES [:: UNLESS]: " line
                continue
            }
            entries++
            edge = section == "[names]" ? "a-z0-9" : "a-z0-9_"
            pattern[entries] = "(^|[^" edge "])(" column[1] ")($|[^" edge "])"
            write[entries] = column[2]
            caught[entries] = tolower(column[3])
            passes[entries] = tolower(column[4])
            unless[entries] = n >= 5 ? column[5] : "^$"
            shipped[entries] = section == "[shipped]"
            is_name[entries] = section == "[names]"
        }
    }

    # blank(TEXT, REGEX): the text with spaces in the place of all matches: offsets stay.
    function blank(text, regex,  done, gap) {
        done = ""
        while (text != "" && match(text, regex) && RLENGTH > 0) {
            gap = substr(text, RSTART, RLENGTH)
            gsub(/./, "~", gap)
            done = done substr(text, 1, RSTART - 1) gap
            text = substr(text, RSTART + RLENGTH)
        }
        return done text
    }

    # find(ENTRY, TEXT, FROM): the place of the first match at or after FROM; 0: none.
    function find(entry, text, from,  rest) {
        rest = substr(text, from)
        if (!match(rest, pattern[entry])) return 0
        found = substr(rest, RSTART, RLENGTH)
        found_at = from + RSTART - 1
        found_end = found_at + RLENGTH
        while (found ~ /^[^a-z0-9_]/) { found = substr(found, 2); found_at++ }
        sub(/[^a-z0-9_]+$/, "", found)
        return found_at
    }

    # ---- paragraphs: text of consecutive lines, which phrases may span ----
    function flush(  entry, masked, from, i, line) {
        if (text ~ /[a-z]/)
            for (entry = 1; entry <= entries; entry++) {
                if (is_name[entry] || shipped[entry] && file ~ /^test\//) continue
                if (text !~ pattern[entry]) continue
                masked = unless[entry] == "^$" ? text : blank(text, unless[entry])
                from = 1
                while (find(entry, masked, from)) {
                    line = line_of[1]
                    for (i = 1; i <= lines && starts[i] <= found_at; i++) line = line_of[i]
                    print file ":" line ": \047" found "\047: write \047" write[entry] "\047"
                    from = found_end - 1
                    if (from < found_at + 1) from = found_at + 1
                }
            }
        text = ""
        lines = 0
    }

    function add(part, number, glue) {
        lines++
        text = text (text == "" ? "" : glue)
        starts[lines] = length(text) + 1
        line_of[lines] = number
        text = text tolower(part)
    }

    # ---- C: comments, then strings, each as paragraphs ----
    function c_line(line,  piece, code) {
        code = ""
        while (line != "") {
            if (comment) {
                at = index(line, "*/")
                piece = at ? substr(line, 1, at - 1) : line
                sub(/^[ \t]*\*+/, "", piece)
                notes++
                note[notes] = blank(piece, "`[^` ]*`")
                note_line[notes] = FNR
                if (!at) break
                comment = 0
                notes++
                note[notes] = ""
                line = substr(line, at + 2)
            } else if (match(line, /^\/\*/)) {
                comment = 1
                line = substr(line, 3)
            } else if (match(line, /^\/\/.*/)) {
                notes++
                note[notes] = substr(line, 3)
                note_line[notes] = FNR
                break
            } else if (match(line, /^"([^"\\]|\\.)*"/)) {
                strings++
                string[strings] = substr(line, 2, RLENGTH - 2)
                string_line[strings] = FNR
                string_joins[strings] = !broken
                broken = 0
                line = substr(line, RLENGTH + 1)
            } else if (match(line, /^\047([^\047\\]|\\.)+\047/)) {
                broken = 1
                line = substr(line, RLENGTH + 1)
            } else {
                if (substr(line, 1, 1) !~ /[ \t]/) broken = 1
                code = code substr(line, 1, 1)
                line = substr(line, 2)
            }
        }
        if (file ~ /^(src|include)\//) c_names(code)
    }

    # Each identifier once in a file.
    function c_names(code,  name, entry) {
        while (match(code, /[a-z_][a-z0-9_]*/)) {
            name = substr(code, RSTART, RLENGTH)
            code = substr(code, RSTART + RLENGTH)
            if ((file, name) in known) continue
            known[file, name] = 1
            for (entry = 1; entry <= entries; entry++)
                if (is_name[entry] && name ~ pattern[entry])
                    print file ":" FNR ": the name \047" name "\047: write \047" write[entry] "\047"
        }
    }

    # A string without a space is a key or a name, not a message.
    function message() {
        if (text !~ / /) text = ""
        flush()
    }

    function c_end(  i, plain) {
        for (i = 1; i <= notes; i++)
            if (note[i] ~ /^[ \t]*$/) flush()
            else add(note[i], note_line[i], " ")
        flush()
        for (i = 1; i <= strings; i++) {
            if (!string_joins[i]) message()
            plain = string[i]
            gsub(/\\[nt]/, "  ", plain)
            gsub(/\\"/, " \"", plain)
            add(plain, string_line[i], "")
        }
        message()
        notes = strings = comment = broken = 0
    }

    # ---- other text: paragraphs of prose, comments; each line of code is one ----
    function text_line(line,  prose) {
        prose = sub(/^[ \t]*(#+|\.\\"|\{\{-? *\/\*|\/\/)/, "", line)
        if (file ~ /\.(md|txt|[1-9])$/) {
            prose = line !~ /^[|]/
            line = blank(line, "`[^` ]*`")
        }
        if (!prose || line ~ /^[ \t]*$/) flush()
        if (line !~ /^[ \t]*$/) add(line, FNR, " ")
        if (!prose) flush()
    }

    # ---- Python: docstrings, comments and strings ----
    function python_line(line,  kept, triple) {
        if (docstring || line ~ /"""/) {
            triple = gsub(/"""/, "", line)
            if (triple % 2) docstring = !docstring
            add(line, FNR, " ")
            if (!docstring) flush()
            return
        }
        kept = ""
        while (match(line, /"([^"\\]|\\.)*"|#.*/)) {
            if (substr(line, RSTART, RLENGTH) ~ / /) kept = kept " ; " substr(line, RSTART + 1, RLENGTH - 1)
            if (substr(line, RSTART, 1) == "#") break
            line = substr(line, RSTART + RLENGTH)
        }
        if (kept == "" || line !~ /^[ \t]*#/) flush()
        if (kept != "") add(kept, FNR, " ")
    }

    function end_of_file() {
        if (file == "") return
        if (is_c) c_end()
        else flush()
    }

    function samples(  i, j, masked) {
        for (i = 1; i <= entries; i++) {
            masked = blank(caught[i], unless[i])
            if (!find(i, masked, 1))
                print "words.txt: \047" caught[i] "\047 is not caught by its entry"
            for (j = 1; j <= entries; j++)
                if (is_name[i] == is_name[j] && find(j, blank(passes[i], unless[j]), 1))
                    print "words.txt: \047" passes[i] "\047 should pass: \047" found "\047"
        }
    }

    BEGIN {
        load()
        if (mode == "samples") {
            samples()
            exit
        }
    }
    FNR == 1 {
        end_of_file()
        file = FILENAME
        is_c = file ~ /\.([ch]|go)$/
        docstring = 0
    }
    is_c { c_line($0); next }
    file ~ /\.py$/ { python_line($0); next }
    { text_line($0) }
    END { if (mode != "samples") end_of_file() }' "$@"
}

scan samples < /dev/null > "$complaints"
verdict "each of $(grep -c ' :: ' "$words") entries catches its sample and passes the other" "$complaints"

if [ -s "$complaints.files" ]; then
    # shellcheck disable=SC2046 # a list of files
    scan files $(cat "$complaints.files") | sort -t : -k 1,1 -k 2,2n | uniq > "$complaints"
    verdict "plain words in $(wc -l < "$complaints.files" | tr -d " ") files" "$complaints"
else
    fail "nothing to read:$wanted"
fi
exit $bad
