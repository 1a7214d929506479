# SPDX-License-Identifier: Apache-2.0
# lib.sh - what the tests of the API client share: certificates, servers, kubeconfigs. Sourced by
# run.sh, behind ../cases.sh.

# ---- certificates ----

# authority NAME: NAME.pem and NAME.key in $ca.
authority() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$ca/$1.key" &&
        openssl req -x509 -new -sha256 -key "$ca/$1.key" -subj "/CN=$1" -days 30 \
            -addext 'keyUsage=critical,keyCertSign' -out "$ca/$1.pem" 2>/dev/null || exit 1
}

# leaf NAME AUTHORITY SAN USAGE [x509 flag...]: a certificate for these names.
leaf() {
    local name="$1" by="$2" san="$3" usage="$4"
    shift 4
    [ $# -gt 0 ] || set -- -days 30
    printf 'subjectAltName=%s\nextendedKeyUsage=%s\n' "$san" "$usage" >"$ca/$name.cnf"
    openssl ecparam -name prime256v1 -genkey -noout -out "$ca/$name.key" &&
        openssl req -new -sha256 -key "$ca/$name.key" -subj "/CN=$name" -out "$ca/$name.csr" &&
        openssl x509 -req -sha256 -in "$ca/$name.csr" -CA "$ca/$by.pem" -CAkey "$ca/$by.key" \
            -set_serial "0x$(openssl rand -hex 8)" -extfile "$ca/$name.cnf" "$@" \
            -out "$ca/$name.pem" 2>/dev/null || exit 1
}

# expire NAME AUTHORITY: the leaf's certificate once more, of long ago (x509 -req of OpenSSL 3.5 takes
# no negative days).
expire() {
    printf '%s\n' '[ca]' 'default_ca = c' '[c]' 'database = index' 'new_certs_dir = .' 'rand_serial = yes' \
        'default_md = sha256' 'policy = p' '[p]' 'commonName = supplied' >"$ca/ca.cnf"
    (
        cd "$ca" && : >index &&
            openssl ca -batch -notext -config ca.cnf -cert "$2.pem" -keyfile "$2.key" -extfile "$1.cnf" \
                -startdate 20200101000000Z -enddate 20200102000000Z -in "$1.csr" -out "$1.pem" 2>/dev/null
    ) || {
        fail "a certificate of long ago" 'it could not be made'
        exit 1
    }
}

# ---- servers ----

# serve NAME [server.py flag...]: starts one; its port is in $port.
serve() {
    local name="$1"
    shift
    rm -f "$work/$name.port"
    python3 "$here/server.py" --port-file "$work/$name.port" "$@" 2>"$work/$name.err" &
    pids="$pids $!"
    wait_until 20 test -s "$work/$name.port" || {
        fail "the server $name starts" "$(cat "$work/$name.err")"
        exit 1
    }
    port=$(cat "$work/$name.port")
}

# ---- kubeconfigs ----

# kubeconfig FILE CLUSTER-LINES USER-LINES: context "c" with namespace "shop". Lines are indented here.
kubeconfig() {
    {
        printf 'apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n'
        printf -- '- name: c\n  context: {cluster: here, user: me, namespace: shop}\n'
        printf 'clusters:\n- name: here\n  cluster:\n'
        printf '%s\n' "$2" | sed 's/^/    /'
        printf 'users:\n- name: me\n  user:\n'
        printf '%s\n' "${3:-{\}}" | sed 's/^/    /'
    } >"$1"
}

# call PATH [flag...], with the kubeconfig $k: what the client says of a GET.
call() {
    local path="$1"
    shift
    timeout 60 "$client" call GET "$path" --kubeconfig "$k" "$@" 2>&1
}

stream() {
    local path="$1"
    shift
    timeout 60 "$client" stream "$path" --kubeconfig "$k" "$@" 2>&1
}
