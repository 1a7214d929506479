# SPDX-License-Identifier: Apache-2.0
# 80-old-pods.sh - objects from before Curfew keep working until they are replaced.
# shellcheck shell=bash

scenario 'an old pod keeps running with its token'
dev exec -n shop old -- token-life /tok/token
said_is never-ends

scenario 'an old pod can be labelled, annotated and debugged'
dev label pod old -n shop seen=yes
said_is 'pod/old labeled'
dev annotate pod old -n shop note=leaves-next-week
said_is 'pod/old annotated'
dev debug -n shop old --image=localhost/curfew-e2e:1 --container=debugger --profile=general
dev get pod old -n shop -o jsonpath='{.spec.ephemeralContainers[*].name}'
said_is debugger

scenario 'an old pod can be deleted, also with a finalizer'
dev patch pod old -n shop --type=merge -p '{"metadata": {"finalizers": ["example.com/wait"]}}'
dev delete pod old -n shop --wait=false
dev patch pod old -n shop --type=merge -p '{"metadata": {"finalizers": null}}'
dev wait -n shop --for=delete pod/old --timeout=180s
dev get pod old -n shop
fails
prints 'pods "old" not found'
