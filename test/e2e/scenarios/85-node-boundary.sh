# SPDX-License-Identifier: Apache-2.0
# 85-node-boundary.sh - an account with cluster admin rights that is restricted by node: with its pod's token
# it may do everything on its node and nothing on others; with a legacy or an unbound token it may do
# nothing. node-2 is a Node object without a kubelet, with the pods of other users.
# shellcheck shell=bash

# The API server sends field selectors from 1.32 on, and uses this configuration version.
case $K8S in
1.30.* | 1.31.*) return 0 ;;
esac

# inside PERSON ARGS: runs kubectl as PERSON and must succeed. outside: the boundary denies it, at admission
# or at authorization.
inside() {
    person "$@"
}
outside() {
    person "$@"
    fails
    prints 'node-boundary: '
}
# The same, but denied at the given one of the two.
outside_by_authorization() {
    person "$@"
    fails
    prints ': curfew: node-boundary: '
}
outside_by_admission() {
    person "$@"
    fails
    prints '.curfew.dev" denied the request: '
    prints 'violates Curfew: node-boundary: '
}

# pod NAME NODE ACCOUNT SECRET CONFIGMAP [MORE]
pod() {
    cat << END
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: agents}
spec:
  nodeName: $2
  serviceAccountName: $3
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: localhost/curfew-e2e:1
    envFrom: [{secretRef: {name: $4}}]
  volumes:
  - {name: config, configMap: {name: $5}}${6:+
  - $6}
END
}

claim_and_volume() { # NAME: bound to each other
    cat << END
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv-$1}
spec:
  capacity: {storage: 1Mi}
  accessModes: [ReadWriteOnce]
  storageClassName: none
  hostPath: {path: /tmp}
  claimRef: {namespace: agents, name: data-$1}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-$1, namespace: agents}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: none
  volumeName: pv-$1
  resources: {requests: {storage: 1Mi}}
END
}

scenario 'boundary: setup of node agents with admin rights, on two nodes'
admin apply -f - << 'END'
apiVersion: v1
kind: Namespace
metadata:
  name: agents
  labels: {curfew.dev/enforce: privileged, curfew.dev/fix: privileged, curfew.dev/warn: privileged}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: agent, namespace: agents}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: plain, namespace: agents}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: agents}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
- {kind: ServiceAccount, name: agent, namespace: agents}
- {kind: ServiceAccount, name: plain, namespace: agents}
---
apiVersion: v1
kind: Node
metadata: {name: node-2}
---
apiVersion: v1
kind: Secret
metadata: {name: agent-legacy, namespace: agents, annotations: {kubernetes.io/service-account.name: agent}}
type: kubernetes.io/service-account-token
END
for name in own foreign shared late; do
    admin create secret generic "$name" -n agents --from-literal=key="$name"
    admin create configmap "$name" -n agents --from-literal=key="$name"
done
until_it_prints configmap/kube-root-ca.crt admin get configmap kube-root-ca.crt -o name -n agents
admin apply -f - <<< "$(claim_and_volume 1)"
admin apply -f - <<< "$(claim_and_volume 2)"
claim() {
    echo "{name: data, persistentVolumeClaim: {claimName: data-$1}}"
}
until_it_prints Bound admin get pvc data-1 -n agents
admin apply -f - <<< "$(pod agent node-1 agent own own)"
admin apply -f - <<< "$(pod plain node-1 plain own own)"
admin apply -f - <<< "$(pod sibling node-1 plain shared shared "$(claim 1)")"
admin apply -f - <<< "$(pod agent-2 node-2 agent own own)"
admin apply -f - <<< "$(pod foreign node-2 plain foreign foreign "$(claim 2)")"
admin apply -f - <<< "$(pod sharing node-2 plain shared shared)"
admin wait -n agents --for=condition=Ready pod/agent pod/plain --timeout=180s

