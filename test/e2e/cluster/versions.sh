# SPDX-License-Identifier: Apache-2.0
# versions.sh - the versions, addresses and paths of the cluster; sourced.
# shellcheck shell=bash

K8S=${K8S:-1.36.3}
CONTAINERD=2.4.2
RUNC=1.5.2
HELM=3.21.4
E2E_CACHE=${E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/curfew-e2e}

# The cluster has a separate network namespace, so these cannot conflict with the machine's.
NODE=node-1
NODE_IP=10.244.0.1 # also the bridge's address, and the API server's
POD_CIDR=10.244.0.0/24
SERVICE_CIDR=10.0.0.0/24
API_SERVICE_IP=10.0.0.1

IMAGE=localhost/curfew-e2e:1
