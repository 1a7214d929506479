# SPDX-License-Identifier: Apache-2.0
# 60-manifests.sh - installs without `helm install`: rendered and applied as GitOps does, and the plain
# manifests.
# shellcheck shell=bash

# versions: the resource versions of the objects that Curfew writes.
versions() {
    as admin get mutatingwebhookconfigurations,validatingwebhookconfigurations -l $selector \
        -o jsonpath='{.items[*].metadata.resourceVersion}'
}
trusted() {
    ! grep -q '^$' <<< "$(bundles)"
}
available() {
    admin rollout status -n $system deployment/curfew --timeout=180s
    guarded
    check 'every caBundle is written' await 30 'caBundles' trusted
}

scenario 'manifests: rendering and applying the chart installs Curfew'
shell helm uninstall curfew --namespace $system --ignore-not-found
check 'its pods end' await 60 'the end of the pods' no_pods
admin delete namespace $system
# The commands write curfew.yaml in the current directory.
mkdir -p "$E2E_WORK/elsewhere"
ln -sfn "$PWD/charts" "$E2E_WORK/elsewhere/charts"
shell "cd $E2E_WORK/elsewhere && $(without_helm 1)"
available

scenario 'manifests: applying again, also server-side, changes nothing'
was=$(versions) pods=$(pods) trusted=$(bundles)
shell kubectl apply -f "$E2E_WORK/elsewhere/curfew.yaml"
check 'the webhooks are unchanged' [ "$(versions)" = "$was" ]
shell kubectl apply --server-side --field-manager=gitops --force-conflicts -f "$E2E_WORK/elsewhere/curfew.yaml"
was=$(versions)
shell kubectl apply --server-side --field-manager=gitops -f "$E2E_WORK/elsewhere/curfew.yaml"
check 'the webhooks are unchanged' [ "$(versions)" = "$was" ]
check 'the caBundles are unchanged' [ "$(bundles)" = "$trusted" ]
check 'the pods are the same' [ "$(pods)" = "$pods" ]
shell kubectl delete -f "$E2E_WORK/elsewhere/curfew.yaml"
check 'its pods end' await 60 'the end of the pods' no_pods
admin delete namespace $system

scenario 'manifests: the plain manifests install Curfew without Helm'
shell "$(without_helm 2)"
available
was=$(versions)
shell "$(without_helm 2)"
check 'applied again, the webhooks are unchanged' [ "$(versions)" = "$was" ]
shell "$(without_helm 2 | sed 's/apply/delete/') --wait=false"
unguarded
check 'its pods end' await 60 'the end of the pods' no_pods
admin wait --for=delete "namespace/$system" --timeout=180s