scenario 'boundary: their tokens: of the pod, unbound (from before the restriction), and legacy'
token=/var/run/secrets/kubernetes.io/serviceaccount/token
admin exec -n agents agent -- cat $token
becomes agent
admin exec -n agents plain -- cat $token
becomes plain
admin create token agent -n agents
becomes unbound
until_it_prints ZXlK admin get secret agent-legacy -n agents -o jsonpath='{.data.token}'
said=$(base64 -d <<< "$said")
becomes legacy
person agent auth whoami
prints authentication.kubernetes.io/node-name

# The responses to an account without the restriction, to compare before and after.
questions() {
    local out
    for what in 'get configmap foreign -n agents -o json' 'get pods -A -o name' \
        'get nodes -o name' 'get secret no-such -n agents' 'get events -n no-such' \
        'auth can-i delete pods -n agents' 'create configmap own -n agents' \
        'create configmap tried -n agents --dry-run=server -o name' \
        'delete pod sharing -n agents --dry-run=server'; do
        # shellcheck disable=SC2086 # words
        out=$(kubectl --kubeconfig "$E2E_WORK/certs/plain.kubeconfig" $what 2>&1)
        printf '%s\n%s %s\n' "$what" $? "$out"
    done
}
answers_before=$(questions)

scenario 'boundary: without the restriction, the account may do everything'
inside agent get secret foreign -n agents
inside agent label node node-2 was=touched

