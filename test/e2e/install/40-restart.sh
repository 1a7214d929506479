# SPDX-License-Identifier: Apache-2.0
# 40-restart.sh - the whole cluster with Curfew installed is switched off and on.
# shellcheck shell=bash

restarts() {
    as admin get pods -n $system -l $selector -o jsonpath='{.items[*].status.containerStatuses[0].restartCount}'
}
restarted() {
    ! grep -qw 0 <<< "$(restarts)" && settled 2
}

scenario 'restart: the cluster and Curfew start again automatically'
dev run lives -n ci --image=localhost/curfew-e2e:1 --overrides='{"spec": {"terminationGracePeriodSeconds": 1}}'
dev wait -n ci --for=condition=Ready pod/lives --timeout=180s
before=$(pods)
check 'the cluster stops' cluster_falls
check 'the cluster starts' cluster_rises
check 'both replicas are ready again' await 180 'two replicas' restarted
check 'they are the same pods' [ "$(pods)" = "$before" ]
guarded
dev wait -n ci --for=condition=Ready pod/lives --timeout=180s
dev run new -n ci --image=localhost/curfew-e2e:1 --overrides='{"spec": {"terminationGracePeriodSeconds": 1}}'
dev wait -n ci --for=condition=Ready pod/new --timeout=180s
dev delete pod lives new -n ci

scenario 'restart: the cluster and Curfew start again after its pods were deleted'
admin scale deployment curfew -n $system --replicas=0
check 'no pod is left' await 120 'the end of the pods' no_pods
check 'the cluster stops' cluster_falls
check 'the cluster starts' cluster_rises
admin scale deployment curfew -n $system --replicas=2
check 'both replicas are ready' await 180 'two replicas' settled 2
guarded
