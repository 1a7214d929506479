#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# play.sh SCENARIOS... - what happens inside the room: the cluster comes up, the files with scenarios
# are played. Prints their lines, and the seconds of each to $E2E_WORK/seconds.
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

# Whatever hangs is ended, with all that is in the room.
watch() {
    sleep $patience
    echo "FAIL not done within $patience s"
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
    runs apiserver || give_up 'the API server is gone'
done
if [ -n "${E2E_SHELL:-}" ]; then
    echo "kubectl is the admin's. What was made is in $E2E_WORK."
    KUBECONFIG=$E2E_WORK/certs/admin.kubeconfig bash -i < /dev/tty > /dev/tty 2>&1
fi
date +%s > "$E2E_WORK/played"
