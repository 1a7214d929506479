# SPDX-License-Identifier: Apache-2.0
# 10-policy.sh - another policy, by helm upgrade, and back.
# shellcheck shell=bash

scenario 'policy: helm upgrade changes it, without a restart'
before=$(pods)
trusted=$(bundles)
check 'the webhooks have their caBundle' grep -q LS0t <<< "$trusted"
upgrade --set config.rules.legacy-token-secret.level=off
within=180 unguarded
check 'the pods are the same' [ "$(pods)" = "$before" ]
check 'the caBundles are the same' [ "$(bundles)" = "$trusted" ]

scenario 'policy: a mistake in it is refused by what reads it, and nothing changes'
typed='helm upgrade --set config.rules.token-lifetime.baseline.max=1s'
said=$(in_a_shell 'helm upgrade curfew charts/curfew --namespace curfew-system \
    --set config.rules.token-lifetime.baseline.max=1s' 2>&1)
refused_policies() {
    as admin logs -n $system -l $ours --tail=50
}
until_it_prints '"level":"error"' admin logs -n $system -l $ours --tail=20
check 'the pods are the same' [ "$(pods)" = "$before" ]
unguarded

scenario 'policy: helm rollback brings back the first one'
shell helm rollback curfew 1 --namespace $system --wait
within=180 guarded
check 'the pods are the same' [ "$(pods)" = "$before" ]
check 'the caBundles are the same' [ "$(bundles)" = "$trusted" ]
