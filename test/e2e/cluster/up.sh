#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# up.sh - starts the cluster inside a sandbox (sandbox.sh), and returns when its node is ready. Sourced, so
# that the programs are children of the calling script. All files are in $E2E_WORK.
# shellcheck shell=bash

here=$(dirname "${BASH_SOURCE[0]}")
export E2E_WORK
. "$here/versions.sh"
. "$here/service.sh"
export NODE NODE_IP API_SERVICE_IP
kubernetes=$E2E_CACHE/kubernetes-$K8S/bin
containerd=$E2E_CACHE/containerd-$CONTAINERD/bin
runc=$E2E_CACHE/runc-$RUNC/bin
helm=$E2E_CACHE/helm-$HELM/bin
export PATH="$kubernetes:$containerd:$runc:$helm:$PATH:/usr/sbin:/sbin"
certs=$E2E_WORK/certs
socket=/run/containerd/containerd.sock

# as NAME ARGS...: runs kubectl as that user.
as() {
    kubectl --kubeconfig "$certs/$1.kubeconfig" "${@:2}"
}

up_network() {
    ip link add e2e0 type bridge
    ip addr add "$NODE_IP/24" dev e2e0
    ip link set e2e0 up
    # Routes pods to the API server's Service without a kube-proxy.
    iptables -t nat -A PREROUTING -d "$API_SERVICE_IP" -p tcp --dport 443 \
        -j DNAT --to-destination "$NODE_IP:6443"
    mkdir -p "$E2E_WORK/cni"
    cat > "$E2E_WORK/cni/e2e.conflist" << END
{"cniVersion": "1.0.0", "name": "e2e", "plugins": [
  {"type": "bridge", "bridge": "e2e0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$POD_CIDR"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
}

up_etcd() {
    start etcd etcd --data-dir "$E2E_WORK/etcd" --listen-client-urls http://127.0.0.1:2379 \
        --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
    await_service etcd 30 curl -sf http://127.0.0.1:2379/health
}

# The audit log records who, what, the status code and Curfew's annotations.
audit_policy() {
    cat << 'END'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, verbs: [get, list, watch]}
- {level: Metadata}
END
}

# Scenarios may set other authorizers or webhook credentials, and restart it.
# shellcheck disable=SC2054 # the comma is the flag's
authorization=(--authorization-mode=Node,RBAC)
admission=()

up_apiserver() {
    audit_policy > "$E2E_WORK/audit-policy.yaml"
    start apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
        --advertise-address="$NODE_IP" --service-cluster-ip-range="$SERVICE_CIDR" \
        --client-ca-file="$certs/ca.pem" \
        --tls-cert-file="$certs/apiserver.pem" --tls-private-key-file="$certs/apiserver.key" \
        --service-account-issuer=https://kubernetes.default.svc.cluster.local \
        --service-account-key-file="$certs/sa.pub" \
        --service-account-signing-key-file="$certs/sa.key" \
        "${authorization[@]}" "${admission[@]}" --enable-admission-plugins=NodeRestriction \
        --kubelet-preferred-address-types=InternalIP \
        --kubelet-certificate-authority="$certs/ca.pem" \
        --kubelet-client-certificate="$certs/apiserver-kubelet.pem" \
        --kubelet-client-key="$certs/apiserver-kubelet.key" \
        --enable-aggregator-routing=true --allow-privileged=true \
        --audit-policy-file="$E2E_WORK/audit-policy.yaml" --audit-log-path="$E2E_WORK/audit.log"
    await_service apiserver 120 as admin get --raw /readyz
}

up_controllers() {
    start controller-manager kube-controller-manager \
        --kubeconfig="$certs/controller-manager.kubeconfig" \
        --use-service-account-credentials --service-account-private-key-file="$certs/sa.key" \
        --root-ca-file="$certs/ca.pem" --leader-elect=false --concurrent-deployment-syncs=2
    start scheduler kube-scheduler --kubeconfig="$certs/scheduler.kubeconfig" --leader-elect=false
}

start_runtime() {
    start containerd containerd --config "$E2E_WORK/containerd.toml"
    await_service containerd 30 ctr -a "$socket" version
}

up_runtime() {
    cat > "$E2E_WORK/containerd.toml" << END
version = 3
root = "$E2E_WORK/containerd"
state = "/run/containerd"
[grpc]
address = "$socket"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "$IMAGE"
[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true # where the machine withholds CAP_SYS_RESOURCE
disable_apparmor = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["/usr/lib/cni"]
conf_dir = "$E2E_WORK/cni"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "$runc/runc"
SystemdCgroup = false
END
    start_runtime
    bash "$here/image.sh" "$E2E_WORK/image" || give_up "cannot create the image"
    ctr -a "$socket" -n k8s.io images import --no-unpack=false "$E2E_WORK/image/image.tar" \
        > "$E2E_WORK/log/import.log" 2>&1 || give_up "cannot import the image"
}

up_kubelet() {
    cat > "$E2E_WORK/kubelet.yaml" << END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://$socket
authentication: {x509: {clientCAFile: $certs/ca.pem}}
tlsCertFile: $certs/kubelet.pem
tlsPrivateKeyFile: $certs/kubelet.key
volumePluginDir: $E2E_WORK/volume-plugins
cgroupRoot: /$E2E_CGROUP
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
syncFrequency: 5s # how soon a pod sees a changed ConfigMap; else a minute
localStorageCapacityIsolation: false
oomScoreAdj: 0
protectKernelDefaults: true # sandbox.sh provides the expected settings
resolvConf: ""
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
END
    start_kubelet
}

start_kubelet() {
    start kubelet kubelet --config="$E2E_WORK/kubelet.yaml" --root-dir="$E2E_WORK/kubelet" \
        --kubeconfig="$certs/kubelet.kubeconfig" --node-ip="$NODE_IP" --hostname-override="$NODE"
    await_service kubelet 60 as admin wait --for=condition=Ready "node/$NODE" --timeout=5s
}

# The user of the cluster has the rights of a namespace admin in all namespaces, may debug pods, and may
# create and label namespaces, but is not in system:masters.
up_people() {
    as admin apply -f - > "$E2E_WORK/log/people.log" << 'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: dev}
rules:
- {apiGroups: [""], resources: [pods/ephemeralcontainers], verbs: [get, update, patch]}
- {apiGroups: [""], resources: [namespaces, namespaces/status, namespaces/finalize], verbs: ["*"]}
- {apiGroups: [storage.k8s.io], resources: [csidrivers], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: dev}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: dev}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: dev}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: dev-admin}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: dev}]
END
}

