# SPDX-License-Identifier: Apache-2.0
# 35-copied-token.sh - a token that never ends, copied to where it is no legacy Secret's any more.
# shellcheck shell=bash

scenario 'a legacy token in a variable of a pod is refused, and not shown'
admin get secret api-token -n shop -o go-template='{{.data.token | base64decode}}'
becomes somebody
dev run leak -n shop --image=localhost/curfew-e2e:1 \
    --env="TOKEN=$(cat "$E2E_WORK/certs/somebody.token")"
refused 'pod "leak" violates Curfew level "restricted": copied-token: '
prints_not eyJ

scenario 'so it is in its command, and in an annotation'
dev run leak -n shop --image=localhost/curfew-e2e:1 --command -- \
    sh -c "echo $(cat "$E2E_WORK/certs/somebody.token")"
refused 'pod "leak" violates Curfew level "restricted": copied-token: '
prints_not eyJ
dev run leak -n shop --image=localhost/curfew-e2e:1 \
    --annotations="note=$(cat "$E2E_WORK/certs/somebody.token")"
refused 'pod "leak" violates Curfew level "restricted": copied-token: '
prints_not eyJ
