# SPDX-License-Identifier: Apache-2.0
# lib.sh - shared functions of the API client tests. Sourced by run.sh, after ../cases.sh and ../lib/*.sh.

# api_server NAME [apiserver.py flag...]: starts a fake API server; sets $port.
api_server() {
    local name="$1"
    shift
    launch "$work/$name.err" python3 "$root/test/lib/apiserver.py" --port-file "$work/$name.port" "$@"
    wait_until 20 test -s "$work/$name.port" || {
        fail "the server $name starts" "$(cat "$work/$name.err")"
        exit 1
    }
    port=$(cat "$work/$name.port")
}

# call PATH [flag...], with the kubeconfig $k: the output of the client for a GET.
call() {
    local path="$1"
    shift
    timeout 60 "$client" call GET "$path" --kubeconfig "$k" "$@" 2>&1
}

stream() {
    local path="$1"
    shift
    timeout 60 "$client" stream "$path" --kubeconfig "$k" "$@" 2>&1
}
