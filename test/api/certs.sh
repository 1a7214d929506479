# SPDX-License-Identifier: Apache-2.0
# certs.sh - the certificate in a Secret: written by curfew certs run, read by curfew serve, and trusted
# by every client at all times. Sourced by run.sh, in each lane that needs such a cluster.

curfew=${CURFEW:-$root/build/curfew}
case $curfew in
/*) ;;
*) curfew=$PWD/$curfew ;;
esac
mkdir -p "$work/history"
api_server cluster --cert "$ca/server.pem" --key "$ca/server.key" --history "$work/history" \
    --token cluster-token --reader server-token
api=https://127.0.0.1:$port
kubeconfig "$work/admin" "server: $api
certificate-authority: ca/good.pem" 'token: cluster-token'
kubeconfig "$work/server" "server: $api
certificate-authority: ca/good.pem" 'token: server-token'

control() { # PATH [JSON]
    curl -sS --cacert "$ca/good.pem" -X POST -d "${2:-}" "$api/_/$1" >/dev/null
}

count() { # METHOD STATUS: how often a Secret was requested so
    curl -sS --cacert "$ca/good.pem" "$api/_/count/secrets/$1/$2"
}

get() { # PATH
    curl -sS --cacert "$ca/good.pem" -H 'Authorization: Bearer cluster-token' "$api$1"
}

field() { # NAME: of the one-line JSON in stdin, base64
    grep -o "\"$1\": \"[^\"]*\"" | head -n 1 | sed 's/.*: "//; s/"$//' | base64 -d
}

secret_path() { echo "/api/v1/namespaces/curfew-system/secrets/$1"; }
webhooks_path() { echo "/apis/admissionregistration.k8s.io/v1/${2:-validating}webhookconfigurations/$1"; }

serial() { openssl x509 -noout -serial | sed 's/.*=//'; }
in_secret() { get "$(secret_path "$1")" | field tls.crt | serial; }
served() { # PORT
    timeout 10 openssl s_client -connect "127.0.0.1:$1" </dev/null 2>/dev/null | serial
}
bundle() { get "$(webhooks_path "$1" "${2:-validating}")" | field caBundle; }

webhooks() { # NAME [KIND]: makes one, with two webhooks that are called as the Service NAME
    control "object$(webhooks_path "$1" "${2:-validating}")" "{\"metadata\":{\"name\":\"$1\"},\"webhooks\":[
        {\"name\":\"a.curfew.dev\",\"failurePolicy\":\"Fail\",\"clientConfig\":{\"service\":{\"name\":\"$1\",\"namespace\":\"curfew-system\",\"path\":\"/validate\"}}},
        {\"name\":\"b.curfew.dev\",\"clientConfig\":{\"service\":{\"name\":\"$1\",\"namespace\":\"curfew-system\"},\"caBundle\":\"eA==\"}}]}"
}

# replica LOG SECRET [FLAG...]: starts a server that reads SECRET.
replica() {
    local log="$1" name="$2"
    shift 2
    serve "$log" --kubeconfig "$work/server" --tls-secret "curfew-system/$name" "$@"
    replica=$pid
}

# rotator LOG SECRET [FLAG...]: starts a rotator for SECRET and the webhook configuration with that name.
rotator() {
    local log="$1" name="$2"
    shift 2
    launch "$log" "$curfew" certs run --kubeconfig "$work/admin" --secret "curfew-system/$name" \
        --webhook-configuration "$name" --probe-listen 127.0.0.1:0 "$@"
    rotator=$pid
}

# serving LOG: waits until a server has a certificate; sets $port, $probes and $plain.
serving() {
    listening "$1" && logged "$1" 'serving the certificate from the Secret' || {
        fail 'a replica serves' "$(cat "$1")"
        exit 1
    }
}

# keeping LOG: waits, and sets $rotator_probes.
keeping() {
    logged "$1" 'rotating the certificate' || {
        fail 'a rotator runs' "$(cat "$1")"
        exit 1
    }
    rotator_probes=$(port_in "$1" probeAddress)
}

status_of() { curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$1"; } # PORT/PATH
answers() { [ "$(status_of "$1")" = "$2" ]; }

# probe NAME PORTS: starts to connect to the ports as the Service NAME.
probe() {
    rm -f "$work/stop.$1"
    python3 "$here/prober.py" --api "$api" --api-ca "$ca/good.pem" --path "$(webhooks_path "$1")" \
        --name "$1.curfew-system.svc" --ports "$2" --stop "$work/stop.$1" >"$work/probe.$1" 2>&1 &
    prober=$!
    pids="$pids $prober"
}

# probed CASE NAME PID: stops it; no handshake failed.
probed() {
    touch "$work/stop.$2"
    wait "$3"
    equal "$1" 'some handshakes, 0 failed' "$(cat "$work/probe.$2")"
}

# in_order NAME: every leaf was trusted by the bundle of each webhook before the Secret contained it.
in_order() {
    local trusted="$work/trusted.pem" wrong=0 leaves=0
    : >"$trusted"
    for file in "$work/history"/*-"$1.json"; do
        case $file in
        *webhookconfigurations*) field caBundle <"$file" >"$trusted" ;;
        *)
            field tls.crt <"$file" >"$work/leaf.pem"
            openssl x509 -in "$work/leaf.pem" -noout 2>/dev/null || continue # broken by the test
            leaves=$((leaves + 1))
            [ "$leaves" -le 1 ] || openssl verify -CAfile "$trusted" -partial_chain -no_check_time \
                "$work/leaf.pem" >/dev/null 2>&1 || wrong=$((wrong + 1))
            ;;
        esac
    done
    [ "$leaves" -gt 1 ] && echo "$wrong wrong" || echo 'too few'
}

# short_life: starts a rotator whose certificate and authority expire during the other tests (certs_end.sh).
short_life() {
    webhooks short
    rotator "$work/short.rotator.log" short --cert-lifetime 30s --ca-lifetime 90s
    short_rotator=$rotator
    replica "$work/short.log" short
    short=$replica
    serving "$work/short.log"
    short_port=$port
    wait_until 30 sh -c "curl -sS --cacert '$ca/good.pem' -H 'Authorization: Bearer cluster-token' \
        '$api$(webhooks_path short)' | grep -q '\"caBundle\": \"LS0'" ||
        fail 'the caBundle is written' "$(cat "$work/short.log")"
    probe short "$short_port"
    short_prober=$prober
}

# at_the_end: checks what holds at the end of each lane.
at_the_end() {
    equal 'no server sent a request that its role does not allow' 0 \
        "$(curl -sS --cacert "$ca/good.pem" "$api/_/trespasses")"
    lacks 'no log contains a key' 'PRIVATE KEY\|cluster-token' "$(cat "$work"/*.log)"
}
