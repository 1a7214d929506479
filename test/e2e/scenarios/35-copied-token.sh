# SPDX-License-Identifier: Apache-2.0
# 35-copied-token.sh - tokens that never expire, copied to objects other than legacy Secrets.
# shellcheck shell=bash

scenario 'a legacy token in a variable of a pod is denied, and not shown'
admin get secret api-token -n shop -o go-template='{{.data.token | base64decode}}'
becomes leaked
dev run leak -n shop --image=localhost/curfew-e2e:1 \
    --env="TOKEN=$(cat "$E2E_WORK/certs/leaked.token")"
refused 'pod "leak" violates Curfew level "restricted": copied-token: '
prints_not eyJ

scenario 'a legacy token in a command or an annotation is denied'
dev run leak -n shop --image=localhost/curfew-e2e:1 --command -- \
    sh -c "echo $(cat "$E2E_WORK/certs/leaked.token")"
refused 'pod "leak" violates Curfew level "restricted": copied-token: '
prints_not eyJ
dev run leak -n shop --image=localhost/curfew-e2e:1 \
    --annotations="note=$(cat "$E2E_WORK/certs/leaked.token")"
refused 'pod "leak" violates Curfew level "restricted": copied-token: '
prints_not eyJ

scenario 'a legacy token in a new annotation of an existing pod is denied'
dev run plain -n shop --image=localhost/curfew-e2e:1 --overrides='{"spec": {"terminationGracePeriodSeconds": 1}}'
prints 'pod/plain created'
dev annotate pod plain -n shop "note=$(cat "$E2E_WORK/certs/leaked.token")"
refused 'pod "plain" violates Curfew level "restricted": copied-token: annotation "note" holds a copied token that never expires'
prints 'admission webhook "annotations.curfew.dev"'
prints_not eyJ
dev get pod plain -n shop -o jsonpath='{.metadata.annotations.note}'
said_is ''
dev annotate pod plain -n shop "note=$(base64 -w0 "$E2E_WORK/certs/leaked.token")"
refused 'pod "plain" violates Curfew level "restricted": copied-token: annotation "note" holds'

scenario 'it is also denied in a pod with more annotations than the API server checks'
{
    echo 'metadata:'
    echo '  annotations:'
    seq 10000 59999 | sed 's/.*/    "&": ""/'
} > "$E2E_WORK/many.yaml"
dev patch pod plain -n shop --type=merge --patch-file="$E2E_WORK/many.yaml"
prints 'pod/plain patched'
dev annotate pod plain -n shop "note=$(cat "$E2E_WORK/certs/leaked.token")"
refused 'pod "plain" violates Curfew level "restricted": copied-token: annotation "note" holds'
dev delete pod plain -n shop

scenario 'other annotations of pods are sent only if they are new and long, and an outage does not block them'
pods_reviewed() {
    curl -s http://127.0.0.1:8080/metrics |
        awk '/^curfew_reviews_total/ && /resource="pods"/ && /operation="UPDATE"/ { sum += $NF } END { print sum + 0 }'
}
dev run plain -n shop --image=localhost/curfew-e2e:1 --overrides='{"spec": {"terminationGracePeriodSeconds": 1}}'
dev wait -n shop --for=condition=Ready pod/plain --timeout=180s
before=$(pods_reviewed)
dev annotate pod plain -n shop cni.example.com/address=10.0.0.1/24
said_is 'pod/plain annotated'
dev label pod plain -n shop team=web
check 'neither annotation was sent' [ "$(pods_reviewed)" = "$before" ]
dev annotate pod plain -n shop "cni.example.com/id=$(printf '%064d' 7)"
said_is 'pod/plain annotated'
check 'a longer annotation was sent' [ "$(pods_reviewed)" -gt "$before" ]
before=$(pods_reviewed)
dev label pod plain -n shop team=api --overwrite
dev annotate pod plain -n shop cni.example.com/id-
check 'unchanged and removed annotations were not sent' [ "$(pods_reviewed)" = "$before" ]
curfew_stop
dev annotate pod plain -n shop "cni.example.com/id=$(printf '%064d' 8)"
said_is 'pod/plain annotated'
check 'the server starts again' curfew_start
dev delete pod plain -n shop

scenario 'the copy of a Secret that kubectl apply keeps is checked, its data is not'
copied_secret() {
    printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: copied, namespace: shop}\ndata: {token: %s}\n' \
        "$(base64 -w0 "$E2E_WORK/certs/leaked.token")"
}
dev create --dry-run=server -f - <<< "$(copied_secret)"
prints 'secret/copied created'
dev apply -f - <<< "$(copied_secret)"
refused 'secret "copied" violates Curfew level "restricted": copied-token: annotation "kubectl.kubernetes.io/last-applied-configuration" holds a copied token that never expires'
prints 'do this: take the token out of the manifest: kubectl apply keeps a copy of the manifest in this annotation (kubectl apply --server-side does not)'
prints_not eyJ
prints_not ZXlK
dev apply --server-side --dry-run=server -f - <<< "$(copied_secret)"
prints 'secret/copied serverside-applied'

scenario 'a token in the path of a probe or in attributes of a driver is denied'
pod_with() { # MEMBERS OF THE CONTAINER, VOLUMES
    cat << END
apiVersion: v1
kind: Pod
metadata: {name: leak, namespace: shop}
spec:
  containers: [{name: main, image: "localhost/curfew-e2e:1"$1}]
  volumes: [$2]
END
}
token=$(cat "$E2E_WORK/certs/leaked.token")
dev apply -f - <<< "$(pod_with ", livenessProbe: {httpGet: {port: 80, path: \"/?token=$token\"}}" '')"
refused 'pod "leak" violates Curfew level "restricted": copied-token: the path of the livenessProbe of container "main" holds'
dev apply -f - <<< "$(pod_with '' "{name: files, csi: {driver: files.example.com, volumeAttributes: {login: $token}}}")"
refused 'pod "leak" violates Curfew level "restricted": copied-token: key "login" of csi.volumeAttributes of volume "files" holds'
dev apply -f - <<< "$(pod_with '' "{name: files, flexVolume: {driver: example.com/files, options: {login: $token}}}")"
refused 'pod "leak" violates Curfew level "restricted": copied-token: key "login" of flexVolume.options of volume "files" holds'
token=
