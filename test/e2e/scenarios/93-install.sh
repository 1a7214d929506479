# SPDX-License-Identifier: Apache-2.0
# 93-install.sh - the chart is installed on the node, as the README says ("Install it"): from the image
# of `make image`, with a certificate of its own.
# shellcheck shell=bash

# install_step N: the commands of the Nth block of that section.
install_step() {
    awk -v step="$1" '/^## / { inside = $0 == "## Install it" }
        inside && /^```/ { fence++; next }
        inside && fence == 2 * step - 1 { print }' README.md
}

# typed COMMANDS...: by the admin, in a shell.
typed() {
    KUBECONFIG=$E2E_WORK/certs/admin.kubeconfig HELM_CACHE_HOME=$E2E_WORK/helm \
        HELM_CONFIG_HOME=$E2E_WORK/helm HELM_DATA_HOME=$E2E_WORK/helm \
        bash -euxc "$*" >> "$E2E_WORK/log/helm.log" 2>&1
}

another_secret() {
    dev create --dry-run=server -f - << 'END'
apiVersion: v1
kind: Secret
metadata: {name: another, namespace: ci, annotations: {kubernetes.io/service-account.name: runner}}
type: kubernetes.io/service-account-token
END
}

# kube_proxy: the Service's address leads to one of its pods, for other pods.
kube_proxy() {
    local address pod
    address=$(as admin get service curfew -n curfew-system -o jsonpath='{.spec.clusterIP}') &&
        pod=$(as admin get pods -n curfew-system -l app.kubernetes.io/name=curfew \
            -o jsonpath='{.items[0].status.podIP}') &&
        iptables -t nat -A PREROUTING -d "$address" -p tcp --dport 443 -j DNAT --to "$pod:8443" &&
        iptables -t nat -A POSTROUTING -s "$POD_CIDR" -d "$POD_CIDR" -j MASQUERADE
}

# pods: their names, to see whether they are the same ones.
pods() {
    as admin get pods -n curfew-system -l app.kubernetes.io/name=curfew -o name | sort
}

scenario 'install: helm, word by word, and both replicas are ready'
curfew_stop
admin delete mutatingwebhookconfiguration,validatingwebhookconfiguration curfew
check 'the image is imported (make image)' \
    ctr -a "$socket" -n k8s.io images import --no-unpack=false "${CURFEW%/*}/curfew-image.tar"
admin delete namespace curfew-system --ignore-not-found
check 'helm install' typed "$(install_step 1 | sed -n 1p)"
admin label namespace curfew-system pod-security.kubernetes.io/enforce=restricted
admin get deployment curfew -n curfew-system -o jsonpath='{.status.readyReplicas}'
said_is 2
until_it_prints 'admission webhook "validate.curfew.dev" denied the request: secret "another"' another_secret
prints 'do this: mount a projected serviceAccountToken volume'

scenario 'install: helm test asks it, over its Service and verified TLS'
check 'the Service leads to a pod' kube_proxy
check 'helm test' typed "$(install_step 1 | sed -n 2p)"
admin get pods -n curfew-system
prints_not curfew-test

scenario 'install: a pod is repaired'
dev create --dry-run=server -f - -o jsonpath='{.spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds}' << 'END'
apiVersion: v1
kind: Pod
metadata: {name: old-style, namespace: shop}
spec:
  serviceAccountName: web
  automountServiceAccountToken: false
  containers: [{name: main, image: "localhost/curfew-e2e:1", volumeMounts: [{name: tok, mountPath: /tok}]}]
  volumes: [{name: tok, secret: {secretName: web-token}}]
END
prints 'Warning: pod "old-style": legacy-token-mount'
prints 3600

scenario 'install: another policy, without a restart'
before=$(pods)
check 'helm upgrade' typed 'helm upgrade curfew charts/curfew --namespace curfew-system --atomic \
    --set config.rules.legacy-token-secret.level=off'
for _ in 1 2 3 4; do # a kubelet takes up to a minute and a half
    another_secret
    status=0
    grep -q '(server dry run)' <<< "$said" && break
    sleep 30
done
prints 'secret/another created (server dry run)'
check 'the pods are the same' [ "$(pods)" = "$before" ]

scenario 'install: a certificate that an apply knows nothing of stays where it is'
admin get validatingwebhookconfiguration curfew -o jsonpath='{.webhooks[*].clientConfig.caBundle}'
bundle=$said
check 'it is there' [ -n "$bundle" ]
check 'helm rollback' typed 'helm rollback curfew --namespace curfew-system --wait'
admin get validatingwebhookconfiguration curfew -o jsonpath='{.webhooks[*].clientConfig.caBundle}'
said_is "$bundle"

scenario 'install: the backstop holds when every replica is gone'
check 'helm upgrade' typed 'helm upgrade curfew charts/curfew --namespace curfew-system --atomic \
    --set validatingAdmissionPolicy.enabled=true'
until_it_prints "ValidatingAdmissionPolicy 'curfew-secrets'" another_secret
admin scale deployment curfew -n curfew-system --replicas=0
admin wait -n curfew-system --for=delete pod -l app.kubernetes.io/name=curfew --timeout=90s
another_secret
prints "ValidatingAdmissionPolicy 'curfew-secrets' with binding 'curfew-secrets' denied request: secret \"another\" violates Curfew level \"baseline\": legacy-token-secret"
status=0
dev run waits -n ci --image=localhost/curfew-e2e:1 --restart=Never --dry-run=server
fails
prints 'failed calling webhook "validate.curfew.dev"'

scenario 'install: uninstalled, it stops nobody'
check 'helm uninstall' typed 'helm uninstall curfew --namespace curfew-system --wait'
dev run after -n ci --image=localhost/curfew-e2e:1 --restart=Never
said_is 'pod/after created'
another_secret
prints 'secret/another created (server dry run)'
admin get validatingadmissionpolicy,validatingadmissionpolicybinding,clusterrole,clusterrolebinding -l app.kubernetes.io/name=curfew
said_is 'No resources found'

scenario 'install: rendered first, and applied'
check 'helm template' typed "cd $E2E_WORK && ln -sf $PWD/charts . && $(install_step 2 | sed 's/create namespace/get namespace/')"
admin wait -n curfew-system --for=condition=Available deployment/curfew --timeout=90s
until_it_prints 'admission webhook "validate.curfew.dev" denied the request: secret "another"' another_secret
admin delete -f "$E2E_WORK/curfew.yaml"

scenario 'install: without Helm'
check 'kubectl apply -k' typed "$(install_step 3)"
admin wait -n curfew-system --for=condition=Available deployment/curfew --timeout=90s
until_it_prints 'admission webhook "validate.curfew.dev" denied the request: secret "another"' another_secret
check 'kubectl delete -k' typed "$(install_step 3 | sed s/apply/delete/)"

scenario 'install: as it was'
curfew_start
admin apply -f - <<< "$(webhooks)"
until_it_prints 'denied the request: secret "another"' another_secret
