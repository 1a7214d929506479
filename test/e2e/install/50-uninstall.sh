# SPDX-License-Identifier: Apache-2.0
# 50-uninstall.sh - uninstalls Curfew, and checks that nothing blocks requests afterwards.
# shellcheck shell=bash

scenario 'uninstall: pods can be created, and no object of Curfew is left'
check 'the README has the command' grep -q '`helm uninstall curfew --namespace curfew-system`' README.md
shell helm uninstall curfew --namespace $system
dev run after -n ci --image=localhost/curfew-e2e:1 --restart=Never --dry-run=server
prints 'pod/after created'
unguarded
admin get mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings,clusterroles,clusterrolebindings -l $selector
said_is 'No resources found'
check 'its pods end' await 120 'the end of the pods' no_pods
admin get all,configmaps,serviceaccounts,roles,rolebindings -n $system -l $selector
said_is "No resources found in $system namespace."
