# SPDX-License-Identifier: Apache-2.0
# 92-chart.sh - the rendered chart on a real API server: its conditions send only the requests that rules
# read, its backstop enforces while Curfew is down, and the API server accepts every golden file.
# shellcheck shell=bash

# chart ARGS...: renders the chart for a server outside the cluster.
chart() {
    helm template curfew charts/curfew --namespace curfew-system --set server.enabled=false \
        --set webhooks.url=https://127.0.0.1:8443 \
        --set-file "webhooks.caBundle=$E2E_WORK/curfew-certs/ca.crt" "$@"
}

# documents [-v] EXPRESSION: the documents of a stream that have a matching line, or (-v) have none.
documents() {
    awk -v but="$([ "$1" = -v ] && echo yes)" -v want="${*: -1}" '
        function flush() { if (text != "" && (found ? but == "" : but != "")) printf "%s", text }
        /^---/ { flush(); text = found = "" }
        $0 ~ want { found = 1 }
        { text = text $0 "\n" }
        END { flush() }'
}

all_reviews() {
    curl -s http://127.0.0.1:8080/metrics | grep '^curfew_reviews_total'
}

# reviews RESOURCE < all_reviews: the number of reviews of that resource.
reviews() {
    awk -v want="resource=\"$1\"" 'index($0, want) { sum += $NF } END { print sum + 0 }'
}

# sent RESOURCE, not_sent RESOURCE: since the last call of either, or of counts.
counts() {
    settle
    was=$(all_reviews)
}
sent() {
    check "$1 were sent to Curfew" [ "$(all_reviews | reviews "$1")" != "$(reviews "$1" <<< "$was")" ]
    counts
}
not_sent() {
    check "$1 were not sent to Curfew" [ "$(all_reviews | reviews "$1")" = "$(reviews "$1" <<< "$was")" ]
    counts
}

long_pod() { # NAMESPACE
    cat << END
apiVersion: v1
kind: Pod
metadata: {name: long, namespace: $1}
spec:
  containers: [{name: main, image: "localhost/curfew-e2e:1"}]
  volumes:
  - {name: tok, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 200000}}]}}
END
}

secret() { # NAMESPACE NAME
    cat << END
apiVersion: v1
kind: Secret
metadata: {name: $2, namespace: $1, annotations: {kubernetes.io/service-account.name: default}}
type: kubernetes.io/service-account-token
END
}

driver() { # SECONDS
    cat << END
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: secrets.csi.example.com}
spec: {tokenRequests: [{audience: vault, expirationSeconds: $1}]}
END
}

scenario 'chart: its webhooks replace the manual ones'
admin create namespace curfew-system
until_it_prints serviceaccount/default admin get serviceaccount default -n curfew-system -o name
admin apply -f - <<< "$(chart)"
prints 'validatingwebhookconfiguration.admissionregistration.k8s.io/curfew configured'
try_secret() {
    dev create --dry-run=server -f - <<< "$(secret ci chart-token)"
}
until_it_prints 'admission webhook "validate.curfew.dev" denied the request: secret "chart-token"' try_secret
counts

scenario 'chart: only Secrets, accounts and namespaces that a rule reads are sent'
dev create secret generic other -n ci --from-literal=a=b --dry-run=server
not_sent secrets
dev label secret web-token -n shop chart=yes
sent secrets
dev label serviceaccount api -n shop chart=yes
not_sent serviceaccounts
dev annotate serviceaccount agent -n shop rbac.kubernetes.io/restricted-by-node-
refused 'serviceaccount "agent" violates Curfew: restricted-by-node-annotation'
prints 'admission webhook "node-annotation.curfew.dev"'
sent serviceaccounts
dev create token runner -n ci --duration 240h
prints 'Warning: token request for service account "runner": token-lifetime'
sent serviceaccounts/token
admin label namespace lab team=lab
not_sent namespaces
admin label namespace lab --overwrite curfew.dev/warn=baseline
sent namespaces
admin label namespace lab --overwrite curfew.dev/warn=privileged
sent namespaces
admin label namespace kube-system curfew.dev/warn=baseline
not_sent namespaces
admin label namespace kube-system curfew.dev/warn-
admin create namespace fresh --dry-run=server
not_sent namespaces

