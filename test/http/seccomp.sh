# SPDX-License-Identifier: Apache-2.0
# seccomp.sh - the system call filter: on in every thread, and off if necessary.
# test/unit/test_seccomp.c tests what it blocks. Sourced by run.sh.

# filters STATUS-FILE: the number of filters of the thread.
filters() {
    sed -n 's/^Seccomp_filters:[^0-9]*//p' "$1"
}

# filtered_by COUNT PID: each thread has COUNT filters more than this shell.
filtered_by() {
    local here status
    here=$(filters /proc/self/status)
    for status in /proc/"$2"/task/*/status; do
        [ "$(filters "$status")" = $((here + $1)) ] || return 1
    done
}

# says NAME LOG filtered|not-filtered: the line "serving" reports it, and there is no warning.
says() {
    check "$1: the line 'serving' reports it" "$(grep '"serving"' "$2")" \
        grep -q "\"systemCalls\":\"$(echo "$3" | tr - ' ')\"" "$2"
    lacks "$1: there is no warning" '"level":"warn"' "$(cat "$2")"
}

# says_once NAME LOG REASON: one warning, with this reason (a basic regular expression).
says_once() {
    equal "$1: one warning" 1 "$(grep -c '"msg":"system calls are not filtered"' "$2")"
    check "$1: with its reason" "$(grep 'not filtered' "$2")" \
        grep -q "\"level\":\"warn\",\"msg\":\"system calls are not filtered\",\"reason\":\"$3\"" "$2"
    check "$1: the line 'serving' reports it" "$(grep '"serving"' "$2")" \
        grep -q '"systemCalls":"not filtered"' "$2"
}

sanitized=
! grep -q -e __asan_init -e __tsan_init -e __gcov_init "$curfew" || sanitized=1

server "$work/seccomp.log" --threads 4
if [ -z "$sanitized" ]; then
    check 'every thread of a server is filtered' "$(grep -h ^Seccomp /proc/"$pid"/task/*/status)" \
        filtered_by 1 "$pid"
    says 'a server' "$work/seccomp.log" filtered
else
    says_once 'built with a sanitizer' "$work/seccomp.log" 'a sanitizer needs other system calls'
fi
check 'it answers' 'it does not' answers
stops 'it ends' "$pid"

server "$work/seccomp.log" --no-seccomp
check '--no-seccomp: no thread is filtered' "$(grep -h ^Seccomp /proc/"$pid"/task/*/status)" \
    filtered_by 0 "$pid"
says '--no-seccomp' "$work/seccomp.log" not-filtered
stops '--no-seccomp: it ends' "$pid"

# A kernel without support.
if [ -z "$sanitized" ]; then
    under=$work/bin/unfilterable
    server "$work/seccomp.log" --threads 2
    says_once 'where the kernel refuses it' "$work/seccomp.log" '[^"]*[a-z][^"]*'
    check 'a server responds on a kernel without support' 'it does not' answers
    stops 'where the kernel refuses it: it ends' "$pid"
    under=
fi
