# SPDX-License-Identifier: Apache-2.0
# service.sh - programs that run in the background; sourced. Each has a log and a pid file with its name in
# $E2E_WORK.
# shellcheck shell=bash

give_up() {
    echo "e2e: $*" >&2
    exit 1
}

# start NAME COMMAND...
start() {
    local name=$1
    shift
    mkdir -p "$E2E_WORK/log" "$E2E_WORK/pid"
    "$@" >> "$E2E_WORK/log/$name.log" 2>&1 < /dev/null &
    echo $! > "$E2E_WORK/pid/$name"
    disown # functions that need its status check it
}

runs() {
    kill -0 "$(cat "$E2E_WORK/pid/$1")" 2> /dev/null
}

# gone PID: the process ends within half a minute.
gone() {
    for _ in $(seq 300); do
        kill -0 "$1" 2> /dev/null || return 0
        sleep 0.1
    done
    return 1
}

# stop NAME: stops it and waits until it has ended, so that the next one can use its port.
stop() {
    local pid
    pid=$(cat "$E2E_WORK/pid/$1") || return 0
    rm "$E2E_WORK/pid/$1"
    kill "$pid" 2> /dev/null || return 0
    gone "$pid" || kill -KILL "$pid"
}

# halt NAME: kills it, as when the machine is switched off.
halt() {
    local pid
    pid=$(cat "$E2E_WORK/pid/$1") || return 0
    rm "$E2E_WORK/pid/$1"
    kill -KILL "$pid" 2> /dev/null || return 0
    gone "$pid"
}

# await SECONDS WHAT COMMAND...: waits until the command succeeds.
await() {
    local seconds=$1 what=$2 until=$((SECONDS + $1))
    shift 2
    until "$@" > /dev/null 2>&1; do
        [ $SECONDS -lt $until ] || {
            echo "e2e: after $seconds s still no $what" >&2
            return 1
        }
        sleep 0.2
    done
}

# await_service NAME SECONDS COMMAND...: waits until it responds; fails if it ended.
await_service() {
    local name=$1 until=$((SECONDS + $2))
    shift 2
    until "$@" > /dev/null 2>&1; do
        if ! runs "$name" || [ $SECONDS -ge $until ]; then
            tail -n 20 "$E2E_WORK/log/$name.log" >&2
            give_up "$name does not start"
        fi
        sleep 0.2
    done
}
