# SPDX-License-Identifier: Apache-2.0
# 30-legacy-env.sh - a legacy token in the environment is denied, because variables are never renewed.
# shellcheck shell=bash

scenario 'envFrom of a legacy Secret is denied'
dev apply -f - << 'END'
apiVersion: v1
kind: Pod
metadata: {name: env, namespace: shop}
spec:
  serviceAccountName: web
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    envFrom: [{secretRef: {name: web-token}}]
END
refused 'pod "env" violates Curfew level "restricted": legacy-token-env: container "main" reads Secret "web-token", a token that never expires, into its environment'
prints 'spec.containers[0].envFrom[0].secretRef.name: the whole of legacy Secret "web-token" becomes variables of container "main"'
prints 'do this: read the mounted files, which are renewed: /var/run/secrets/kubernetes.io/serviceaccount/token, and ca.crt and namespace beside it'

scenario 'one key of a legacy Secret is denied, and the pod does not exist'
dev apply -f - << 'END'
apiVersion: v1
kind: Pod
metadata: {name: env, namespace: shop}
spec:
  serviceAccountName: web
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: web-token, key: token, optional: true}}}]
END
refused 'pod "env" violates Curfew level "restricted": legacy-token-env'
dev get pod env -n shop
fails
prints 'pods "env" not found'

scenario 'other Secrets are allowed in the environment'
dev create secret generic settings -n shop --from-literal=COLOUR=red
dev apply -f - << 'END'
apiVersion: v1
kind: Pod
metadata: {name: coloured, namespace: shop}
spec:
  serviceAccountName: web
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    envFrom: [{secretRef: {name: settings}}]
END
said_is 'pod/coloured created'
dev wait -n shop --for=condition=Ready pod/coloured --timeout=180s
dev exec -n shop coloured -- env
prints COLOUR=red

scenario 'an ephemeral container with a legacy token is denied'
export KUBECTL_DEBUG_CUSTOM_PROFILE=true # what --custom took before kubectl 1.32
echo '{"envFrom": [{"secretRef": {"name": "web-token"}}]}' > "$E2E_WORK/debugger.json"
dev debug -n shop coloured --image=localhost/curfew-e2e:1 --container=debugger --profile=general \
    --custom="$E2E_WORK/debugger.json"
refused 'pod "coloured" violates Curfew level "restricted": legacy-token-env: container "debugger" reads Secret "web-token"'

scenario 'an ephemeral container without it is allowed'
dev debug -n shop coloured --image=localhost/curfew-e2e:1 --container=debugger --profile=general
dev get pod coloured -n shop -o jsonpath='{.spec.ephemeralContainers[*].name}'
said_is debugger
