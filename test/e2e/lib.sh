# SPDX-License-Identifier: Apache-2.0
# lib.sh - the words that scenarios are written in; sourced.
#
#   scenario 'TITLE'          begins one; it prints "ok TITLE" or "FAIL TITLE: why" when it ends
#   admin ARGS, dev ARGS      kubectl, as the cluster's admin (system:masters), or as somebody who
#                             works in it. It has to succeed, unless the next line says
#   refused TEXT              that an admission webhook denied it with this text, or
#   fails                     that it fails
#   person NAME ARGS          as somebody else: becomes NAME, said after a token was printed, makes one
#   prints TEXT               what kubectl said holds TEXT; prints_not: it does not
#   until_it_prints TEXT ...  asks again, for what the cluster does in its own time (half a minute,
#                             or `within=SECONDS until_it_prints ...`)
#   check WHAT COMMAND...     anything else that has to hold
#
# Scenarios wait for pods with --timeout=180s: a kubelet that lost its API server for a moment may need a
# minute to come back, and until then no pod starts on its node.
#
# Only the first thing that goes wrong in a scenario is told, with what was typed and said.
# shellcheck shell=bash

title=
said=
status=0

# No token reaches a log, also when a scenario fails (ZXlK is eyJ once more in base64).
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

# person NAME ARGS...: kubectl as NAME; what it says is kept.
person() {
    settle
    typed="kubectl ${*:2}   # as $1"
    said=$(kubectl --kubeconfig "$E2E_WORK/certs/$1.kubeconfig" "${@:2}" 2>&1)
    status=$?
    printf '%s\n%s\n' "\$ $typed" "$said" | masked >> "$E2E_WORK/log/scenarios.log"
    [ $status = 0 ] || runs apiserver || give_up 'the API server is gone'
}

# becomes NAME: who has the token that was just printed; it is not shown from here on.
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

# Half a minute is long for anything that a cluster does here.
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

# said_is TEXT: all that it said.
said_is() {
    [ "$said" = "$1" ] || complain "it did not say just: $1"
}

# the_token_lives SECONDS: the one that was just printed.
the_token_lives() {
    local life
    settle
    life=$(grep -o 'eyJ.*' <<< "$said" | sh "$E2E_HOME/cluster/token-life" /dev/stdin)
    [ "$life" = "$1" ] || complain "it printed a token of ${life:-no} seconds, not $1"
}
