# SPDX-License-Identifier: Apache-2.0
# 20-legacy-mount.sh - pods that mount a legacy Secret: the token of their own account is replaced, with the
# same files; the token of another account is denied, with a remedy.
# shellcheck shell=bash

# pod NAME ACCOUNT SECRET [MORE]: MORE is added to the volume.
pod() {
    cat << END
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: shop}
spec:
  serviceAccountName: $2
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    volumeMounts: [{name: tok, mountPath: /tok}]
  volumes:
  - name: tok
    secret: {secretName: $3${4:+, $4}}
END
}

scenario 'a pod with the legacy token of its own account is repaired, and runs'
dev apply -f - <<< "$(pod web web web-token)"
said_is 'Warning: pod "web": legacy-token-mount: volume "tok" now holds a token of 3600 s in place of Secret "web-token"; other keys of the Secret are not in it: the client must re-read the file; applying it again unchanged will fail
pod/web created'
dev wait -n shop --for=condition=Ready pod/web --timeout=180s
dev get pod web -n shop -o jsonpath='{.metadata.annotations.curfew\.dev/fixed}'
said_is legacy-token-mount
dev get pod web -n shop -o jsonpath='{.spec.volumes[*].secret.secretName}'
said_is ''

scenario 'applying the manifest again unchanged is denied, as the warning says'
dev apply -f - <<< "$(pod web web web-token)"
fails
prints 'The Pod "web" is invalid'
prints 'pod updates may not change fields'

scenario 'the token expires within the hour, and the API server accepts it'
dev exec -n shop web -- token-life /tok/token
said_is 3600
dev exec -n shop web -- cat /tok/token
becomes pod
person pod auth whoami
prints 'system:serviceaccount:shop:web'
prints 'authentication.kubernetes.io/pod-name'
prints 'JTI='

# The files that the container sees in "old", from before Curfew was installed, and in "web".
scenario 'the other files have the same contents and modes'
dev exec -n shop old -- sh -c 'cd /tok && ls && sha256sum ca.crt namespace && stat -L -c "%a %u:%g" *'
before=$said
prints 'ca.crt'
dev exec -n shop web -- sh -c 'cd /tok && ls && sha256sum ca.crt namespace && stat -L -c "%a %u:%g" *'
said_is "$before"

scenario 'a volume with only the token, under another name and readable only by its owner'
dev apply -f - <<< "$(pod items web web-token 'defaultMode: 0400, items: [{key: token, path: api/key}]')"
prints 'pod/items created'
dev wait -n shop --for=condition=Ready pod/items --timeout=180s
dev exec -n shop items -- sh -c 'ls /tok && stat -L -c %a /tok/api/key && token-life /tok/api/key'
said_is 'api
400
3600'

scenario 'the legacy token of another account is denied, with a remedy'
dev apply -f - <<< "$(pod thief web api-token)"
refused 'pod "thief" violates Curfew level "restricted": legacy-token-mount: volume "tok" mounts Secret "api-token", a token that never expires'
prints 'spec.volumes[0].secret.secretName: Secret "api-token" belongs to ServiceAccount "api", but the pod runs as "web"'
prints 'do this: set serviceAccountName: api, or give "web" the permissions it needs, and use a projected volume with a serviceAccountToken source instead of the Secret: the pod mounts no other token'
prints 'curfew review --level restricted --objects - -f FILE (FILE is the manifest of "thief")'

scenario 'the Secret is unchanged'
dev get secret web-token -n shop -o jsonpath='{.type}'
said_is kubernetes.io/service-account-token
