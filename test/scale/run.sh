#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [CURFEW] - large files: memory stays within the bound of the largest document, and time grows
# linearly. One line per case, then "N passed, N failed"; exits 1 after a failure.
#
#   ONLY=list sh test/scale/run.sh     only cases whose names contain this text
#
# Generates each input in $TMPDIR when it is needed (up to 1 GB), and removes it afterwards.
set -u

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
curfew=${1:-${CURFEW:-$root/build/curfew}}
work=$(mktemp -d)
. "$root/test/cases.sh"
. "$root/test/lib/server.sh"
. "$root/test/scale/lib.sh"
trap cleanup EXIT
trap 'exit 1' INT TERM

counts '100,000 documents in a file' 100000 1000 documents 100000
counts '170,000 tiny documents' 170000 0 tiny 170000
counts '4,000 pods as JSON lines' 4000 40 lines 4000
counts '40,000 pods as JSON lines' 40000 400 lines 40000
counts 'a List of 50,000 pods, YAML' 50000 500 list-yaml 50000
counts 'a List of 50,000 pods, JSON' 50000 500 list-json 50000
counts 'a List of 2,000 dumped pods' 2000 2000 dumped 2000
piped 'a List of 50,000 pods, YAML, through a pipe' 50000 500 list-yaml 50000
piped 'a List of 50,000 pods, JSON, through a pipe' 50000 500 list-json 50000
counts 'Secrets after 10,000 pods, documents' 20000 20000 documents 10000 secrets
counts 'Secrets after 10,000 pods, in a List' 20000 20000 list-yaml 10000 secrets
piped 'Secrets after 10,000 pods, through a pipe' 20000 20000 lines 10000 secrets
linear 'a file of documents' documents 20000
linear 'a file of tiny documents' tiny 80000
linear 'JSON lines' lines 20000
linear 'a List, YAML' list-yaml 20000
linear 'a List, JSON' list-json 20000
linear 'a file with its Secrets after the pods' documents 10000 secrets
as_json '50,000 documents, -o json'
fixes '50,000 documents, --fix'
serves 'a server with 100,000 documents' 50000 50000 documents 50000 secrets
serves 'a server with a List, YAML' 10000 10000 list-yaml 10000 secrets
serves 'a server with a List, JSON' 10000 10000 list-json 10000 secrets
serves 'a server with JSON lines' 10000 10000 lines 10000 secrets
tokens 'inspect counts 1,500,000 tokens once each' 1500000 \
    '1500000 tokens, 0 findings; not listed: 0 of the findings, 1400000 of the others'
tokens 'inspect reports that it may count one more twice' 1500001 \
    'at most 1500002 tokens, 0 findings; not listed: 0 of the findings, 1400002 of the others'
folder '935 MB of files'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
