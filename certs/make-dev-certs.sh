#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make-dev-certs.sh [DIR]: creates a CA and a serving certificate for development and tests with `curfew
# certs` ($CURFEW, default build/curfew): ca.crt, ca.key, tls.crt and tls.key in DIR (default: the directory
# of this script). When run again, it renews the serving certificate and keeps the CA.
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
