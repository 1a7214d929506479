#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds.sh DIR - writes the inputs of other tests as inputs of the targets: DIR/TARGET/NAME.
#
# The first byte of an input selects a configuration or a mode, as each target documents; it is given in
# octal here.
set -eu
cd "$(dirname "$0")/../.."
to=$1

# The input of the golden cases.
golden=$(mktemp -d)
trap 'rm -rf "$golden"' EXIT
python3 -B test/golden/golden.py --extract "$golden"

name_of() {
    echo "${1#"$golden"/}" | tr / - | tail -c 120
}

# seed TARGET OCTAL FILE...: writes each file after that byte.
seed() {
    target=$1
    byte=$2
    shift 2
    mkdir -p "$to/$target"
    for file in "$@"; do
        [ -s "$file" ] || continue
        name=$(name_of "$file")
        { printf '%b' "\\0$byte" && cat "$file"; } > "$to/$target/$byte-$name"
    done
}

# as_is TARGET FILE...: writes each file for a target without such a byte.
as_is() {
    target=$1
    shift
    mkdir -p "$to/$target"
    for file in "$@"; do
        cp "$file" "$to/$target/$(name_of "$file")"
    done
}

# Recorded reviews under each configuration.
seed review 000 test/recorded/mutate.*.json
seed review 003 test/recorded/mutate.*.json
seed review 001 test/recorded/validate.*.json
seed review 010 test/recorded/validate.*.json
seed review 012 test/recorded/validate.*.json
seed review 002 test/recorded/mutate.*serviceaccounts-token*.json
seed review 001 "$golden"/*/review.json
seed authorize 000 test/recorded/authorize/*.json
seed authorize 001 test/recorded/authorize/*.json

as_is policy test/rules/*/*/*.config.yaml "$golden"/*/curfew.yaml "$golden"/*/config.yaml

seed token 000 test/tokens/*.jwt "$golden"/inspect-*/*.jwt
seed token 001 test/tokens/*.jwt "$golden"/inspect-*/*.json "$golden"/inspect-*/*.txt \
    "$golden"/inspect-secrets/secrets.yaml test/recorded/*secrets.copied*.json \
    test/recorded/*configmaps.copied*.json
seed token 003 test/tokens/*.jwt
seed token 002 test/tokens/jwks.json "$golden"/inspect-*/*keys*.json

for file in "$golden"/*/*.y*ml test/rules/*/*/*.yaml; do
    case $file in
    *.config.yaml | */curfew.yaml | */config.yaml) ;;
    *) seed manifest 000 "$file" ;;
    esac
done
seed manifest 001 "$golden"/*/*.json
seed manifest 006 "$golden"/fix-*/*.yaml "$golden"/list*/*.yaml

# text TARGET OCTAL NAME: writes the standard input.
text() {
    mkdir -p "$to/$1"
    { printf '%b' "\\0$2" && cat; } > "$to/$1/$2-$3"
}

# Texts that are slow to parse in some YAML readers.
awk 'BEGIN { for (i = 0; i < 60; i++) print "%TAG !e" i "! tag:e" i ",2000:"
             print "---\nkind: Pod\na: !e1!b c" }' | text manifest 000 tags
awk 'BEGIN { print "kind: Pod\na:"; for (i = 0; i < 90; i++) print "- &a" i " x" i
             for (i = 0; i < 90; i++) print "- *a" i }' | text manifest 000 anchors
awk 'BEGIN { printf "kind: Pod\na: "; for (i = 0; i < 99; i++) printf "["
             for (i = 0; i < 99; i++) printf "]"; print "" }' | text manifest 000 deep
awk 'BEGIN { printf "{\"kind\":\"Pod\",\"a\":"; for (i = 0; i < 98; i++) printf "{\"a\":"
             printf "1"; for (i = 0; i < 99; i++) printf "}"; print "" }' | text manifest 001 deep
text manifest 000 texts << 'END'
kind: Pod
a: ["a: b", "a #b", "- x", "yes", "1e3", "~", "", " x", "x ", "0o7", "2026-01-01", "=", "<<", "a:"]
b: "two\nlines\n"
c: "\ttab\n  more"
? "e: f"
: {<<: {g: h}, "i\u00a0": "\u202e"}
END

seed kubeconfig 000 "$golden"/inspect-kubeconfig/config deploy/*/kubeconfig.example.yaml

contexts='kind: Config
current-context: c
contexts: [{name: c, context: {cluster: h, user: m, namespace: shop}}]
'
cluster='clusters: [{name: h, cluster: {server: "https://h:6443/", tls-server-name: api}}]
'
text kubeconfig 000 token << END
$contexts${cluster}users: [{name: m, user: {token: t-0123456789abcdef}}]
END
text kubeconfig 000 token-without-tls << END
${contexts}clusters: [{name: h, cluster: {server: "http://h"}}]
users: [{name: m, user: {token: t-0123456789abcdef}}]
END
text kubeconfig 001 plain << END
${contexts}clusters: [{name: h, cluster: {server: "http://h", proxy-url: "http://p:1"}}]
users: [{name: m, user: {username: ""}}]
END
text kubeconfig 000 certificate << END
${contexts}clusters: [{name: h, cluster: {server: h, insecure-skip-tls-verify: true}}]
users: [{name: m, user: {client-certificate-data: YQ==, client-key-data: YWI=, tokenFile: ""}}]
END
text kubeconfig 000 exec << END
${contexts}clusters: [{name: h, cluster: {server: "https://h", certificate-authority: ca.pem,
  extensions: [{name: client.authentication.k8s.io/exec, extension: {a: [1]}}]}}]
users: [{name: m, user: {exec: {command: ./login, apiVersion: client.authentication.k8s.io/v1,
  args: [a, b], env: [{name: A, value: b}], interactiveMode: Never, installHint: apt}}}]
END
text kubeconfig 000 cluster-info << END
${contexts}clusters: [{name: h, cluster: {server: "https://h", certificate-authority-data: YQ==}}]
users: [{name: m, user: {exec: {command: login, provideClusterInfo: true,
  apiVersion: client.authentication.k8s.io/v1beta1}}}]
END
for byte in 002 003; do
    version=v1
    [ $byte = 002 ] || version=v1beta1
    text kubeconfig $byte credential << END
{"apiVersion":"client.authentication.k8s.io/$version","kind":"ExecCredential","status":{
"token":"t","expirationTimestamp":"2027-11-22T15:12:51.5+02:00",
"clientCertificateData":"c","clientKeyData":"k"}}
END
done
