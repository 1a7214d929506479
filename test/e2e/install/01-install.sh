# SPDX-License-Identifier: Apache-2.0
# 01-install.sh - installs Curfew as in the README ("Install it"), from the image of `make image`.
# shellcheck shell=bash

scenario 'install: the helm commands of the README start both replicas'
check 'the image is imported' import_image
shell "$(install_step 2)"
admin get deployment curfew -n $system -o jsonpath='{.status.readyReplicas}'
said_is 2
admin label namespace $system pod-security.kubernetes.io/enforce=restricted
prints_not Warning

scenario 'install: Curfew denies a request through the Service'
guarded
prints 'do this: mount a projected serviceAccountToken volume'

scenario 'install: Curfew repairs a pod'
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

scenario 'install: helm test sends a review through the Service, over verified TLS'
check 'the Service has a pod' kube_proxy
shell "$(install_step 3)"
prints 'Phase:          Succeeded'
admin get pods -n $system
prints_not curfew-test
