# SPDX-License-Identifier: Apache-2.0
# load.sh - creates pods continuously during a scenario; sourced.
# shellcheck shell=bash

load=$E2E_WORK/load
# A slow machine may create fewer pods per second.
E2E_RATE=${E2E_RATE:-200}

answers() {
    cat "$load/answers" 2> /dev/null || echo 0
}

answered() {
    [ "$(answers)" -ge "$1" ]
}
# goes_on N: N more pods were created since.
goes_on() {
    check 'pods are created' await 60 'pods created' answered $(($(answers) + $1))
}

load_starts() {
    settle
    rm -rf "$load"
    mkdir -p "$load"
    start load python3 "$E2E_HOME/load.py" "$certs" "$NODE_IP:6443" "$E2E_RATE" "$load"
    goes_on 400
}

# load_ends: waits a moment after the last event, and stops.
load_ends() {
    goes_on 400
    settle
    stop load
    typed="what the load met" said=$(cat "$load/summary" && cut -d' ' -f3- "$load/failures" | sort | uniq -c)
    printf '%s: %s\n' "$title" "$said" >> "$E2E_WORK/log/load.log"
    echo "   $(cat "$load/summary")"
}

no_failures() {
    load_ends
    prints ' created, 0 failed; '
}
