# SPDX-License-Identifier: Apache-2.0
# 70-callers.sh - the API server authenticates to Curfew (deploy/admission), and other callers are rejected:
# through the Service, and at the url of a Curfew outside the cluster.
# shellcheck shell=bash

folder=$callers_folder

scenario 'callers: the API server gets its credentials as in the example'
shell helm uninstall curfew --namespace $system --ignore-not-found
admin create namespace $system --dry-run=client -o yaml
check 'the namespace exists' in_a_shell "kubectl get namespace $system || kubectl create namespace $system"
mkdir -p "$folder"
shell "cd $folder && $(callers_commands)"
callers_of curfew.curfew-system.svc 127.0.0.1:8443
halt apiserver
up_apiserver

scenario 'callers: through the Service, with a client certificate'
shell helm install curfew charts/curfew --namespace $system --wait --timeout 3m \
    --set callers.clientCA.configMap=apiserver-ca --set "'callers.clientCA.names={kube-apiserver}'"
guarded
check 'the old pods end' await 120 'two replicas' settled 2
pod=$(as admin get pods -n $system -l $selector -o jsonpath='{.items[0].status.podIP}')
call_as() {
    typed="curl https://$pod:8443/validate $*"
    said=$(curl -sk -m 10 -w '%{http_code}' -H 'Content-Type: application/json' -d '{}' "$@" "https://$pod:8443/validate" 2>&1)
}
settle
call_as
prints_not 200
prints_not 400
call_as --cert "$certs/admin.pem" --key "$certs/admin.key" # of another authority
prints_not 200
prints_not 400
call_as --cert "$folder/client.crt" --key "$folder/client.key"
prints 400
shell helm uninstall curfew --namespace $system

scenario 'callers: a Curfew outside the cluster, at its url'
check 'it has its permissions' readme_rights
sh certs/make-dev-certs.sh "$E2E_WORK/curfew-certs" > "$E2E_WORK/log/curfew-certs.log" 2>&1
start outside "$CURFEW" serve --kubeconfig "$certs/curfew.kubeconfig" \
    --tls-cert "$E2E_WORK/curfew-certs/tls.crt" --tls-key "$E2E_WORK/curfew-certs/tls.key" \
    --client-ca "$folder/ca.crt" --client-name kube-apiserver \
    --listen 127.0.0.1:8443 --probe-listen 127.0.0.1:8081 --metrics-listen 127.0.0.1:8080 --drain-delay 0s
check 'it is ready' await 60 'readiness' curl -sf http://127.0.0.1:8081/readyz
shell helm install curfew charts/curfew --namespace $system --set server.enabled=false \
    --set webhooks.url=https://127.0.0.1:8443 --set-file "webhooks.caBundle=$E2E_WORK/curfew-certs/ca.crt"
guarded
pod=127.0.0.1
settle
call_as
prints_not 200
prints_not 400
shell helm uninstall curfew --namespace $system
unguarded
stop outside
halt apiserver
admission=()
up_apiserver
