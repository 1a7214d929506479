#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# defaults.sh - charts/curfew/files/defaults.yaml, on standard output: values.yaml without its comments.
# Templates cannot read values.yaml, and Helm takes a key away that is null.
set -eu
cd "$(dirname "$0")/../.."
echo '# values.yaml without its comments, for what is null in the values; written by `make manifests`.'
sed -e '/^ *#/d' -e '/^ *$/d' charts/curfew/values.yaml
