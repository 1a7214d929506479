# SPDX-License-Identifier: Apache-2.0
# pki.sh - client certificates by openssl, with any names, purposes and dates, and revoked ones.
# (Server certificates: dev_certs of server.sh.) Sourced; all files are in $ca.

# authority NAME: NAME.pem and NAME.key.
authority() {
    (
        cd "$ca" && mkdir "$1" && : >"$1/index" && echo 01 >"$1/serial" && echo 01 >"$1/crlnumber"
        printf '%s\n' '[ca]' 'default_ca = d' '[d]' "database = $1/index" "serial = $1/serial" \
            "crlnumber = $1/crlnumber" "new_certs_dir = $1" 'default_md = sha256' 'default_days = 20' \
            'default_crl_days = 30' 'unique_subject = no' 'policy = p' '[p]' 'commonName = supplied' >"$1/cnf"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -days 30 \
            -addext 'keyUsage=critical,keyCertSign,cRLSign' -keyout "$1.key" -out "$1.pem"
    ) >/dev/null 2>&1 || no_certificate "$1"
}

# as_authority NAME FLAG...: openssl ca.
as_authority() {
    local by="$1"
    shift
    (cd "$ca" && openssl ca -batch -notext -config "$by/cnf" -cert "$by.pem" -keyfile "$by.key" "$@") \
        >/dev/null 2>&1
}

# leaf NAME AUTHORITY CN EXTENSIONS [openssl ca flag...]: a certificate in NAME.pem, its key in NAME.key.
leaf() {
    local name="$1" by="$2" cn="$3"
    printf 'basicConstraints=CA:FALSE\n%s\n' "$4" >"$ca/$name.cnf"
    shift 4
    (
        cd "$ca" && openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$cn" \
            -keyout "$name.key" -out "$name.csr"
    ) >/dev/null 2>&1 &&
        as_authority "$by" -extfile "$name.cnf" -in "$name.csr" -out "$name.pem" "$@" || no_certificate "$name"
}

no_certificate() {
    fail "the certificate $1" 'openssl failed'
    exit 1
}

# revoke NAME AUTHORITY
revoke() {
    as_authority "$2" -revoke "$1.pem"
}

# revocations AUTHORITY: its list, in AUTHORITY.crl.
revocations() {
    as_authority "$1" -gencrl -out "$1.crl"
}
