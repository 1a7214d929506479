# SPDX-License-Identifier: Apache-2.0
# credentials.sh - token files, credential programs, pods. Sourced by run.sh.

k=$work/c
cluster="server: https://127.0.0.1:$main
certificate-authority: ca/good.pem"

# ---- files ----

kubeconfig "$k" "$cluster" 'tokenFile: token'
matches 'a token in a file' "\"token\": \"$token\"" "$(call /echo/file)"
out=$(call /rotate/secret-token-2)
matches 'after a 401 the file is read again' '^status 200' "$out"
equal 'the file has the new token' secret-token-2 "$(cat "$work/token")"
(
    wait_until 10 grep -q 'status 200' "$work/follow.out"
    echo secret-token-3 >"$work/token.new"
    mv "$work/token.new" "$work/token"
) &
changes=$!
call /echo/follow --repeat 2 --pause 3000 >"$work/follow.out"
wait "$changes"
matches 'a changed file is read again' '"token": "secret-token-3"' "$(tail -n 1 "$work/follow.out")"
matches 'the same client used the old token before' '"token": "secret-token-2"' "$(cat "$work/follow.out")"
printf 'a\nb\n' >"$work/token"
out=$(call /echo/bad)
matches 'a token of two lines is rejected' "^error: user \"me\" of '$k': invalid token in '$work/token'" "$out"
rm "$work/token"
out=$(call /echo/gone)
matches 'no file' "^error: user \"me\" of '$k': opening '$work/token': No such file" "$out"

# ---- programs ----

cat >"$work/plugin" <<'EOF'
#!/bin/sh
# Counts its runs, and prints what the test configures.
dir=$(dirname "$0")
echo x >>"$dir/ran"
printf '%s' "$KUBERNETES_EXEC_INFO" >"$dir/info"
printf '%s %s' "$*" "$MINE" >"$dir/words"
status="\"token\":\"from-plugin-$(wc -l <"$dir/ran" | tr -d ' ')\""
case $1 in
short) status="$status,\"expirationTimestamp\":\"$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)\"" ;;
long) status="$status,\"expirationTimestamp\":\"2099-01-01T00:00:00.5+02:00\"" ;;
certificate) status="\"clientCertificateData\":\"$(sed 's/$/\\n/' "$dir/ca/me.pem" | tr -d '\n')\",\"clientKeyData\":\"$(sed 's/$/\\n/' "$dir/ca/me.key" | tr -d '\n')\"" ;;
fails) exit 7 ;;
garbage) echo eyJhbGciOiJub25lIn0.e30. ; exit 0 ;;
flood) head -c 3000000 /dev/zero | tr '\0' x; exit 0 ;;
hangs) sleep 30 ;;
esac
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{%s}}' "$status"
EOF
chmod +x "$work/plugin"

plugin() { # WORD [LINES]: the kubeconfig with the program
    rm -f "$work/ran"
    kubeconfig "$k" "$cluster
extensions:
- name: client.authentication.k8s.io/exec
  extension: {audience: x, number: 1}" "exec:
  apiVersion: client.authentication.k8s.io/v1
  interactiveMode: Never
  command: ./plugin
  args: [$1]
  env: [{name: MINE, value: yes please}]
${2:-}"
}

plugin long
out=$(call /echo/exec --repeat 3)
matches 'a program gives the token' '"token": "from-plugin-1"' "$out"
equal 'the program runs once' 1 "$(wc -l <"$work/ran" | tr -d ' ')"
equal 'the arguments and environment of the program' 'long yes please' "$(cat "$work/words")"
equal 'the input of the program' \
    '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}' \
    "$(cat "$work/info")"
plugin long '  provideClusterInfo: true'
call /echo/exec >/dev/null
matches 'the cluster in the input of the program' "\"cluster\":{\"server\":\"https://127.0.0.1:$main\",\
\"certificate-authority-data\":\"$(base64 -w0 <"$ca/good.pem")\",\"config\":{\"audience\":\"x\",\"number\":1}}" \
    "$(cat "$work/info")"
plugin short
out=$(call /echo/exec --repeat 2 --pause 3000)
matches 'the program runs again before the token expires' '"token": "from-plugin-2"' "$out"
plugin long
call /unauthorized >/dev/null
equal 'the program runs again after a 401' 2 "$(wc -l <"$work/ran" | tr -d ' ')"
plugin certificate
matches 'a program gives a certificate' '"client": "me"' "$(call /echo/exec)"
plugin fails
matches 'the program fails' "^error: user \"me\" of '$k': '$work/./plugin' ended with exit code 7" "$(call /echo/exec)"
plugin garbage
out=$(call /echo/exec)
matches 'the program prints garbage' 'its output is not JSON' "$out"
lacks 'the garbage is not printed' 'eyJ' "$out"
plugin flood
matches 'the program prints too much' 'printed more than 1 MiB' "$(call /echo/exec)"
plugin hangs
began=$(date +%s)
matches 'the client is cancelled while the program hangs' 'was cancelled: shutting down' "$(call /echo/exec --cancel-after 500)"
[ $(($(date +%s) - began)) -le 10 ] && ok 'the program is stopped' || fail 'the program is stopped' 'it continued to hang'
kubeconfig "$k" "$cluster" 'exec:
  apiVersion: client.authentication.k8s.io/v1
  interactiveMode: IfAvailable
  command: curfew-no-such-program
  installHint: get it from the cloud'
matches 'the program is missing' "running 'curfew-no-such-program': program not found; get it from the cloud" \
    "$(call /echo/exec)"

# ---- in a pod ----

pod=$work/pod
mkdir -p "$pod/..1"
cp "$ca/good.pem" "$pod/..1/ca.crt"
echo pod-token-1 >"$pod/..1/token"
printf 'curfew-system' >"$pod/..1/namespace"
ln -s ..1 "$pod/..data"
for name in ca.crt token namespace; do ln -s "..data/$name" "$pod/$name"; done

in_pod() {
    KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=$main \
        timeout 60 "$client" "$@" --in-cluster "$pod"
}

equal 'in a pod' "https://127.0.0.1:$main curfew-system" "$(in_pod open)"
matches "the pod's token" '"token": "pod-token-1"' "$(in_pod call GET /echo/pod)"
(
    wait_until 10 grep -q 'status 200' "$work/pod.out"
    mkdir "$pod/..2"
    cp "$pod/..1/ca.crt" "$pod/..1/namespace" "$pod/..2/"
    echo pod-token-2 >"$pod/..2/token"
    ln -s ..2 "$pod/..new"
    mv -T "$pod/..new" "$pod/..data"
    rm -r "$pod/..1"
) &
changes=$!
in_pod call GET /echo/pod --repeat 2 --pause 3000 >"$work/pod.out"
wait "$changes"
matches 'the kubelet renews it' '"token": "pod-token-2"' "$(tail -n 1 "$work/pod.out")"
out=$(KUBERNETES_SERVICE_HOST=fd00::1 KUBERNETES_SERVICE_PORT=443 "$client" open --in-cluster "$pod")
equal 'an IPv6 cluster' 'https://[fd00::1]:443 curfew-system' "$out"
matches 'outside a pod' 'KUBERNETES_SERVICE_HOST is not set.*--kubeconfig FILE' \
    "$("$client" open --in-cluster "$pod")"
rm "$pod/..2/token"
matches 'a pod without a token' "no token: '$pod/token': No such file.*automountServiceAccountToken" "$(in_pod open)"

lacks 'no message contains a token' 'secret-token\|pod-token\|from-plugin' "$(cat "$work"/*.err)"
