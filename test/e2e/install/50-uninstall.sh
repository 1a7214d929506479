# SPDX-License-Identifier: Apache-2.0
# 50-uninstall.sh - it goes, and leaves nothing that stops anybody.
# shellcheck shell=bash

scenario 'uninstall: pods can be created, and nothing of it is left'
check 'the README says how' grep -q '`helm uninstall curfew --namespace curfew-system`' README.md
shell helm uninstall curfew --namespace $system
dev run after -n ci --image=localhost/curfew-e2e:1 --restart=Never --dry-run=server
prints 'pod/after created'
unguarded
admin get mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings,clusterroles,clusterrolebindings -l $selector
said_is 'No resources found'
check 'its pods end' await 120 'the end of the pods' no_pods
admin get all,configmaps,serviceaccounts,roles,rolebindings -n $system -l $selector
said_is "No resources found in $system namespace."
