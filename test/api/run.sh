#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh - the client of the Kubernetes API against servers that misbehave. One line per case, then
# "N passed, N failed"; exits 1 when one failed.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
client=${BUILD:-$root/build}/api-test
case $client in
/*) ;;
*) client=$PWD/$client ;;
esac
work=$(mktemp -d)
ca=$work/ca
mkdir "$ca"
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY KUBERNETES_SERVICE_HOST \
    KUBERNETES_SERVICE_PORT

ASAN_OPTIONS=log_path=$work/sanitizer
TSAN_OPTIONS=log_path=$work/sanitizer
UBSAN_OPTIONS=log_path=$work/sanitizer
export PYTHONDONTWRITEBYTECODE=1
export ASAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS

. "$root/test/cases.sh"
. "$root/test/lib/server.sh"
. "$root/test/lib/pki.sh"
. "$here/lib.sh"
trap cleanup EXIT
trap 'exit 1' INT TERM

authority good
authority other
for_server='extendedKeyUsage=serverAuth
subjectAltName'
leaf server good server "$for_server=DNS:localhost,IP:127.0.0.1"
leaf named good named "$for_server=DNS:api.internal"
leaf expired good expired "$for_server=IP:127.0.0.1" -startdate 20200101000000Z -enddate 20200102000000Z
leaf me good me extendedKeyUsage=clientAuth

calls() {
    token=secret-token-1
    printf '%s\n' "$token" >"$work/token"
    api_server main --cert "$ca/server.pem" --key "$ca/server.key" --client-ca "$ca/good.pem" \
        --token-file "$work/token"
    main=$port
    . "$here/calls.sh"
    . "$here/streams.sh"
    . "$here/trust.sh"
    . "$here/credentials.sh"
}

replicas() {
    . "$here/certs.sh"
    short_life
    . "$here/certs_replicas.sh"
    . "$here/certs_end.sh"
    at_the_end
}

away() {
    . "$here/certs.sh"
    . "$here/certs_away.sh"
    at_the_end
}

lane replicas replicas
lane away away
lane calls calls
join

equal 'no sanitizer reported an error' '' "$(cat "$work"/sanitizer.* 2>/dev/null)"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
