# SPDX-License-Identifier: Apache-2.0
# 30-backstop.sh - all replicas are down: what the backstop enforces, what waits, and how Curfew recovers.
# shellcheck shell=bash

scenario 'backstop: with all replicas down, a legacy Secret is denied with the same message'
upgrade --set validatingAdmissionPolicy.enabled=true
until_it_prints "ValidatingAdmissionPolicy 'curfew-secrets'" a_secret
admin scale deployment curfew -n $system --replicas=0
check 'no pod is left' await 120 'the end of the pods' no_pods
check 'no endpoint is left' await 60 'a Service without endpoints' endpoints 0
a_secret
fails
prints "ValidatingAdmissionPolicy 'curfew-secrets' with binding 'curfew-secrets' denied request: secret \"another\" violates Curfew level \"baseline\": legacy-token-secret"

scenario 'backstop: pods wait until Curfew is back, except in kube-system'
kept_waiting() {
    dev run waits -n ci --image=localhost/curfew-e2e:1 --restart=Never --dry-run=server
}
until_it_prints 'failed calling webhook "validate.curfew.dev"' kept_waiting
until_it_prints serviceaccount/default admin get serviceaccount default -o name -n kube-system
admin run goes -n kube-system --image=localhost/curfew-e2e:1 --restart=Never --dry-run=server
prints 'pod/goes created (server dry run)'

scenario 'backstop: Curfew recovers from zero replicas automatically'
admin scale deployment curfew -n $system --replicas=2
check 'both replicas are ready' await 120 'two replicas' settled 2
upgrade --set validatingAdmissionPolicy.enabled=false
guarded
