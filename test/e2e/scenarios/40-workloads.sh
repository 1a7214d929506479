# SPDX-License-Identifier: Apache-2.0
# 40-workloads.sh - templates are never denied or changed: their author is warned, their pods are reviewed.
# shellcheck shell=bash

deployment() { # NAME ACCOUNT SECRET
    cat << END
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      serviceAccountName: $2
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: localhost/curfew-e2e:1
        volumeMounts: [{name: tok, mountPath: /tok}]
      volumes:
      - name: tok
        secret: {secretName: $3}
END
}

scenario 'a Deployment causes a warning when it is applied, and its pods are repaired and run'
dev apply -f - <<< "$(deployment front web web-token)"
prints 'Warning: deployment "front" would violate Curfew level "restricted": legacy-token-mount: volume "tok" mounts Secret "web-token", a token that never expires'
prints 'deployment.apps/front created'
dev rollout status -n shop deployment/front --timeout=180s
prints 'successfully rolled out'
dev exec -n shop deployment/front -- token-life /tok/token
said_is 3600
dev exec -n shop deployment/front -- token-life /var/run/secrets/kubernetes.io/serviceaccount/token
said_is 3600

scenario 'the template is unchanged: applying it again changes nothing, and there is no diff'
dev get deployment front -n shop -o jsonpath='{.spec.template.spec.volumes[0].secret.secretName}'
said_is web-token
dev apply -f - <<< "$(deployment front web web-token)"
prints 'deployment.apps/front unchanged'
dev diff -f - <<< "$(deployment front web web-token)"

scenario 'a Deployment whose pods are denied: the first line of the event has the reason'
dev apply -f - <<< "$(deployment worker web api-token)"
prints 'Warning: deployment "worker" would violate Curfew level "restricted": legacy-token-mount'
prints 'deployment.apps/worker created'
until_it_prints 'Error creating: admission webhook "validate.curfew.dev" denied the request: pod of "worker" violates Curfew level "restricted": legacy-token-mount: volume "tok" mounts Secret "api-token", a token that never expires' \
    dev get events -n shop --field-selector reason=FailedCreate
prints_not 'do this'
until_it_prints 'do this: set serviceAccountName: api' dev get deployment worker -n shop -o yaml
dev delete deployment worker -n shop

scenario 'a CronJob causes a warning, its Job does not, and its pod is repaired and runs'
dev apply -f - << 'END'
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate:
    spec:
      template:
        spec:
          serviceAccountName: web
          restartPolicy: Never
          containers:
          - name: main
            image: localhost/curfew-e2e:1
            command: [token-life, /tok/token]
            volumeMounts: [{name: tok, mountPath: /tok}]
          volumes:
          - name: tok
            secret: {secretName: web-token}
END
prints 'Warning: cronjob "nightly" would violate Curfew level "restricted": legacy-token-mount'
prints 'cronjob.batch/nightly created'
dev create job -n shop now --from=cronjob/nightly
dev wait -n shop --for=condition=Complete job/now --timeout=180s
dev logs -n shop job/now
said_is 3600