cluster_up() {
    bash "$here/certs.sh" "$certs" || give_up "cannot create certificates"
    up_network || give_up "cannot create the network"
    up_etcd
    up_apiserver
    up_controllers
    up_runtime
    up_kubelet
    up_people || give_up "cannot create the users"
    await 30 "role of dev" as dev auth can-i create pods/exec || exit 1
}

# sandbox_processes PATTERN: the processes of this sandbox whose command line matches.
sandbox_processes() {
    grep -lszE "$1" /proc/[0-9]*/cmdline | cut -d/ -f3
}

pod_cgroups_go() {
    local left
    left=$(find /sys/fs/cgroup -path "*/$E2E_CGROUP/kubepods*" -depth -type d) || return 1
    [ -z "$left" ] || xargs rmdir <<< "$left"
}

# cluster_falls: kills everything, as when the machine is switched off: memory is lost, disks are kept.
cluster_falls() {
    local name
    for name in kubelet scheduler controller-manager apiserver etcd containerd; do
        halt "$name"
    done
    sandbox_processes 'containerd-shim' | xargs -r kill -KILL 2> /dev/null # some end on their own
    find /sys/fs/cgroup -path "*/$E2E_CGROUP/kubepods/*" -name cgroup.procs -exec cat {} + 2> /dev/null |
        sort -u | xargs -r kill -KILL 2> /dev/null
    await 30 'end of the pods' pod_cgroups_go
    awk -v work="$E2E_WORK/" '
        index($2, "/run/containerd/") == 1 || index($2, "/run/netns/") == 1 ||
            index($2, work "kubelet/") == 1 { print $2 }' /proc/mounts |
        sort -ru | xargs -r umount -l
    rm -rf /run/containerd /run/netns
}

# cluster_rises: starts everything, as when the machine is switched on.
cluster_rises() {
    up_etcd
    up_apiserver
    up_controllers
    start_runtime
    start_kubelet
}
