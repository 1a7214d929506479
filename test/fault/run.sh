#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh - the watch with a faulty API server: single faults, unreadable objects, `curfew serve`, and a
# short storm of random faults. One line per case, then "N passed, N
# failed".
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
BUILD=${BUILD:-build}
export BUILD
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY KUBERNETES_SERVICE_HOST \
    KUBERNETES_SERVICE_PORT
export PYTHONDONTWRITEBYTECODE=1
status=0
for part in watches unread serve objects; do
    python3 "$here/$part.py" || status=1
done
python3 "$here/storm.py" 25 || status=1
exit $status