scenario 'chart: csidrivers.curfew.dev covers drivers, advise.curfew.dev covers templates'
dev apply --dry-run=server -f - <<< "$(driver 200000)"
refused 'csidriver "secrets.csi.example.com" violates Curfew level "baseline": token-lifetime'
prints 'admission webhook "csidrivers.curfew.dev"'
dev create --dry-run=server -f - << 'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: long, namespace: ci}
spec:
  selector: {matchLabels: {app: long}}
  template:
    metadata: {labels: {app: long}}
    spec:
      containers: [{name: main, image: "localhost/curfew-e2e:1"}]
      volumes:
      - {name: tok, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 200000}}]}}
END
prints 'Warning: deployment "long" would violate Curfew level "restricted": token-lifetime'

scenario 'chart: a pod is repaired, also in the namespace of the release; in kube-system it is not sent'
for namespace in ci curfew-system; do
    until_it_prints serviceaccount/default admin get serviceaccount default -o name -n "$namespace"
    counts
    admin create --dry-run=server -f - -o jsonpath='{.spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds}' \
        <<< "$(long_pod $namespace)"
    prints 86400
    sent pods
done
until_it_prints serviceaccount/default admin get serviceaccount default -o name -n kube-system
admin create --dry-run=server -f - <<< "$(long_pod kube-system)"
not_sent pods

scenario 'chart: other Secrets are sent with a JWT under token, other pods with a new long annotation'
counts
dev create secret generic other -n ci --from-literal=token=hunter2 --dry-run=server
not_sent secrets
dev create secret generic other -n ci --from-literal=token=eyJh --dry-run=server
prints 'secret/other created'
sent secrets
dev run noted -n ci --image=localhost/curfew-e2e:1 --overrides='{"spec": {"terminationGracePeriodSeconds": 1}}'
dev wait -n ci --for=condition=Ready pod/noted --timeout=180s
counts
dev annotate pod noted -n ci address=10.0.0.1
not_sent pods
dev annotate pod noted -n ci "id=$(printf '%064d' 7)"
said_is 'pod/noted annotated'
sent pods
dev delete pod noted -n ci

scenario 'chart: with webhooks.contents, changed contents are sent'
printf 'contents: true\n' >> "$E2E_WORK/curfew.yaml"
admin apply -f - <<< "$(chart --set webhooks.contents.enabled=true,webhooks.kubelet.enabled=true)"
lease() { # HOLDER
    cat << END
apiVersion: v1
kind: ConfigMap
metadata: {name: lease, namespace: ci, annotations: {control-plane.alpha.kubernetes.io/leader: "$1"}}
END
}
dev create -f - <<< "$(lease one)"
counts
new_text() {
    dev create configmap text -n ci --from-literal=a=b --dry-run=server
    [ "$(all_reviews | reviews configmaps)" = "$(reviews configmaps <<< "$was")" ] || said=sent
}
until_it_prints sent new_text
counts
dev replace -f - <<< "$(lease two)"
not_sent configmaps
dev create secret generic other -n ci --from-literal=a=b --dry-run=server
sent secrets
admin get secret web-token -n shop -o go-template='{{.data.token | base64decode}}'
printf '%s' "$said" | grep -o 'eyJ.*' > "$E2E_WORK/copied"
said='(a token)'
copied() {
    dev create configmap copied -n ci --from-file=t="$E2E_WORK/copied" --dry-run=server
}
until_it_prints 'denied the request: configmap "copied" violates Curfew level "baseline": copied-token' copied
prints 'admission webhook "contents.curfew.dev"'

scenario 'chart: a NUL does not hide a copied token'
with_nul() { # KIND, where the NUL is in an annotation, and in another text of a ConfigMap
    local token
    token=$(cat "$E2E_WORK/copied")
    [ "$1" = ConfigMap ] || token=$(printf '%s' "$token" | base64 -w0)
    printf '{"apiVersion":"v1","kind":"%s","metadata":{"name":"nul","annotations":{"a":"\\u0000"}},%s"data":{"t":"%s"%s}}' \
        "$1" "$([ "$1" = ConfigMap ] || printf '"type":"Opaque",')" "$token" \
        "$([ "$1" = Secret ] || printf ',"x":"\\u0000"')"
}
dev create --dry-run=server -n ci -f - <<< "$(with_nul ConfigMap)"
refused 'configmap "nul" violates Curfew level "baseline": copied-token'
dev create --dry-run=server -n ci -f - <<< "$(with_nul Secret)"
refused 'secret "nul" violates Curfew level "baseline": copied-token'
prints 'admission webhook "contents.curfew.dev"'
prints_not eyJ

