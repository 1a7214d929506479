#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# manifests.sh [DIR] - the plain manifests (deploy/manifests), from the chart: its defaults, in files
# numbered in the order in which they are applied. Without DIR also the chart's own files/defaults.yaml.
set -e
cd "$(dirname "$0")/../.."
. test/chart/lib.sh
to=${1:-deploy/manifests}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
helm_found || {
    echo "manifests: no helm, and no Go to build it with" >&2
    exit 1
}

[ $# -gt 0 ] || sh test/chart/defaults.sh > $chart/files/defaults.yaml
mkdir -p "$to"
rm -f "$to"/*.yaml
cat > "$to/10-namespace.yaml" << 'END'
# Rendered from charts/curfew by `make manifests`; not to be edited.
apiVersion: v1
kind: Namespace
metadata:
  name: curfew-system
  labels:
    pod-security.kubernetes.io/enforce: restricted
END
: > "$work/values.yaml"
# They belong to no release.
render "$work/values.yaml" --skip-tests > "$work/rendered.yaml"
sed -e '/^# Source: /d' -e '/app.kubernetes.io\/managed-by: Helm/d' -e '/helm.sh\/chart: /d' "$work/rendered.yaml" |
    awk -v to="$to" '
    BEGIN {
        file["ServiceAccount"] = "20-serviceaccount"
        file["ClusterRole"] = file["ClusterRoleBinding"] = file["Role"] = file["RoleBinding"] = "30-rbac"
        file["ConfigMap"] = "40-configmap"
        file["Service"] = "50-service"
        file["Deployment"] = "60-deployment"
        file["PodDisruptionBudget"] = file["ResourceQuota"] = "65-availability"
        file["MutatingWebhookConfiguration"] = file["ValidatingWebhookConfiguration"] = "70-webhooks"
    }
    function flush(    name) {
        if (kind != "") {
            if (!(kind in file)) {
                print "manifests: no file for " kind > "/dev/stderr"
                exit 1
            }
            name = to "/" file[kind] ".yaml"
            printf "%s", (name in begun ? "---\n" : "# Rendered from charts/curfew by `make manifests`; not to be edited.\n") text > name
            begun[name] = 1
        }
        text = kind = ""
    }
    /^---/ { flush(); next }
    /^kind: / { kind = $2 }
    { text = text $0 "\n" }
    END { flush() }'
{
    printf '# Rendered by `make manifests`; kubectl apply -k, or the files in their order with -f.\n'
    printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n'
    (cd "$to" && printf -- '- %s\n' [0-9]*.yaml)
} > "$work/kustomization.yaml"
mv "$work/kustomization.yaml" "$to/kustomization.yaml"