scenario 'boundary: /authorize rejects unauthenticated callers'
unauthenticated() {
    said=$(curl -s --cacert "$E2E_WORK/curfew-certs/ca.crt" -w '%{http_code}' -H 'Content-Type: application/json' \
        -d '{}' https://127.0.0.1:8443/authorize 2>&1)
}
typed='curl /authorize'
unauthenticated
prints 'authenticated callers only'
prints 403

scenario 'boundary: the admin restricts the account, and configures authorization as in the example'
admin annotate serviceaccount agent -n agents rbac.kubernetes.io/restricted-by-node=true
check 'the API server accepts the example' authorizers NoOpinion
closed() {
    person agent get secret foreign -n agents
}
until_it_prints 'no pod on node "node-1" refers to Secret "agents/foreign"' closed

scenario 'boundary: its own Node by name, and no other'
inside agent get node node-1
inside agent get nodes --field-selector metadata.name=node-1
inside agent get --raw '/api/v1/nodes?fieldSelector=metadata.name%3Dnode-1&watch=1&timeoutSeconds=1'
inside agent label node node-1 agent=here --overwrite
inside agent get --raw /api/v1/nodes/node-1/proxy/healthz
outside_by_authorization agent get node node-2
outside_by_authorization agent get nodes
outside_by_authorization agent get --raw '/api/v1/nodes?watch=1&timeoutSeconds=1'
outside_by_authorization agent label node node-2 agent=there --overwrite
outside_by_authorization agent delete node node-2
outside_by_authorization agent get --raw /api/v1/nodes/https:node-2:10250/proxy/healthz
outside_by_admission agent create -f - <<< '{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-3"}}'

scenario 'boundary: the pods of its node and their subresources, and no others'
by_node='/api/v1/pods?fieldSelector=spec.nodeName%3D'
inside agent get pods -A --field-selector spec.nodeName=node-1
inside agent get --raw "${by_node}node-1&watch=1&timeoutSeconds=1"
inside agent get pod agent -n agents
inside agent exec -n agents plain -- cat /etc/passwd
inside agent logs -n agents plain
inside agent label pod plain -n agents agent=here --overwrite
inside agent create --raw /api/v1/namespaces/agents/pods/plain/eviction -f - \
    <<< '{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "plain"}, "deleteOptions": {"dryRun": ["All"]}}'
inside agent delete pod plain -n agents --dry-run=server
inside agent delete --raw "${by_node/pods/namespaces/agents/pods}node-1&dryRun=All"
outside_by_authorization agent get pods -A
outside_by_authorization agent get pods -n agents
outside_by_authorization agent get pods -A --field-selector spec.nodeName=node-2
outside_by_authorization agent get pods -A --field-selector 'spec.nodeName!=node-1'
outside_by_authorization agent get --raw "${by_node}node-2&watch=1&timeoutSeconds=1"
outside_by_authorization agent get pod foreign -n agents
prints 'node "node-1" has no pod "agents/foreign"'
prints_not node-2
outside_by_authorization agent exec -n agents foreign -- cat /etc/passwd
outside_by_authorization agent logs -n agents foreign
outside_by_authorization agent label pod foreign -n agents agent=there --overwrite
outside_by_authorization agent create --raw /api/v1/namespaces/agents/pods/foreign/eviction -f - \
    <<< '{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "foreign"}}'
outside_by_authorization agent delete pod foreign -n agents
outside_by_authorization agent delete --raw "/api/v1/namespaces/agents/pods?dryRun=All"
outside_by_admission agent create -f - <<< "$(pod mine node-1 agent own own)"
outside_by_authorization agent create --raw /api/v1/namespaces/agents/pods/agent/binding -f - \
    <<< '{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "agent"}, "target": {"kind": "Node", "name": "node-1"}}'
outside_by_admission agent create --raw /api/v1/namespaces/agents/bindings -f - \
    <<< '{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "agent"}, "target": {"kind": "Node", "name": "node-1"}}'

scenario 'boundary: ConfigMaps and Secrets that pods of its node refer to, and no others'
for kind in configmap secret; do
    for name in own shared; do
        inside agent get $kind $name -n agents
        inside agent get $kind -n agents --field-selector metadata.name=$name
        inside agent annotate $kind $name -n agents agent=here --overwrite
        inside agent get $kind $name -n agents -o json
        inside agent replace -f - <<< "$said"
    done
    inside agent get --raw "/api/v1/namespaces/agents/${kind}s?fieldSelector=metadata.name%3Down&watch=1&timeoutSeconds=1"
    inside agent delete $kind own -n agents --dry-run=server
    outside_by_authorization agent get $kind foreign -n agents
    outside_by_authorization agent get ${kind}s -n agents
    outside_by_authorization agent get ${kind}s -A
    outside_by_authorization agent get $kind -n agents --field-selector metadata.name=foreign
    outside_by_authorization agent annotate $kind foreign -n agents agent=there --overwrite
    outside_by_authorization agent delete $kind foreign -n agents
    outside_by_authorization agent delete --raw "/api/v1/namespaces/agents/${kind}s?dryRun=All"
    outside_by_authorization agent get $kind own -n shop
done
outside_by_admission agent create secret generic new -n agents --from-literal=a=b
outside_by_admission agent create configmap new -n agents --from-literal=a=b
inside agent get configmap kube-root-ca.crt -n agents
outside_by_authorization agent annotate configmap kube-root-ca.crt -n agents agent=here

scenario 'boundary: claims and volumes that pods of its node use, and no others'
inside agent get pvc data-1 -n agents
inside agent annotate pvc data-1 -n agents agent=here --overwrite
inside agent get pv pv-1
inside agent annotate pv pv-1 agent=here --overwrite
outside_by_authorization agent get pvc data-2 -n agents
outside_by_authorization agent get pvc -n agents
outside_by_authorization agent annotate pvc data-2 -n agents agent=there --overwrite
outside_by_authorization agent get pv pv-2
outside_by_authorization agent get pv
outside_by_authorization agent annotate pv pv-2 agent=there --overwrite
outside_by_admission agent create -f - << 'END'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: mine, namespace: agents}
spec: {accessModes: [ReadWriteOnce], storageClassName: none, volumeName: pv-2, resources: {requests: {storage: 1Mi}}}
END

