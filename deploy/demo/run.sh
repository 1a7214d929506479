#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD - shows a denial, a repair and a warning as users see them.
#
# Sends each review as an API server does: POST /mutate and, with the patch applied, POST /validate, over
# TLS with a verified certificate. Stops the server at the end, and fails if a response is not as expected.
set -u
cd "$(dirname "$0")/../.." || exit 1
curfew=$1/curfew
kubectl=$1/demo/kubectl
demo=deploy/demo
work=$(mktemp -d) || exit 1
certs=$work/certs
server=
failed=0

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
else
    bold='' dim='' plain=''
fi

cleanup() {
    if [ -n "$server" ]; then
        kill "$server" 2> /dev/null
        wait "$server" 2> /dev/null
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

give_up() {
    echo "demo: $*" >&2
    [ ! -s "$work/log" ] || cat "$work/log" >&2
    exit 1
}

title() {
    printf '\n%s%s%s\n\n' "$bold" "$*" "$plain"
}

# expect WHAT COMMAND...
expect() {
    what=$1
    shift
    "$@" || {
        echo "demo: not as expected: $what" >&2
        failed=1
    }
}

start_server() {
    : > "$work/log"
    "$curfew" serve --objects "$demo/objects.yaml" --tls-cert "$certs/tls.crt" --tls-key "$certs/tls.key" \
        --listen 127.0.0.1:0 --probe-listen 127.0.0.1:0 \
        --metrics-listen 127.0.0.1:0 --drain-delay 0s 2> "$work/log" &
    server=$!
    tries=0
    until grep -q '"msg":"serving"' "$work/log"; do
        tries=$((tries + 1))
        kill -0 "$server" 2> /dev/null && [ $tries -lt 100 ] || give_up "the server did not start"
        sleep 0.1
    done
    address=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$work/log")
}

# create NAME: prints the output of kubectl; $work/stored is the review as patched, if it was.
create() {
    rm -f "$work/stored"
    echo "${bold}\$ kubectl create -f $1.yaml${plain}"
    "$kubectl" create "https://$address" "$certs/ca.crt" "$1.yaml" "$demo/$1.json" "$work/stored" > "$work/output"
    status=$?
    cat "$work/output"
    [ $status != 1 ] || give_up "no response"
}

prints() {
    grep -q -- "$1" "$work/output"
}

# volumes TITLE REVIEW: prints the volumes and keeps them in $work/volumes.
volumes() {
    "$kubectl" volumes "$2" > "$work/volumes"
    echo "$dim$1$plain"
    sed 's/^/    /' "$work/volumes"
}

CURFEW=$curfew sh certs/make-dev-certs.sh "$certs" > /dev/null || give_up "cannot create certificates"
start_server
echo "Curfew serves at https://$address, with a certificate from curfew certs init."
echo "The namespace shop is at level restricted (deploy/demo/objects.yaml)."

title "1. A denial: the pod worker mounts the legacy token of another account."
create worker
expect "a denial" [ $status = 2 ]
expect "a Forbidden error with the names of the webhook and the rule" prints \
    '^Error from server (Forbidden): .*"validate.curfew.dev" denied the request: pod "worker".*legacy-token-mount'

title "2. A repair: the pod web mounts the legacy token of its own account, which never expires."
create web
expect "a creation" [ $status = 0 ]
expect "a warning about the repair" prints '^Warning: pod "web": legacy-token-mount:'
expect "the pod" prints '^pod/web created$'
echo
volumes "Its volumes in the request:" "$demo/web.json"
expect "a Secret before" grep -q 'secretName: web-token' "$work/volumes"
volumes "Its volumes as stored, with the same files and a token that expires within the hour:" \
    "$work/stored"
expect "a token that expires" grep -q 'expirationSeconds: 3600' "$work/volumes"
expect "no Secret after" sh -c '! grep -q secretName "$1"' sh "$work/volumes"

title "3. A warning: Curfew never denies or changes a Deployment, but warns its author."
create deployment
expect "a creation" [ $status = 0 ]
expect "a warning" prints '^Warning: deployment "web" would violate Curfew level "restricted": legacy-token-mount:'
expect "no patch" [ ! -e "$work/stored" ]

kill "$server"
wait "$server"
expect "a clean exit" [ $? = 0 ]
server=
echo
echo "To review manifests without a cluster: $curfew review --objects $demo/objects.yaml -f $demo/worker.yaml"
exit $failed
