# SPDX-License-Identifier: Apache-2.0
# 01-install.sh - as the README says ("Install it"), from the image of `make image`, on a fresh cluster.
# shellcheck shell=bash

scenario 'install: helm, word by word, and both replicas are ready'
check 'the image is imported' import_image
shell "$(install_step 2)"
admin get deployment curfew -n $system -o jsonpath='{.status.readyReplicas}'
said_is 2
admin label namespace $system pod-security.kubernetes.io/enforce=restricted
prints_not Warning

scenario 'install: a denial comes through the Service'
guarded
prints 'do this: mount a projected serviceAccountToken volume'

scenario 'install: a pod is repaired'
dev create --dry-run=server -f - -o jsonpath='{.spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds}' << 'END'
apiVersion: v1
kind: Pod
metadata: {name: old-style, namespace: shop}
spec:
  serviceAccountName: web
  automountServiceAccountToken: false
  containers: [{name: main, image: "localhost/curfew-e2e:1", volumeMounts: [{name: tok, mountPath: /tok}]}]
  volumes: [{name: tok, secret: {secretName: web-token}}]
END
prints 'Warning: pod "old-style": legacy-token-mount'
prints 3600

scenario 'install: helm test asks it, over its Service and verified TLS'
check 'the Service leads to a pod' kube_proxy
shell "$(install_step 3)"
prints 'Phase:          Succeeded'
admin get pods -n $system
prints_not curfew-test