scenario 'boundary: tokens of its own account, bound to objects on its node'
inside agent create token agent -n agents --bound-object-kind Pod --bound-object-name agent
inside agent create token agent -n agents --bound-object-kind Node --bound-object-name node-1
becomes of-node
inside of-node get pod agent -n agents
outside_by_authorization of-node get pod foreign -n agents
outside agent create token agent -n agents --bound-object-kind Pod --bound-object-name agent-2
prints 'the token would be bound to pod "agents/agent-2", which is not on node "node-1"'
outside agent create token agent -n agents --bound-object-kind Node --bound-object-name node-2
outside agent create token agent -n agents
outside_by_authorization agent create token plain -n agents --bound-object-kind Pod --bound-object-name plain
admin create token agent -n agents
fails
prints 'must be bound to a Pod or a Node'

scenario 'boundary: no bypass through ephemeral containers, other identities, or its own account'
debug() { # SECRET
    echo '{"spec": {"ephemeralContainers": [{"name": "debug", "image": "localhost/curfew-e2e:1", "envFrom": [{"secretRef": {"name": "'"$1"'"}}]}]}}'
}
inside agent patch pod plain -n agents --subresource=ephemeralcontainers --dry-run=server -p "$(debug own)"
outside_by_admission agent patch pod plain -n agents --subresource=ephemeralcontainers -p "$(debug foreign)"
prints 'it refers to Secret "agents/foreign", which no pod on node "node-1" refers to'
outside_by_authorization agent get secret foreign -n agents --as=admin --as-group=system:masters
outside_by_authorization agent get secret foreign -n agents --as=system:serviceaccount:agents:plain
outside_by_authorization agent get secret foreign -n agents --as=system:serviceaccount:agents:agent \
    --as-user-extra=authentication.kubernetes.io/node-name=node-2
outside agent annotate serviceaccount agent -n agents rbac.kubernetes.io/restricted-by-node-
outside_by_authorization agent delete serviceaccount agent -n agents
dev annotate serviceaccount agent -n agents rbac.kubernetes.io/restricted-by-node-
refused 'serviceaccount "agent" violates Curfew: restricted-by-node-annotation'

scenario 'boundary: a legacy token and an unbound token of the account give no access'
for name in legacy unbound; do
    outside_by_authorization $name get secret own -n agents
    prints 'its token is not bound to a node: it is a legacy or an unbound token'
    outside_by_authorization $name get pods -A --field-selector spec.nodeName=node-1
    outside_by_authorization $name get node node-1
    outside_by_authorization $name create configmap new -n agents --from-literal=a=b
    outside_by_authorization $name delete pod plain -n agents
    outside_by_authorization $name create token agent -n agents --bound-object-kind Pod --bound-object-name agent
done

scenario 'boundary: resources that it does not cover are not affected'
inside agent get leases -A
inside agent get services -A
inside agent get serviceaccounts -n agents
inside agent get namespaces
settle

scenario 'boundary: an account without the restriction gets the same responses as without Curfew'
answers_now=$(questions)
said=$answers_now
check 'the responses are identical' [ "$answers_now" = "$answers_before" ]

scenario 'boundary: a new reference adds an object, and its removal removes the object'
# took_effect WHAT: prints how long that took, including the API server's cache; not checked.
took_effect() {
    echo "     $1 after $(awk "BEGIN { print $EPOCHREALTIME - $since }") s"
}
outside_by_authorization agent get secret late -n agents
admin apply -f - <<< "$(pod late node-1 plain late late)"
opened() {
    person agent get secret late -n agents
    status=0
}
since=$EPOCHREALTIME
until_it_prints 'Opaque' opened
took_effect inside
admin delete pod late -n agents --grace-period=0 --force
since=$EPOCHREALTIME
until_it_prints 'no pod on node "node-1" refers to Secret "agents/late"' opened
took_effect outside

