#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build.sh [NAME...] - builds the programs of a single-node cluster (or only the named ones) from the Go
# module proxy into the cache.
#
#   $E2E_CACHE/kubernetes-VERSION/bin   kube-apiserver, kube-controller-manager, kube-scheduler,
#                                       kubelet, kubectl
#   $E2E_CACHE/containerd-VERSION/bin   containerd, containerd-shim-runc-v2
#   $E2E_CACHE/runc-VERSION/bin         runc (Debian's is too old to report why it fails)
#   $E2E_CACHE/helm-VERSION/bin         helm
#
# Each program has a separate module, because their dependencies conflict. A directory gets its final name
# when it is complete, so an interrupted build starts again (with Go's own cache, fast). A second,
# concurrent build waits for the first.
set -eu
. "$(dirname "$0")/versions.sh"

export PATH="$PATH:/usr/local/go/bin:/usr/lib/go/bin"
export GOFLAGS=-mod=mod GOWORK=off

give_up() {
    echo "e2e: $*" >&2
    exit 1
}

# gentle COMMAND...: runs the command with low priority.
gentle() {
    nice -n 19 ionice -c 3 "$@"
}

# like MODULE VERSION: makes the module here depend on that module, with exactly the dependencies of its
# release. Kubernetes keeps some modules in its staging/ directory; they are also published, with the same
# minor and patch numbers.
like() {
    local upstream
    upstream=$(go mod download -json "$1@v$2" | sed -n 's/^\t"Dir": "\(.*\)",*/\1/p')
    [ -d "$upstream" ] || give_up "the Go module proxy has no $1 v$2"
    sed -e 's,^module .*,module e2e,' -e "s,=> \./staging/src/\(.*\),=> \1 v0.${2#*.}," \
        "$upstream/go.mod" > go.mod
    cat "$upstream/go.sum" > go.sum
    go mod edit -require "$1@v$2"
}

build_kubernetes() {
    local set='-X k8s.io/component-base/version'
    like k8s.io/kubernetes "$1"
    CGO_ENABLED=0 gentle go build -o "$2/" -ldflags "-s -w $set.gitVersion=v$1
        $set.gitMajor=${1%%.*} $set.gitMinor=$(echo "$1" | cut -d. -f2)" \
        k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubelet,kubectl}
}

build_containerd() {
    like github.com/containerd/containerd/v2 "$1"
    CGO_ENABLED=0 gentle go build -o "$2/" -ldflags '-s -w' \
        -tags 'no_btrfs no_devmapper no_zfs no_aufs' \
        github.com/containerd/containerd/v2/cmd/{containerd,containerd-shim-runc-v2,ctr}
}

build_runc() { # needs libseccomp-dev
    like github.com/opencontainers/runc "$1"
    gentle go build -o "$2/" -ldflags "-s -w -X main.version=$1" -tags seccomp \
        github.com/opencontainers/runc
}

# Without these two numbers and without a cluster, helm assumes Kubernetes 1.20.
build_helm() {
    local set='-X helm.sh/helm/v3' client
    like helm.sh/helm/v3 "$1"
    client=$(go list -m -f '{{.Version}}' k8s.io/client-go) # v0.MINOR.PATCH
    CGO_ENABLED=0 gentle go build -o "$2/" -ldflags "-s -w $set/internal/version.version=v$1
        $set/pkg/lint/rules.k8sVersionMajor=1 $set/pkg/chartutil.k8sVersionMajor=1
        $set/pkg/lint/rules.k8sVersionMinor=$(echo "$client" | cut -d. -f2)
        $set/pkg/chartutil.k8sVersionMinor=$(echo "$client" | cut -d. -f2)" helm.sh/helm/v3/cmd/helm
}

# want NAME VERSION: builds it unless it exists.
want() {
    local final=$E2E_CACHE/$1-$2 part=$E2E_CACHE/$1-$2.part began=$SECONDS
    exec 9> "$final.lock"
    flock 9
    [ ! -d "$final" ] || return 0
    echo "e2e: building $1 $2, once ..."
    rm -rf "$part"
    mkdir -p "$part/module" "$part/bin"
    (cd "$part/module" && "build_$1" "$2" "$part/bin") || give_up "failed to build $1 $2"
    rm -rf "$part/module"
    mv "$part" "$final"
    echo "e2e: $1 $2 built ($((SECONDS - began)) s)"
}

command -v go > /dev/null || give_up "Go is missing: install it in /usr/local/go or in PATH"
mkdir -p "$E2E_CACHE"
[ $# != 0 ] || set -- runc containerd kubernetes helm
for name in "$@"; do
    case $name in
    runc) want runc "$RUNC" ;;
    containerd) want containerd "$CONTAINERD" ;;
    kubernetes) want kubernetes "$K8S" ;;
    helm) want helm "$HELM" ;;
    *) give_up "unknown program '$name': must be runc, containerd, kubernetes or helm" ;;
    esac
done
