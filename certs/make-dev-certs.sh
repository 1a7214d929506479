#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make-dev-certs.sh [DIR]: a CA and a serving certificate for development and tests, by `curfew certs`
# ($CURFEW, default build/curfew). Leaves ca.crt, ca.key, tls.crt and tls.key in DIR (default: beside this
# script). Run again, it renews the serving certificate; the CA stays.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dir=${1:-$here}
curfew=${CURFEW:-$here/../build/curfew}

if [ -e "$dir/ca.key" ]; then
    "$curfew" certs renew --dir "$dir"
else
    "$curfew" certs init --dir "$dir" --service curfew.curfew-system \
        --dns localhost --dns 127.0.0.1 --dns ::1
fi
