#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [NAME...] - runs the golden cases in this folder (golden.py describes their format). Without
# a NAME it also proves that a case can fail. UPDATE=1 rewrites the cases.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
export PYTHONDONTWRITEBYTECODE=1
status=0
python3 "$here/golden.py" "$@" || status=1
[ $# -gt 0 ] || python3 "$here/selftest.py" || status=1
exit $status