scenario 'chart: with nodeBoundary, only writes by accounts on a node are sent'
admin apply -f - <<< "$(chart --set nodeBoundary.enabled=true)"
admin create rolebinding runner-edits -n shop --clusterrole=edit --serviceaccount=shop:web
dev create -f - << 'END'
apiVersion: v1
kind: Pod
metadata: {name: holder, namespace: shop}
spec:
  serviceAccountName: web
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "localhost/curfew-e2e:1"}]
END
dev create token web -n shop --duration 10m --bound-object-kind Pod --bound-object-name holder
becomes on-node
counts
from_a_pod() {
    person on-node create configmap text -n shop --from-literal=a=b --dry-run=server
    [ "$(all_reviews | reviews configmaps)" = "$(reviews configmaps <<< "$was")" ] || said=sent
}
until_it_prints sent from_a_pod
counts
dev create configmap text -n shop --from-literal=a=b --dry-run=server
not_sent configmaps
admin create namespace boundary # the controller manager publishes the CA in it
until_it_prints configmap/kube-root-ca.crt admin get configmap kube-root-ca.crt -o name -n boundary
not_sent configmaps
person on-node delete pod holder -n shop --dry-run=server
sent pods

scenario 'chart: with nodeBoundary.accounts, their writes with unbound tokens are sent'
admin create rolebinding runner-edits -n ci --clusterrole=edit --serviceaccount=ci:runner
dev create token runner -n ci --duration 1h
becomes unbound
counts
person unbound create configmap text -n ci --from-literal=a=b --dry-run=server
not_sent configmaps
admin apply -f - <<< "$(chart --set nodeBoundary.enabled=true --set 'nodeBoundary.accounts={ci:runner}')"
from_nowhere() {
    person unbound create configmap text -n ci --from-literal=a=b --dry-run=server
    [ "$(all_reviews | reviews configmaps)" = "$(reviews configmaps <<< "$was")" ] || said=sent
}
until_it_prints sent from_nowhere

# ---- the backstop: Curfew is down from here on ----

# held POLICY TEXT: the policy denied the request with this text.
held() {
    fails
    prints "ValidatingAdmissionPolicy 'curfew-$1' with binding 'curfew-$1' denied request: $2"
}

policy() {
    cat << END
validatingAdmissionPolicy: {enabled: true}
config:
  exemptions: {groups: [break-glass]}
  exceptions:
  - {rule: legacy-token-secret, namespace: ci, names: ["backed-*"], until: $(in_days +1), reason: a test}
  - {rule: legacy-token-secret, namespace: ci, names: ["ended-*"], until: $(in_days -1), reason: a test}
  - {rule: token-lifetime, namespace: ci, names: [web], serviceAccounts: ["runn*"], until: $(in_days +1), reason: a test}
END
}

scenario 'backstop: its expressions match the types of their resources'
curfew_stop
admin delete mutatingwebhookconfiguration,validatingwebhookconfiguration curfew
policy > "$E2E_WORK/backstop.yaml"
backstop() {
    chart --values "$E2E_WORK/backstop.yaml" "$@" | documents '^kind: ValidatingAdmissionPolicy'
}
admin apply -f - <<< "$(backstop)"
prints 'validatingadmissionpolicy.admissionregistration.k8s.io/curfew-secrets created'
for kind in secrets pods tokens drivers accounts; do
    until_it_prints 'looked at 1' admin get validatingadmissionpolicy "curfew-$kind" \
        -o jsonpath='looked at {.status.observedGeneration}: {.status.typeChecking.expressionWarnings}'
    check "curfew-$kind has no warnings" [ "$said" = 'looked at 1: ' ]
done
until_it_prints "ValidatingAdmissionPolicy 'curfew-secrets'" try_secret

