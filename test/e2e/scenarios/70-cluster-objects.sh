# SPDX-License-Identifier: Apache-2.0
# 70-cluster-objects.sh - rules for the whole cluster: the restriction of node agents, CSI drivers.
# shellcheck shell=bash

scenario 'restricted-by-node cannot be removed from an account'
dev annotate serviceaccount agent -n shop rbac.kubernetes.io/restricted-by-node-
refused 'serviceaccount "agent" violates Curfew: restricted-by-node-annotation'
dev annotate serviceaccount agent -n shop --overwrite rbac.kubernetes.io/restricted-by-node=false
refused 'serviceaccount "agent" violates Curfew: restricted-by-node-annotation'
dev get serviceaccount agent -n shop -o jsonpath='{.metadata.annotations}'
prints '"rbac.kubernetes.io/restricted-by-node":"true"'

scenario 'restricted-by-node cannot have an invalid value'
dev annotate serviceaccount web -n shop rbac.kubernetes.io/restricted-by-node=yes
refused 'serviceaccount "web" violates Curfew: restricted-by-node-annotation'

scenario 'an account with restricted-by-node can be edited, and another account can get it'
dev label serviceaccount agent -n shop team=nodes
said_is 'serviceaccount/agent labeled'
dev annotate serviceaccount api -n shop rbac.kubernetes.io/restricted-by-node=true
said_is 'serviceaccount/api annotated'

scenario 'system:masters may remove it'
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

scenario 'a CSI driver that requests tokens of two days is denied'
dev apply -f - <<< "$(csi_driver 172800)"
refused 'csidriver "secrets.example.com" violates Curfew level "baseline": token-lifetime: '
prints 'do this: set expirationSeconds: 86400'

scenario 'a CSI driver that requests tokens of an hour is allowed'
dev apply -f - <<< "$(csi_driver 3600)"
prints 'csidriver.storage.k8s.io/secrets.example.com created'
dev delete csidriver secrets.example.com
