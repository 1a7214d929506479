#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [CURFEW] - the server (else $CURFEW), from outside: real clients over verified TLS. One line
# per case, then "N passed, N failed"; exits 1 when one failed.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
curfew=${1:-${CURFEW:-$root/build/curfew}}
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

dev_certs "$certs" || exit 1
build_clients "$here"/*.c "$root/test/lib/clients.c" "$root/test/soak/load.c" || exit 1

# ONLY=worst: one file alone.
if [ -n "${ONLY:-}" ]; then
    # shellcheck source=/dev/null # one of those below
    . "$here/$ONLY.sh"
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
fi

server "$work/main.log" || exit 1
main=$pid main_port=$port main_probes=$probes main_plain=$plain
. "$here/bad_input.sh"
. "$here/http.sh"
. "$here/strict.sh"
. "$here/tls.sh"
. "$here/authorize.sh"
. "$here/clients.sh"
. "$here/bearer.sh"
. "$here/reload.sh"
. "$here/lifecycle.sh"
. "$here/guarded.sh"
. "$here/seccomp.sh"
. "$here/limits.sh"
. "$here/metrics.sh"
. "$here/floods.sh"
. "$here/memory.sh"
. "$here/worst.sh"
. "$here/namespaces.sh"
. "$here/unread.sh"
. "$here/lookups.sh"

port=$main_port probes=$main_probes plain=$main_plain
. "$here/probe.sh"
check 'the first server answers to the end' 'it does not' answers
stops 'and ends' "$main"
check 'no log holds a token' "$(grep -l eyJ "$work"/*.log)" \
    sh -c '! grep -q eyJ "$1"/*.log' sh "$work"
check 'no sanitizer reported an error' "$(grep -h -A20 -E 'ERROR: |WARNING: |runtime error' "$work"/*.log)" \
    sh -c '! grep -qE "Sanitizer|runtime error" "$1"/*.log' sh "$work"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
