# SPDX-License-Identifier: Apache-2.0
# server.sh - `curfew serve` in shell tests: its certificate, its ports, its start and
# its end. Sourced after ../cases.sh, whose wait_until and $pids it uses; $curfew is the program,
# $root the project.

# dev_certs DIR: ca.crt, tls.crt and tls.key; once more: another serving certificate of this authority.
dev_certs() {
    CURFEW=$curfew sh "$root/certs/make-dev-certs.sh" "$1" >/dev/null
}

# build_clients SOURCE...: TLS clients in C (client.h), in $work/bin.
build_clients() {
    local source
    mkdir -p "$work/bin"
    for source in "$@"; do
        ${CC:-cc} -O1 -I"$root/test/lib" -o "$work/bin/$(basename "$source" .c)" "$source" \
            "$root/test/lib/client.c" -lgnutls -lpthread || return 1
    done
}

# kubeconfig FILE CLUSTER-LINES [USER-LINES]: context "c" with namespace "shop". Lines are indented here.
kubeconfig() {
    {
        printf 'apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n'
        printf -- '- name: c\n  context: {cluster: here, user: me, namespace: shop}\n'
        printf 'clusters:\n- name: here\n  cluster:\n'
        printf '%s\n' "$2" | sed 's/^/    /'
        printf 'users:\n- name: me\n  user:\n'
        printf '%s\n' "${3:-{\}}" | sed 's/^/    /'
    } >"$1"
}

# launch LOG COMMAND...: runs it in the background; sets $pid.
launch() {
    local log="$1"
    shift
    [ ! -f "$log" ] || rm "$log" # of an earlier server: its ports must not be read
    "$@" 2>"$log" &
    pid=$!
    pids="$pids $pid"
}

# serve LOG FLAG...: `curfew serve` on free ports; $under is a command that runs it. Sets $pid.
serve() {
    local log="$1"
    shift
    # shellcheck disable=SC2086 # a command and its arguments
    launch "$log" ${under:-} "$curfew" serve --listen 127.0.0.1:0 --probe-listen 127.0.0.1:0 \
        --metrics-listen 127.0.0.1:0 --drain-delay 0s "$@"
}

# port_in LOG KEY
port_in() {
    sed -n "s/.*\"$2\":\"127.0.0.1:\([0-9]*\)\".*/\1/p" "$1"
}

# ports_of LOG: sets $port, $probes and $plain.
ports_of() {
    port=$(port_in "$1" address)
    probes=$(port_in "$1" probeAddress)
    plain=$(port_in "$1" metricsAddress)
}

# logged LOG MESSAGE: waits for it.
logged() {
    wait_until 60 grep -qF "\"msg\":\"$2\"" "$1"
}

# listening LOG: waits until a server does; sets $port, $probes and $plain.
listening() {
    if ! logged "$1" serving; then
        fail 'a server starts' "$(cat "$1")"
        return 1
    fi
    ports_of "$1"
}

ended() {
    ! kill -0 "$1" 2>/dev/null
}

# ends NAME PID: passes if it ends with exit code 0 without a signal.
ends() {
    if ! wait_until 10 ended "$2"; then
        fail "$1" 'it continues to run'
        return
    fi
    wait "$2"
    equal "$1" 0 $?
}

# stops NAME PID: sends SIGTERM; passes if it ends with exit code 0.
stops() {
    kill -TERM "$2" 2>/dev/null
    ends "$1" "$2"
}
