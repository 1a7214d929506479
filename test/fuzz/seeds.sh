#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds.sh DIR - writes what the other tests read as inputs of the targets: DIR/TARGET/NAME.
#
# The first byte of an input chooses among configurations and ways, as each target says at its top;
# it is given in octal here.
set -eu
cd "$(dirname "$0")/../.."
to=$1

# seed TARGET OCTAL FILE...: each file behind that byte.
seed() {
    target=$1
    byte=$2
    shift 2
    mkdir -p "$to/$target"
    for file in "$@"; do
        [ -s "$file" ] || continue
        name=$(echo "$file" | tr / - | tail -c 120)
        { printf '%b' "\\0$byte" && cat "$file"; } > "$to/$target/$byte-$name"
    done
}

# as_is TARGET FILE...: for a target without such a byte.
as_is() {
    target=$1
    shift
    mkdir -p "$to/$target"
    for file in "$@"; do
        cp "$file" "$to/$target/$(echo "$file" | tr / - | tail -c 120)"
    done
}

# Reviews, as they were recorded, under each configuration.
seed review 000 test/recorded/mutate.*.json
seed review 003 test/recorded/mutate.*.json
seed review 001 test/recorded/validate.*.json
seed review 010 test/recorded/validate.*.json
seed review 012 test/recorded/validate.*.json
seed review 002 test/recorded/mutate.*serviceaccounts-token*.json
seed review 001 test/golden/*/review.json
seed authorize 000 test/recorded/authorize/*.json test/golden/*/*-*.json
seed authorize 001 test/recorded/authorize/*.json

as_is policy test/rules/*/*/*.config.yaml test/golden/*/curfew.yaml test/golden/*/config.yaml

seed token 000 test/tokens/*.jwt test/golden/inspect-*/*.jwt
seed token 001 test/tokens/*.jwt test/golden/inspect-*/*.json test/golden/inspect-*/*.txt \
    test/golden/inspect-secrets/secrets.yaml test/recorded/*secrets.copied*.json \
    test/recorded/*configmaps.copied*.json
seed token 003 test/tokens/*.jwt
seed token 002 test/tokens/jwks.json test/golden/inspect-*/*keys*.json

for file in test/golden/*/*.y*ml test/rules/*/*/*.yaml; do
    case $file in
    *.config.yaml | */curfew.yaml | */config.yaml) ;;
    *) seed manifest 000 "$file" ;;
    esac
done
seed manifest 001 test/golden/*/*.json
seed manifest 006 test/golden/fix-*/*.yaml test/golden/list*/*.yaml

seed kubeconfig 000 test/golden/inspect-kubeconfig/config deploy/*/kubeconfig.example.yaml
