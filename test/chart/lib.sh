# SPDX-License-Identifier: Apache-2.0
# lib.sh - shared functions of the chart tests; sourced at the root of the project.
# shellcheck shell=sh
set -u
LC_ALL=C.UTF-8
export LC_ALL
chart=charts/curfew

# helm_found: finds helm in PATH or in the cache of `make e2e`, or builds it there with Go (once).
helm_found() {
    command -v helm > /dev/null && return 0
    helm_bin=$(bash -c '. test/e2e/cluster/versions.sh && echo "$E2E_CACHE/helm-$HELM/bin"')
    if [ ! -x "$helm_bin/helm" ]; then
        PATH=$PATH:/usr/local/go/bin:/usr/lib/go/bin command -v go > /dev/null || return 1
        bash test/e2e/cluster/build.sh helm >&2 || return 1
    fi
    PATH=$PATH:$helm_bin
}

# Runs helm without plugins, repositories and clusters of this machine.
chart_helm() {
    HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm \
        KUBECONFIG=/dev/null helm "$@"
}

# render VALUES [FLAG...]: renders the chart as it is installed.
render() {
    values=$1
    shift
    chart_helm template curfew $chart --namespace curfew-system --values "$values" "$@"
}