scenario 'backstop: a legacy Secret is denied by level, and allowed by exception'
dev create -f - <<< "$(secret ci chart-token)"
held secrets 'secret "chart-token" violates Curfew level "baseline": legacy-token-secret: type kubernetes.io/service-account-token creates a token that never expires'
dev create -f - <<< "$(secret shop chart-token)"
held secrets 'secret "chart-token" violates Curfew level "restricted": legacy-token-secret'
dev create --dry-run=server -f - <<< "$(secret lab chart-token)"
prints created
admin create --dry-run=server -f - <<< "$(secret kube-system chart-token)"
prints created
dev create --dry-run=server -f - <<< "$(secret ci backed-up)"
prints created
dev create --dry-run=server -f - <<< "$(secret shop backed-up)"
held secrets 'secret "backed-up"'
dev create --dry-run=server -f - <<< "$(secret ci ended-now)"
held secrets 'secret "ended-now"'
admin create --dry-run=server -f - --as=anna --as-group=system:masters --as-group=break-glass <<< "$(secret ci chart-token)"
prints created

scenario 'backstop: an existing legacy Secret can be edited, but gets no new token'
dev label secret web-token -n shop chart=no --overwrite
said_is 'secret/web-token labeled'
dev annotate secret web-token -n shop --overwrite kubernetes.io/service-account.name=api
held secrets 'secret "web-token" violates Curfew level "restricted": legacy-token-secret: changing the annotation kubernetes.io/service-account.name makes a new token that never expires'
dev patch secret web-token -n shop --type=json -p '[{"op": "remove", "path": "/data/token"}]'
held secrets 'secret "web-token" violates Curfew level "restricted": legacy-token-secret: changing data.token makes a new token that never expires'
dev label secret web-token -n shop kubernetes.io/legacy-token-invalid-since=2026-01-01
said_is 'secret/web-token labeled'
dev label secret web-token -n shop kubernetes.io/legacy-token-invalid-since-
held secrets 'secret "web-token" violates Curfew level "restricted": legacy-token-revival: removing the label kubernetes.io/legacy-token-invalid-since makes a token work again that never expires'
admin label secret web-token -n shop kubernetes.io/legacy-token-invalid-since-
said_is 'secret/web-token unlabeled'

scenario 'backstop: the control plane can populate a Secret, and label it as used'
dev create -f - <<< "$(secret ci backed-up)"
until_it_prints ZXlK dev get secret backed-up -n ci -o jsonpath='{.data.token}'
admin get secret backed-up -n ci -o go-template='{{.data.token | base64decode}}'
becomes backed
person backed auth whoami
prints 'system:serviceaccount:ci:default'
until_it_prints "kubernetes.io/legacy-token-last-used=$(date -u +%F)" \
    dev get secret backed-up -n ci --show-labels

scenario 'backstop: long-lived tokens are denied in pods, token requests and drivers'
dev create -f - <<< "$(long_pod ci)"
held pods 'pod "long" violates Curfew level "baseline": token-lifetime: volume "tok" requests a token of 200000 s, above the 86400 s allowed'
dev create --dry-run=server -f - <<< "$(long_pod ci | sed 's/200000/3607/')"
prints created
dev create --dry-run=server -f - <<< "$(long_pod shop | sed 's/200000/4000/')"
held pods 'pod "long" violates Curfew level "restricted": token-lifetime: volume "tok" requests a token of 4000 s, above the 3600 s allowed'
dev create --dry-run=server -f - <<< "$(long_pod ci | sed -e 's/name: long/generateName: web-/' -e 's/^spec:/spec:\n  serviceAccountName: runner/')"
prints created
dev create --dry-run=server -f - <<< "$(long_pod ci | sed 's/name: long/name: long, ownerReferences: [{apiVersion: batch\/v1, kind: Job, name: nightly-29123456, uid: x, controller: true}]/')"
held pods 'pod of "nightly" violates Curfew level "baseline": token-lifetime'
dev create token default -n ci --duration 240h
held tokens 'token request for service account "default" violates Curfew level "baseline": token-lifetime: it requests a token of 864000 s, above the 86400 s allowed'
dev create token default -n ci --duration 1h
the_token_lives 3600
dev create token web -n shop --duration 2h --bound-object-kind Pod --bound-object-name holder
held tokens 'token request for service account "web" violates Curfew level "restricted": token-lifetime: it requests a token of 7200 s, above the 3600 s allowed'
dev apply --dry-run=server -f - <<< "$(driver 200000)"
held drivers 'csidriver "secrets.csi.example.com" violates Curfew level "baseline": token-lifetime: a token request of the driver requests a token of 200000 s, above the 86400 s allowed'

