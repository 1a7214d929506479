# SPDX-License-Identifier: Apache-2.0
# 65-sidecar.sh - a service mesh injects its sidecar after Curfew has reviewed the pod.
# shellcheck shell=bash

certs=$E2E_WORK/curfew-certs

answers() {
    curl -s --cacert "$certs/ca.crt" https://127.0.0.1:9443/
}

# The API server calls webhooks in the order of their names: mesh after curfew.
mesh() {
    cat << END
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: mesh}
webhooks:
- name: inject.mesh.example
  clientConfig: {url: "https://127.0.0.1:9443/", caBundle: $(base64 -w0 < "$certs/ca.crt")}
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  objectSelector: {matchLabels: {mesh: enabled}}
  rules:
  - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
END
}

pod() { # NAME
    cat << END
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: shop, labels: {mesh: enabled}}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  containers:
  - {name: main, image: "localhost/curfew-e2e:1"}
END
}

scenario 'a sidecar with a token of twelve hours gets one of an hour, and is not denied'
start mesh python3 test/e2e/mesh.py "$certs/tls.crt" "$certs/tls.key"
await_service mesh 10 answers
admin apply -f - <<< "$(mesh)"
dry_run() {
    dev create --dry-run=server -o yaml -f - <<< "$(pod probe)"
}
until_it_prints mesh-token dry_run
dev apply -f - <<< "$(pod meshed)"
prints 'Warning: pod "meshed": token-lifetime: '
prints 'pod/meshed created'
dev wait -n shop --for=condition=Ready pod/meshed --timeout=180s
dev exec -n shop meshed -- token-life /mesh/token
said_is 3600
admin delete mutatingwebhookconfiguration mesh
stop mesh
