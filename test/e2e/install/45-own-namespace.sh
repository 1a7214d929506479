# SPDX-License-Identifier: Apache-2.0
# 45-own-namespace.sh - Curfew reviews requests in its own namespace, and recovers when all its pods are
# deleted, with failurePolicy Fail in every webhook that allows it. The last scenarios cover an account
# that is restricted by node.
# shellcheck shell=bash

scenario 'own namespace: every webhook has failurePolicy Fail'
upgrade --set webhooks.mutate.failurePolicy=Fail --set webhooks.contents.enabled=true \
    --set webhooks.contents.failurePolicy=Fail --set nodeBoundary.enabled=true
admin get mutatingwebhookconfigurations,validatingwebhookconfigurations -l $selector \
    -o jsonpath='{range .items[*].webhooks[*]}{.failurePolicy}:{.name}{"\n"}{end}'
prints_not Ignore:mutate
prints_not Ignore:contents
prints_not Ignore:node
guarded

# lost: deletes all pods at the same time, including the rotator, without draining.
lost() {
    as admin delete pods -n $system --all --grace-period=0 --force > /dev/null 2>&1 &&
        [ "$(pods)" != "$before" ]
}

scenario 'own namespace: all pods are deleted at the same time, and Curfew recovers'
before=$(pods)
check 'the pods are deleted' lost
check 'both replicas are ready again' await 180 'two replicas' settled 2
guarded

scenario 'own namespace: the Secret of the certificate is deleted too, and Curfew recovers'
before=$(pods)
admin delete secret curfew-tls -n $system
check 'the pods are deleted' lost
check 'both replicas are ready again' await 180 'two replicas' settled 2
guarded

scenario 'own namespace: a rolling restart, with all pods and with none'
before=$(pods)
admin rollout restart -n $system deployment/curfew
admin rollout status -n $system deployment/curfew --timeout=180s
check 'both replicas are ready' await 180 'two replicas' settled 2
check 'the pods were replaced' [ "$(pods)" != "$before" ]
admin scale deployment curfew -n $system --replicas=0
check 'no pod is left' await 120 'the end of the pods' no_pods
admin rollout restart -n $system deployment/curfew

scenario 'own namespace: without any pod, Helm can change the configuration, and Curfew recovers'
dev create configmap waits -n ci --from-literal=a=b --dry-run=server
fails
prints 'failed calling webhook "contents.curfew.dev"'
upgrade --reuse-values --set config.staleAfter=45s
check 'both replicas are ready' await 180 'two replicas' settled 2
admin get configmap curfew -n $system -o jsonpath='{.data}'
prints 'staleAfter: 45s'
guarded

# in_it NAME ACCOUNT: a pod in Curfew's namespace with a token of more than a day.
in_it() {
    cat << END
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: $system}
spec:
  serviceAccountName: $2
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
  volumes:
  - {name: tok, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 200000}}]}}
END
}
life() {
    admin create --dry-run=server -f - -o jsonpath='{.spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds}'
}

scenario 'own namespace: pods of other accounts are repaired, legacy Secrets are denied'
until_it_prints serviceaccount/default admin get serviceaccount default -o name -n $system
life <<< "$(in_it another default)"
prints 86400
life <<< "$(in_it own curfew)"
prints 200000
dev create -f - << END
apiVersion: v1
kind: Secret
metadata: {name: another, namespace: $system, annotations: {kubernetes.io/service-account.name: default}}
type: kubernetes.io/service-account-token
END
refused 'secret "another" violates Curfew level "baseline": legacy-token-secret'

scenario 'own namespace: setup of a node agent with admin rights that is restricted by node'
admin apply -f - << 'END'
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: agents, labels: {curfew.dev/enforce: privileged, curfew.dev/fix: privileged}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: agent, namespace: agents}}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: agents}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
  subjects: [{kind: ServiceAccount, name: agent, namespace: agents}]
END
until_it_prints configmap/kube-root-ca.crt admin get configmap kube-root-ca.crt -o name -n agents
admin apply -f - << 'END'
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: agents}
spec:
  serviceAccountName: agent
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "localhost/curfew-e2e:1"}]
END
admin wait -n agents --for=condition=Ready pod/agent --timeout=180s
admin exec -n agents agent -- cat /var/run/secrets/kubernetes.io/serviceaccount/token
becomes agent
person agent annotate configmap curfew -n $system agent=was-here --overwrite
admin annotate serviceaccount agent -n agents rbac.kubernetes.io/restricted-by-node=true

# outside ARGS: the request of the agent is denied with 403. Curfew's pods run on the agent's node, so its
# configuration is an object that pods on that node refer to.
outside() {
    person agent "$@"
    fails
    prints '(Forbidden)'
    prints 'denied the request: '
    prints 'violates Curfew: node-boundary: '
}
restricted() {
    person agent create secret generic new -n ci --from-literal=a=b --dry-run=server
    status=0
}
until_it_prints 'node-boundary: this account may not create secrets' restricted

scenario 'own namespace: the agent can read the configuration, but not write it or the certificate'
person agent get configmap curfew -n $system
outside patch configmap curfew -n $system --type=merge \
    -p '{"data": {"config.yaml": "exemptions: {usernames: [\"system:serviceaccount:agents:agent\"]}"}}'
prints "ConfigMap \"$system/curfew\" may only be read: it is in Curfew's own namespace"
outside delete configmap curfew -n $system
outside patch secret curfew-tls -n $system --type=merge -p '{"data": {"ca.crt": "YQ=="}}'
outside delete secret curfew-tls -n $system
admin get configmap curfew -n $system -o jsonpath='{.data}'
prints_not agents:agent

scenario 'own namespace: the agent cannot create Secrets, or tokens that never expire'
for kind in Secret ConfigMap; do
    outside create -f - << END
{"apiVersion": "v1", "kind": "$kind", "metadata": {"name": "x", "namespace": "$system"}}
END
done
person agent create -f - << END
apiVersion: v1
kind: Secret
metadata: {name: for-ever, namespace: $system, annotations: {kubernetes.io/service-account.name: curfew}}
type: kubernetes.io/service-account-token
END
fails
prints '(Forbidden)'
prints '.curfew.dev" denied the request: '
admin get secrets -n $system -o name
prints_not secret/x
prints_not for-ever

scenario 'own namespace: cleanup'
admin delete namespace agents --wait=false
admin delete clusterrolebinding agents
upgrade
guarded
