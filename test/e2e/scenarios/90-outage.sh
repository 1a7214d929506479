# SPDX-License-Identifier: Apache-2.0
# 90-outage.sh - Curfew is down: with failurePolicy Ignore requests pass, with Fail the selected ones wait.
# shellcheck shell=bash

pod() { # NAME
    cat << END
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: shop}
spec:
  serviceAccountName: web
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    volumeMounts: [{name: tok, mountPath: /tok}]
  volumes:
  - {name: tok, secret: {secretName: web-token}}
END
}

# failure_policy POLICY: sets the failurePolicy of the validating webhook.
failure_policy() {
    admin patch validatingwebhookconfiguration curfew --type=json \
        -p '[{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "'"$1"'"}]'
}

scenario 'Ignore: pods still start, without repair'
curfew_stop
dev apply -f - <<< "$(pod during-ignore)"
said_is 'pod/during-ignore created'
dev wait -n shop --for=condition=Ready pod/during-ignore --timeout=180s

scenario 'Fail: pods wait until Curfew is back, except in kube-system and by kubelets'
failure_policy Fail
dry_run() {
    dev create --dry-run=server -f - <<< "$(pod during-fail)"
}
until_it_prints 'failed calling webhook "validate.curfew.dev"' dry_run
dev apply -f - <<< "$(pod during-fail)"
fails
prints 'Error from server (InternalError)'
admin create configmap anything -n shop
admin create token default -n kube-system
dev label secret web-token -n shop team=shop --overwrite
fails
dev create secret generic other -n shop --from-literal=a=b
said_is 'secret/other created'

scenario 'Curfew is back and enforces immediately'
curfew_start
dev apply -f - <<< "$(pod after)"
prints 'Warning: pod "after": legacy-token-mount: '
prints 'pod/after created'
failure_policy Ignore
