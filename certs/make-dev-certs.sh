#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make-dev-certs.sh [DIR]: a CA and a serving certificate for development and tests, ECDSA P-256.
# Leaves ca.pem, ca.key, tls.pem and tls.key in DIR (default: beside this script). What is there
# and still good for a day is left alone.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dir=${1:-$here}
days=90
umask 077

mkdir -p "$dir"
cd "$dir"

good() { # CERT KEY: both there, the certificate not about to end, and of this CA
    [ -s "$1" ] && [ -s "$2" ] &&
        openssl x509 -in "$1" -noout -checkend 86400 >/dev/null 2>&1 &&
        openssl verify -CAfile ca.pem "$1" >/dev/null 2>&1
}

key() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$1"
}

if ! good ca.pem ca.key; then
    rm -f tls.pem tls.key
    key ca.key
    openssl req -x509 -new -sha256 -key ca.key -days "$days" \
        -config "$here/dev.cnf" -extensions ca -out ca.pem
fi
if ! good tls.pem tls.key; then
    key tls.key
    openssl req -new -sha256 -key tls.key -subj "/CN=curfew" -config "$here/dev.cnf" -out tls.csr
    openssl x509 -req -sha256 -in tls.csr -CA ca.pem -CAkey ca.key -days "$days" \
        -set_serial "0x$(openssl rand -hex 16)" \
        -extfile "$here/dev.cnf" -extensions leaf -out tls.pem 2>/dev/null
    rm -f tls.csr
fi
chmod 644 ca.pem tls.pem
