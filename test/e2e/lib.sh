# SPDX-License-Identifier: Apache-2.0
# lib.sh - the commands of scenarios; sourced.
#
#   scenario 'TITLE'          starts a scenario; at its end prints "ok TITLE" or "FAIL TITLE: why"
#   admin ARGS, dev ARGS      runs kubectl as the cluster's admin (system:masters), or as a user of the
#                             cluster. It must succeed, unless the next line is
#   refused TEXT              an admission webhook denied it with this text, or
#   fails                     it failed
#   person NAME ARGS          runs kubectl as another user: `becomes NAME` after printing a token adds one
#   prints TEXT               the output of kubectl contains TEXT; prints_not: it does not
#   until_it_prints TEXT ...  repeats the command until its output contains TEXT (for half a minute,
#                             or `within=SECONDS until_it_prints ...`)
#   check WHAT COMMAND...     the command succeeds
#
# Scenarios wait for pods with --timeout=180s: a kubelet that lost its API server may need a minute to
# reconnect, and until then no pod starts on its node.
#
# A scenario reports only its first failure, with the command and its output.
# shellcheck shell=bash

title=
said=
status=0

# Tokens are removed from logs, including those of failed scenarios (ZXlK is the base64 of eyJ).
masked() {
    sed -E 's,(eyJ|ZXlK)[A-Za-z0-9_.=/+-]+,(a token),g'
}

complain() {
    [ -z "$broken" ] || return 0
    broken=yes
    echo "FAIL $title: $1"
    printf '%s\n%s\n' "\$ $typed" "$said" | masked | sed 's/^/    /'
}

settle() {
    [ "$status" = 0 ] || complain "it exited $status"
    status=0
}

finish() {
    [ -n "$title" ] || return 0
    settle
    [ -n "$broken" ] || echo "ok $title"
    title=
}

scenario() {
    finish
    title=$1 broken='' typed='' said=''
}

# person NAME ARGS...: runs kubectl as NAME and keeps its output.
person() {
    settle
    typed="kubectl ${*:2}   # as $1"
    said=$(kubectl --kubeconfig "$E2E_WORK/certs/$1.kubeconfig" "${@:2}" 2>&1)
    status=$?
    printf '%s\n%s\n' "\$ $typed" "$said" | masked >> "$E2E_WORK/log/scenarios.log"
    [ $status = 0 ] || runs apiserver || give_up 'the API server is not running'
}

# becomes NAME: adds a user with the token that was just printed, and hides the token from then on.
becomes() {
    settle
    grep -o 'eyJ.*' <<< "$said" > "$E2E_WORK/certs/$1.token" || complain 'it printed no token'
    said='(a token)'
    sed -e "s,client-certificate:.*},tokenFile: $E2E_WORK/certs/$1.token}}," \
        "$E2E_WORK/certs/dev.kubeconfig" > "$E2E_WORK/certs/$1.kubeconfig"
}

admin() {
    person admin "$@"
}

dev() {
    person dev "$@"
}

prints() {
    grep -qF -- "$1" <<< "$said" || complain "it did not print: $1"
}

prints_not() {
    ! grep -qF -- "$1" <<< "$said" || complain "it printed: $1"
}

fails() {
    [ "$status" != 0 ] || complain 'it did not fail'
    status=0
}

refused() {
    fails
    prints ".curfew.dev\" denied the request: $1"
}

# Everything in this cluster finishes within half a minute.
until_it_prints() {
    local text=$1 until=$((SECONDS + ${within:-30}))
    shift
    while "$@" && ! grep -qF -- "$text" <<< "$said"; do
        [ $SECONDS -lt $until ] || break
        status=0
        sleep 0.5
    done
    status=0
    prints "$text"
}

check() {
    settle
    "${@:2}" || complain "not so: $1"
}

# said_is TEXT: TEXT is the complete output.
said_is() {
    [ "$said" = "$1" ] || complain "it did not say just: $1"
}

# the_token_lives SECONDS: checks the lifetime of the token that was just printed.
the_token_lives() {
    local life
    settle
    life=$(grep -o 'eyJ.*' <<< "$said" | sh "$E2E_HOME/cluster/token-life" /dev/stdin)
    [ "$life" = "$1" ] || complain "it printed a token of ${life:-no} seconds, not $1"
}
