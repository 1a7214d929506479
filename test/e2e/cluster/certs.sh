#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# certs.sh DIR - creates the identities of the cluster: a test CA, and for each identity DIR/NAME.pem,
# NAME.key and NAME.kubeconfig.
set -eu
. "$(dirname "$0")/versions.sh"
umask 077
mkdir -p "$1"
cd "$1"

printf '[req]\ndistinguished_name = dn\n[dn]\n' > openssl.cnf

# certificate NAME SUBJECT OPTION...
certificate() {
    openssl req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj "$2" -keyout "$1.key" -out "$1.pem" "${@:3}" 2> openssl.log || {
        cat openssl.log >&2
        exit 1
    }
}

# leaf NAME SUBJECT [EXTENSION]: a certificate issued by the CA.
leaf() {
    certificate "$1" "$2" -CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE \
        -addext extendedKeyUsage=clientAuth,serverAuth ${3:+-addext "$3"}
}

# person NAME SUBJECT [EXTENSION]: a certificate and a kubeconfig that uses it.
person() {
    leaf "$@"
    cat > "$1.kubeconfig" << END
apiVersion: v1
kind: Config
clusters:
- {name: e2e, cluster: {server: "https://$NODE_IP:6443", certificate-authority: $PWD/ca.pem}}
users:
- {name: $1, user: {client-certificate: $PWD/$1.pem, client-key: $PWD/$1.key}}
contexts:
- {name: e2e, context: {cluster: e2e, user: $1}}
current-context: e2e
END
}

certificate ca /CN=curfew-e2e \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
leaf apiserver /CN=kube-apiserver \
    "subjectAltName=IP:$NODE_IP,IP:$API_SERVICE_IP,IP:127.0.0.1,DNS:kubernetes.default.svc"
leaf apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client
person kubelet "/O=system:nodes/CN=system:node:$NODE" "subjectAltName=IP:$NODE_IP"
person controller-manager /CN=system:kube-controller-manager
person scheduler /CN=system:kube-scheduler

# The users of the scenarios: the admin of the cluster, a user of the cluster, and Curfew.
person admin /O=system:masters/CN=admin
person dev /O=shop/CN=dev
person curfew /CN=curfew

openssl ecparam -name prime256v1 -genkey -noout -out sa.key
openssl ec -in sa.key -pubout -out sa.pub 2> openssl.log