# The DaemonSet controller, which is not restricted, creates the pod. It does what such agents do: list the
# pods of its node, update its node, and read its configuration.
scenario 'boundary: a DaemonSet of node agents keeps working'
admin apply -f - << 'END'
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: on-each-node, namespace: agents}
spec:
  selector: {matchLabels: {app: on-each-node}}
  template:
    metadata: {labels: {app: on-each-node}}
    spec:
      nodeSelector: {kubernetes.io/hostname: node-1}
      serviceAccountName: agent
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "localhost/curfew-e2e:1"}]
      volumes: [{name: config, configMap: {name: own}}]
END
admin rollout status daemonset/on-each-node -n agents --timeout=180s
admin exec -n agents daemonset/on-each-node -- cat $token
becomes on-each-node
inside on-each-node get pods -A --field-selector spec.nodeName=node-1 -o name
prints pod/on-each-node-
prints pod/sibling
inside on-each-node get --raw "${by_node}node-1&watch=1&timeoutSeconds=1"
inside on-each-node get configmap own -n agents
inside on-each-node patch node node-1 -p '{"metadata": {"annotations": {"example.com/agent": "here"}}}'
inside on-each-node patch node node-1 --subresource=status \
    -p '{"status": {"conditions": [{"type": "AgentReady", "status": "True"}]}}'
inside on-each-node create --raw /apis/coordination.k8s.io/v1/namespaces/agents/leases -f - \
    <<< '{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "on-each-node"}}'
outside_by_authorization on-each-node get pods -A
outside_by_authorization on-each-node patch node node-2 -p '{"metadata": {"annotations": {"example.com/agent": "there"}}}'

scenario 'boundary: the log has the account, the node and the reason'
line() {
    grep '"rule":"node-boundary"' "$E2E_WORK/log/curfew.log" | grep '"node":"node-1"' |
        grep -q 'the pod is bound to node \\"node-2\\"'
}
check 'the log has the line' line

scenario 'boundary: Curfew is down: with NoOpinion, RBAC decides about reads'
curfew_stop
unguarded() {
    person agent get secret foreign -n agents
    status=0
}
until_it_prints 'Opaque' unguarded

scenario 'boundary: with Deny and Fail, only the selected accounts wait'
for entry in node-annotation node-boundary; do
    admin patch validatingwebhookconfiguration curfew \
        -p '{"webhooks": [{"name": "'$entry'.curfew.dev", "failurePolicy": "Fail"}]}'
    prints patched
done
check 'the API server accepts the configuration' authorizers Deny
person agent get secret own -n agents
fails
prints_not Opaque
person plain get secret own -n agents
fails
person plain annotate configmap own -n agents plain=here --overwrite
fails
dev create token web -n shop
fails
prints 'failed calling webhook "node-annotation.curfew.dev"'
admin get secret own -n agents
dev get configmap own -n agents
admin create deployment during-deny -n agents --image=localhost/curfew-e2e:1
admin wait -n agents --for=condition=Available deployment/during-deny --timeout=180s

scenario 'boundary: Curfew is back and enforces immediately'
curfew_start
# shellcheck disable=SC2034 # for lib.sh
back() {
    person agent get secret own -n agents
    status=0
}
until_it_prints Opaque back
outside_by_authorization agent get secret foreign -n agents

scenario 'boundary: 5,000 queries of a kubelet, to the Node authorizer and to Curfew'
compare() {
    said=$(python3 "$E2E_HOME/compare.py" "https://$NODE_IP:6443" "$E2E_WORK/certs/admin" \
        https://127.0.0.1:8443/authorize "$E2E_WORK/curfew-certs/ca.crt" "$callers_folder/client" 5000 2>&1)
}
check 'every difference has its reason' compare
echo "$said" >> "$E2E_WORK/log/compare.log"

scenario 'boundary: cleanup'
admin delete namespace agents --wait=false
admin delete node node-2
admin delete pv pv-1 pv-2 --wait=false
admin delete clusterrolebinding agents
admin apply -f - <<< "$(webhooks)"
check 'the API server starts without Curfew' no_authorizer
