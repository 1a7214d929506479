# SPDX-License-Identifier: Apache-2.0
# 10-policy.sh - changes the policy with helm upgrade, and rolls back.
# shellcheck shell=bash

scenario 'policy: helm upgrade changes it without a restart'
before=$(pods)
trusted=$(bundles)
check 'the webhooks have their caBundle' grep -q LS0t <<< "$trusted"
upgrade --set config.rules.legacy-token-secret.level=off
within=180 unguarded
check 'the pods are the same' [ "$(pods)" = "$before" ]
check 'the caBundles are the same' [ "$(bundles)" = "$trusted" ]

scenario 'policy: an invalid policy has no effect, and the log names the line'
upgrade --set config.rules.legacy-token-secret.level=off,config.exceptions[0].rule=legacy-token-secret \
    --set config.exceptions[0].namespace=ci,config.exceptions[0].until=2030-02-30 \
    --set 'config.exceptions[0].names={a},config.exceptions[0].reason=b'
within=180 until_it_prints 2030-02-30 admin logs -n $system -l $selector --tail=20
prints '"level":"error"'
check 'the pods are the same' [ "$(pods)" = "$before" ]
unguarded

scenario 'policy: helm rollback restores the first one'
shell helm rollback curfew 1 --namespace $system --wait
within=180 guarded
check 'the pods are the same' [ "$(pods)" = "$before" ]
check 'the caBundles are the same' [ "$(bundles)" = "$trusted" ]
