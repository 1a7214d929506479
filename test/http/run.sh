#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [CURFEW [quick|stress|all]] - tests the server (default: $CURFEW) from outside: real clients over
# verified TLS. One line for each case, then "N passed, N failed"; exits 1 when one failed.
#
# stress measures time and memory: slow clients, floods, limits.memory, worst-case reviews. It needs the
# machine for itself. ONLY='tls clients' runs these scripts alone.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
curfew=${1:-${CURFEW:-$root/build/curfew}}
set=${2:-all}
recorded=$root/test/recorded
objects=$recorded/objects.yaml
work=$(mktemp -d)
certs=$work/certs

. "$root/test/cases.sh"
. "$root/test/lib/server.sh"
. "$root/test/lib/pki.sh"
. "$root/test/lib/reviews.sh"
. "$here/lib.sh"
trap cleanup EXIT
trap 'exit 1' INT TERM

good=$recorded/validate.create.pods.agent.by-daemon-set-controller.json
denied=$recorded/validate.create.pods.legacy-mount.by-admin.json
fixed=$recorded/mutate.create.pods.legacy-mount.by-admin.json
secret=$recorded/validate.create.secrets.web-token.by-admin.json

# Valid flags, for `refuses`.
o="--objects $objects --listen 127.0.0.1:0 --probe-listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0"
pair="--tls-cert $certs/tls.crt --tls-key $certs/tls.key"

dev_certs "$certs" || exit 1
build_clients "$here"/*.c "$root/test/lib/clients.c" "$root/test/soak/load.c" || exit 1

# run SCRIPT...: runs these scripts, then checks the logs of all their servers.
run() {
    for script in "$@"; do
        # shellcheck source=/dev/null # one of those here
        . "$here/$script.sh"
    done
    check 'no log holds a token' "$(grep -l eyJ "$work"/*.log)" \
        sh -c '! grep -q eyJ "$1"/*.log' sh "$work"
    check 'no sanitizer reported an error' "$(grep -h -A20 -E 'ERROR: |WARNING: |runtime error' "$work"/*.log)" \
        sh -c '! grep -qE "Sanitizer|runtime error" "$1"/*.log' sh "$work"
}

# Three lanes that take about the same time. The scripts of a lane share functions and files.
quick() {
    chmod 755 "$work" # some servers run as nobody
    server "$work/main.log" || exit 1
    lane requests run bad_input http strict metrics namespaces unread lookups
    lane callers run authorize clients bearer
    lane server run tls reload lifecycle guarded seccomp
    main=$pid main_port=$port main_probes=$probes main_plain=$plain
    join
    port=$main_port probes=$main_probes plain=$main_plain
    run probe
    check 'the first server answers to the end' 'it does not' answers
    stops 'and ends' "$main"
}

case ${ONLY:-$set} in
quick) quick ;;
stress) run limits floods memory worst ;;
all)
    quick
    run limits floods memory worst
    ;;
*) run $ONLY ;;
esac
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
