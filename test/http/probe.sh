# SPDX-License-Identifier: Apache-2.0
# probe.sh - `curfew probe` sends a review to the running server. Sourced by run.sh.
# shellcheck shell=sh

# probe [FLAG...]: prints its exit code; what it says is in $work/probe.
probe() {
    "$curfew" probe --server "https://localhost:$port" --ca-file "$certs/ca.crt" "$@" \
        > "$work/probe" 2>&1
    echo $?
}

# says NAME WANT STATUS TEXT: it exited with STATUS and printed TEXT.
says() {
    equal "$1" "$2 yes" "$3 $(grep -qF -- "$4" "$work/probe" && echo yes || cat "$work/probe")"
}

denial='answers: denied: secret "curfew-probe" violates Curfew level "baseline": legacy-token-secret'
status=$(probe)
says 'probe: any answer will do' 0 "$status" "$denial"
status=$(probe --expect denied)
says 'probe: the answer is the expected one' 0 "$status" "$denial"
status=$(probe --expect allowed)
says 'probe: the answer is another one' 1 "$status" 'curfew probe: expected allowed'
status=$(probe --server-name other.example)
says 'probe: the certificate has another name' 3 "$status" 'localhost'
status=$("$curfew" probe --server "https://127.0.0.1:$port" --server-name localhost \
    --ca-file "$certs/ca.crt" > "$work/probe" 2>&1; echo $?)
says 'probe: an address, and the name that its certificate is for' 0 "$status" "$denial"
status=$(probe --ca-file "$work/other.pem")
says 'probe: an authority that is not trusted' 3 "$status" 'curfew probe: '
status=$(probe --ca-file "$work/none.pem")
says 'probe: no such file of authorities' 3 "$status" "$work/none.pem"
status=$("$curfew" probe --server "https://localhost:1" --ca-file "$certs/ca.crt" > "$work/probe" 2>&1
    echo $?)
says 'probe: no server' 3 "$status" 'https://localhost:1'
status=$(probe --server "https://localhost:$port/mutate" --expect denied)
says 'probe: another path has no verdict' 3 "$status" 'answers with status 404: '
