#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# suite.sh SCENARIOS... - runs in the sandbox: starts the cluster and runs the files with scenarios. Prints
# their results, and writes the seconds of each to $E2E_WORK/seconds.
set -u
E2E_HOME=$(dirname "$0")
. "$E2E_HOME/cluster/up.sh"
. "$E2E_HOME/lib.sh"
. "$E2E_HOME/curfew.sh"
. "$E2E_HOME/inside.sh"
. "$E2E_HOME/load.sh"
patience=1200 # seconds for all of it

# took NAME SINCE
took() {
    printf '%-28s %4d s\n' "$1" $(($(date +%s) - $2)) >> "$E2E_WORK/seconds"
}

# Kills everything in the sandbox after the timeout.
watch() {
    sleep $patience
    echo "FAIL timeout after $patience s"
    kill -KILL -1
}
[ -n "${E2E_SHELL:-}" ] || watch &

began=$(date +%s)
cluster_up
took 'cluster up' "$began"

for file in "$@"; do
    began=$(date +%s)
    name=$(basename "$file" .sh)
    echo "--- $name"
    (
        # shellcheck source=/dev/null
        . "$file"
        finish
    ) || echo "FAIL $file ended early"
    took "$name" "$began"
    runs apiserver || give_up 'the API server is not running'
done
if [ -n "${E2E_SHELL:-}" ]; then
    echo "kubectl runs as the admin. The files of the cluster are in $E2E_WORK."
    KUBECONFIG=$E2E_WORK/certs/admin.kubeconfig bash -i < /dev/tty > /dev/tty 2>&1
fi
date +%s > "$E2E_WORK/finished"