scenario 'backstop: a node agent keeps its restriction, and its pods start'
dev annotate serviceaccount agent -n shop rbac.kubernetes.io/restricted-by-node-
held accounts 'serviceaccount "agent" violates Curfew: restricted-by-node-annotation: the annotation rbac.kubernetes.io/restricted-by-node would be removed'
dev annotate serviceaccount agent -n shop --overwrite rbac.kubernetes.io/restricted-by-node=false
held accounts 'serviceaccount "agent" violates Curfew: restricted-by-node-annotation: the annotation rbac.kubernetes.io/restricted-by-node would be changed'
dev annotate serviceaccount api -n shop rbac.kubernetes.io/restricted-by-node=yes
held accounts 'serviceaccount "api" violates Curfew: restricted-by-node-annotation: the annotation rbac.kubernetes.io/restricted-by-node is neither "true" nor "false"'
admin annotate --dry-run=server serviceaccount agent -n shop rbac.kubernetes.io/restricted-by-node-
prints annotate
dev run started -n ci --image=localhost/curfew-e2e:1 --restart=Never
dev wait -n ci --for=condition=Ready pod/started --timeout=180s

scenario 'backstop: it follows changed levels and defaults'
admin apply -f - <<< "$(backstop --values test/chart/golden/backstop-policy/values.yaml --set 'exemptNamespaces={kube-system}' --set config.defaults.enforce=restricted --set config.rules.legacy-token-revival.level=off)"
moved() {
    dev create token default -n kube-public --duration 20m
}
until_it_prints "denied request: token request for service account \"default\" violates Curfew level \"restricted\": token-lifetime: it requests a token of 1200 s, above the 930 s allowed" moved
admin delete validatingadmissionpolicy,validatingadmissionpolicybinding -l app.kubernetes.io/name=curfew

# ---- every golden file ----

# Kinds that need cert-manager or prometheus-operator are skipped.
known_kinds() {
    documents -v '^apiVersion: (cert-manager[.]io|monitoring[.]coreos[.]com)' < "$1"
}

scenario 'chart: the API server accepts every golden file, and the plain manifests'
for file in test/chart/golden/*/rendered.yaml; do
    admin apply --server-side --force-conflicts --dry-run=server -f - <<< "$(known_kinds "$file")"
    prints ' serverside-applied (server dry run)'
    prints_not Warning
done
admin apply --dry-run=server -k deploy/manifests
prints 'deployment.apps/curfew created (server dry run)'

scenario 'chart: server-side apply keeps a caBundle that was written'
gitops() {
    helm template gitops charts/curfew -n curfew-system --set fullnameOverride=gitops \
        --set webhooks.validate.failurePolicy=Ignore |
        documents '^kind: ValidatingWebhookConfiguration'
}
admin apply --server-side --field-manager=gitops -f - <<< "$(gitops)"
admin patch validatingwebhookconfiguration gitops --type=strategic --field-manager=curfew \
    -p '{"webhooks": [{"name": "validate.curfew.dev", "clientConfig": {"caBundle": "'"$(base64 -w0 < "$E2E_WORK/curfew-certs/ca.crt")"'"}}]}'
admin get validatingwebhookconfiguration gitops -o jsonpath='{.metadata.resourceVersion}'
version=$said
admin apply --server-side --field-manager=gitops -f - <<< "$(gitops)"
prints 'gitops serverside-applied'
admin get validatingwebhookconfiguration gitops -o jsonpath='{.metadata.resourceVersion}'
said_is "$version"
admin get validatingwebhookconfiguration gitops -o jsonpath='{.webhooks[0].clientConfig.caBundle}'
prints LS0t
admin delete validatingwebhookconfiguration gitops

scenario 'chart: cleanup'
dev delete pod holder -n shop --wait=false
curfew_config "$(in_days +60)" > "$E2E_WORK/curfew.yaml"
curfew_start
admin apply -f - <<< "$(webhooks)"
