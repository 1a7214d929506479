# SPDX-License-Identifier: Apache-2.0
# 20-under-load.sh - creates many pods per second while Curfew changes or restarts: no request may fail.
# shellcheck shell=bash

# served ADDRESS WHAT: the serial number or the issuer of the certificate that the address serves.
served() {
    openssl s_client -connect "$1:8443" < /dev/null 2> /dev/null | openssl x509 -noout "-$2"
}
one_serves() { # WHAT
    served "$(as admin get pods -n $system -l $selector -o jsonpath='{.items[0].status.podIP}')" "$1"
}
# all_serve WHAT: all replicas serve the same value, and it is not `was`.
all_serve() {
    local address all=
    for address in $(as admin get pods -n $system -l $selector -o jsonpath='{.items[*].status.podIP}'); do
        all+=$(served "$address" "$1")$'\n'
    done
    [ "$(printf %s "$all" | sort -u | wc -l)" = 1 ] && ! grep -qxF -- "$was" <<< "$all"
}
renew() {
    "$CURFEW" certs renew --secret $system/curfew-tls --kubeconfig "$certs/admin.kubeconfig" \
        --webhook-configuration curfew "$@" >> "$E2E_WORK/log/renew.log" 2>&1
}

scenario 'load: the certificate and then its authority are renewed, and no request fails'
load_starts
was=$(one_serves serial)
check 'curfew certs renew' renew
check 'all replicas serve the new certificate' await 120 'new certificate' all_serve serial
was=$(one_serves issuer)
check 'curfew certs renew --ca' renew --ca
check 'all replicas serve a certificate of the new authority' await 120 'new authority' all_serve issuer
goes_on 400
was=$(one_serves issuer)
admin delete secret curfew-tls -n $system
check 'the rotator restores a deleted Secret with a new authority' await 120 'new authority' all_serve issuer
no_failures

rotators() {
    [ "$(as admin get pods -n $system -l app.kubernetes.io/name=curfew-rotator -o name | wc -l)" = "$1" ]
}

scenario 'load: the Secret is deleted while the rotator is down, and no request fails'
load_starts
admin scale -n $system deployment/curfew-rotator --replicas=0
check 'the rotator ends' await 60 'no rotator' rotators 0
was=$(one_serves serial)
check 'curfew certs renew' renew
check 'all replicas serve the new certificate' await 120 'new certificate' all_serve serial
was=$(one_serves issuer)
admin delete secret curfew-tls -n $system
goes_on 400
check 'replicas still serve the deleted certificate' [ "$(one_serves issuer)" = "$was" ]
admin scale -n $system deployment/curfew-rotator --replicas=2
check 'all replicas serve a certificate of a new authority' await 120 'new authority' all_serve issuer
admin scale -n $system deployment/curfew-rotator --replicas=1
no_failures

scenario 'load: a rolling restart, and no request fails'
load_starts
before=$(pods)
admin rollout restart -n $system deployment/curfew
admin rollout status -n $system deployment/curfew --timeout=180s
check 'the old pods end' await 120 'two replicas' settled 2
check 'the pods were replaced' [ "$(pods)" != "$before" ]
no_failures

scenario 'load: scaling from two replicas to one, three and two, and no request fails'
load_starts
for replicas in 1 3 2; do
    admin scale -n $system deployment/curfew --replicas=$replicas
    check "scaled to $replicas" await 120 "$replicas replicas" settled $replicas
    goes_on 200
done
no_failures

scenario 'load: an upgrade of most values, a failed upgrade and a rollback, and no request fails'
load_starts
before=$(pods)
upgrade --set replicaCount=3,server.containerPort=10250,server.metricsPort=9090,server.log.level=debug \
    --set webhooks.timeoutSeconds=5,podAnnotations.example=yes,config.defaults.warn=baseline \
    --set webhooks.contents.enabled=true,priorityClassName=
check 'the old pods end' await 120 'three replicas' settled 3
check 'the pods were replaced' [ "$(pods)" != "$before" ]
guarded
goes_on 400
before=$(pods)
typed='helm upgrade --atomic, to an image that there is not'
settle
said=$(in_a_shell "helm upgrade curfew charts/curfew --namespace $system --atomic --timeout 15s --reuse-values \
    --set image.tag=none,webhooks.timeoutSeconds=9" 2>&1)
status=$?
fails
admin get mutatingwebhookconfiguration curfew -o jsonpath='{.webhooks[0].timeoutSeconds}'
said_is 5
check 'the pods of the failed upgrade end' await 120 'three replicas' settled 3
check 'the pods are the same' [ "$(pods)" = "$before" ]
shell helm rollback curfew 1 --namespace $system --wait
check 'the old pods end' await 120 'two replicas' settled 2
check 'the pods were replaced' [ "$(pods)" != "$before" ]
guarded
no_failures

# ---- a replica is killed or deleted ----

# endpoints_watched: writes a line to $E2E_WORK/endpoints, with the time, for each change of the endpoints.
endpoints_watched() {
    as admin get endpointslices -n $system -l kubernetes.io/service-name=curfew -w \
        -o 'jsonpath={.endpoints[?(@.conditions.ready==true)].targetRef.name}{"\n"}' |
        while read -r line; do
            echo "$EPOCHREALTIME $line "
        done > "$E2E_WORK/endpoints"
}
# left_out NAME SINCE: the time of the first change after SINCE without this pod.
left_out() {
    awk -v pod="$1 " -v since="$2" '$1 > since && !index($0 " ", " " pod) { print $1; exit }' "$E2E_WORK/endpoints"
}
was_left_out() {
    [ -n "$(left_out "$@")" ]
}
# failed_later TIME: the failures of requests that were sent at least a second after that time.
failed_later() {
    awk -v time="$1" '$1 > time + 1' "$load/failures"
}
# lose_pod HOW...: applies HOW to the first pod. Only requests in flight to it, or sent while it was still
# an endpoint, may fail.
lose_pod() {
    local pod since gone failed
    pod=$(pods | head -n 1)
    since=$EPOCHREALTIME
    "$@" "$pod"
    check 'its endpoint is removed' await 60 'an endpoint less' was_left_out "${pod#pod/}" "$since"
    check 'both replicas are ready again' await 120 'two replicas' settled 2
    gone=$(left_out "${pod#pod/}" "$since")
    load_ends
    failed=$(failed_later "$gone")
    typed='requests that were sent at least a second after its endpoint was removed' said=$failed
    check 'no later request fails' [ -z "$failed" ]
}
killed() {
    local pid
    pid=$(process_of "$1")
    check 'it has a process' [ -n "$pid" ]
    kill -KILL "$pid"
    check 'it restarts' await 60 'a restart' was_restarted "$1"
}
was_restarted() {
    [ "$(as admin get -n $system "$1" -o jsonpath='{.status.containerStatuses[0].restartCount}')" = 1 ]
}
deleted() {
    admin delete -n $system "$1" --grace-period=0 --force
}

scenario 'load: the process of a replica is killed, and only requests in flight to it fail'
endpoints_watched &
load_starts
lose_pod killed

scenario 'load: a replica is deleted without a grace period, and only requests in flight to it fail'
load_starts
lose_pod deleted
