# SPDX-License-Identifier: Apache-2.0
# 70-cluster-objects.sh - what holds for the whole cluster: node agents' restriction, CSI drivers.
# shellcheck shell=bash

scenario 'nobody takes restricted-by-node from an account'
dev annotate serviceaccount agent -n shop rbac.kubernetes.io/restricted-by-node-
refused 'serviceaccount "agent" violates Curfew: restricted-by-node-annotation'
dev annotate serviceaccount agent -n shop --overwrite rbac.kubernetes.io/restricted-by-node=false
refused 'serviceaccount "agent" violates Curfew: restricted-by-node-annotation'
dev get serviceaccount agent -n shop -o jsonpath='{.metadata.annotations}'
prints '"rbac.kubernetes.io/restricted-by-node":"true"'

scenario 'nor gives it a value that means nothing'
dev annotate serviceaccount web -n shop rbac.kubernetes.io/restricted-by-node=yes
refused 'serviceaccount "web" violates Curfew: restricted-by-node-annotation'

scenario 'an account with it can be edited otherwise, and given to one without it'
dev label serviceaccount agent -n shop team=nodes
said_is 'serviceaccount/agent labeled'
dev annotate serviceaccount api -n shop rbac.kubernetes.io/restricted-by-node=true
said_is 'serviceaccount/api annotated'

scenario 'system:masters may take it away'
admin annotate serviceaccount api -n shop rbac.kubernetes.io/restricted-by-node-
said_is 'serviceaccount/api annotated'

csi_driver() { # SECONDS
    cat << END
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: secrets.example.com}
spec:
  attachRequired: false
  tokenRequests: [{audience: vault, expirationSeconds: $1}]
END
}

scenario 'a CSI driver that asks for tokens of two days is refused'
dev apply -f - <<< "$(csi_driver 172800)"
refused 'csidriver "secrets.example.com" violates Curfew level "baseline": token-lifetime: '
prints 'do this: set expirationSeconds: 86400'

scenario 'one that asks for an hour is not'
dev apply -f - <<< "$(csi_driver 3600)"
prints 'csidriver.storage.k8s.io/secrets.example.com created'
dev delete csidriver secrets.example.com
