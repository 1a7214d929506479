# SPDX-License-Identifier: Apache-2.0
# 50-token-requests.sh - kubectl create token: the lifetime and the binding that the level allows.
# shellcheck shell=bash

scenario 'baseline: a token of ten days is shortened to a day, with a warning'
dev create token runner -n ci --duration 240h
prints 'Warning: token request for service account "runner": token-lifetime: it requested a token of 864000 s and gets one of 86400 s'
prints 'unbound-token: the token would be bound to nothing; bind it to a pod of the account, or mount a projected serviceAccountToken volume'
the_token_lives 86400

scenario 'baseline: a token of an hour is unchanged'
dev create token runner -n ci --duration 1h
the_token_lives 3600

scenario 'restricted: an unbound token is denied, with the command that binds it'
dev create token web -n shop --duration 10m
refused 'token request for service account "web" violates Curfew level "restricted": unbound-token'
prints '--bound-object-kind'

scenario 'restricted: a token that is bound to a pod is allowed, and expires within the hour'
dev create token web -n shop --duration 10m --bound-object-kind Pod --bound-object-name old
the_token_lives 600
dev create token web -n shop --duration 240h --bound-object-kind Pod --bound-object-name old
prints 'token-lifetime: '
the_token_lives 3600

scenario 'restricted: a token that is bound to a Secret is denied, since anyone can create the Secret'
dev create token web -n shop --bound-object-kind Secret --bound-object-name web-token
refused 'token request for service account "web" violates Curfew level "restricted": unbound-token'
