#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# banned.sh - functions that the sources must not call, each with a replacement.
. "$(dirname "$0")/lib.sh"

# call  instead
banned='
strcpy        cf_arena_strdup, or cf_buf_adds
strncpy       cf_arena_strndup: strncpy may leave out the NUL
strcat        cf_buf_adds
strncat       cf_buf_add
stpcpy        cf_buf_adds
sprintf       snprintf, or cf_arena_printf
vsprintf      vsnprintf, or cf_arena_vprintf
gets          cf_file_read
scanf         cf_str_int64
fscanf        cf_str_int64
sscanf        cf_str_int64: sscanf hides overflows
atoi          cf_str_int64: atoi hides every mistake
atol          cf_str_int64
atoll         cf_str_int64
atof          the scalar reader of json/
strtol        cf_str_int64
strtoul       cf_str_int64
strtoll       cf_str_int64
strtoull      cf_str_int64
strtoimax     cf_str_int64
strtod        the scalar reader of json/
strtof        the scalar reader of json/
strtok        strcspn: strtok keeps state
strtok_r      strcspn
localtime     cf_time_format: times are UTC
localtime_r   cf_time_format: times are UTC
gmtime        gmtime_r
ctime         cf_time_format
asctime       cf_time_format
system        nothing: no shells
popen         nothing: no shells
alloca        the arena
tmpnam        mkstemp
mktemp        mkstemp
rand          getrandom
random        getrandom
setenv        nothing: other threads read the environment
putenv        nothing
setlocale     nothing: answers do not depend on the locale
signal        sigaction
abort         an error that is returned
assert        an error that is returned
exit          a status that main returns
cJSON_GetObjectItem       cJSON_GetObjectItemCaseSensitive
cJSON_HasObjectItem       cJSON_GetObjectItemCaseSensitive
cJSON_ReplaceItemInObject cJSON_ReplaceItemInObjectCaseSensitive
cJSON_DeleteItemFromObject cJSON_DeleteItemFromObjectCaseSensitive
cJSON_Parse   cJSON_ParseWithLengthOpts
'

# Exceptions: file, function and reason.
allowed='
src/json/yaml_scalar.c  strtod  reads floating point numbers of YAML
src/json/yaml_scalar.c  strtof  the same
src/json/yaml_scalar.c  atoi    parses the exponent of a printed number
'

# shellcheck disable=SC2046 # a list of files
code $(files '^(src|include)/.*\.[ch]$') |
    awk -v banned="$banned" -v allowed="$allowed" '
    BEGIN {
        n = split(banned, row, "\n")
        for (i = 1; i <= n; i++) {
            name = row[i]
            sub(/ .*/, "", name)
            text = row[i]
            sub(/^[^ ]+ +/, "", text)
            if (name != "") instead[name] = text
        }
        n = split(allowed, row, "\n")
        for (i = 1; i <= n; i++)
            if (split(row[i], word, " ") > 1) fine[word[1], word[2]] = 1
    }
    {
        at = index($0, ":")
        file = substr($0, 1, at - 1)
        rest = substr($0, at + 1)
        number = substr(rest, 1, index(rest, ":") - 1)
        rest = substr(rest, index(rest, ":") + 1)
        while (match(rest, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
            name = substr(rest, RSTART, RLENGTH - 1)
            sub(/[ \t]+$/, "", name)
            rest = substr(rest, RSTART + RLENGTH)
            if ((name in instead) && !((file, name) in fine))
                print file ":" number ": " name "() is banned; use " instead[name]
        }
    }' > "$complaints"
verdict "no banned call" "$complaints"
exit $bad
