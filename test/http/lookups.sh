# SPDX-License-Identifier: Apache-2.0
# lookups.sh - before the first list of Secrets: there is no API server at this address.
# Sourced by run.sh.

kubeconfig "$work/nowhere" 'server: http://127.0.0.1:1'

# unknowing LOOKUP_FAILURE [FLAG...]: a server without any list, at level restricted.
unknowing() {
    cat >"$work/lookups.yaml" <<END
apiVersion: curfew.dev/v1alpha1
kind: CurfewConfiguration
defaults: {enforce: restricted}
lookupFailure: {restricted: $1}
END
    shift
    known=$objects objects=
    server "$work/lookups.log" --kubeconfig "$work/nowhere" \
        --config "$work/lookups.yaml" "$@" || exit 1
    objects=$known
}

# holds NAME TEXT: the last response contains the text.
holds() {
    check "$1" "$(head -c 1500 "$work/body")" grep -qF -- "$2" "$work/body"
}

unknowing deny
equal 'unsynced: not ready' 503 "$(get /readyz)"
equal 'unsynced: a review is answered' 200 "$(post /validate "$denied")"
holds 'unsynced and deny: denied' '"allowed":false,"status":{"code":403,'
holds 'the answer says what is not known' 'legacy-token-mount: volume \"tok\" mounts Secret \"web-token\", which Curfew can'
holds 'and why' 'Curfew has not listed the cluster'
holds 'with a remedy' 'do this: try again in a few seconds; if the problem persists'
equal 'unsynced: /mutate answers' 200 "$(post /mutate "$fixed")"
check 'unsynced: nothing is converted' "$(cat "$work/body")" \
    sh -c '! grep -q legacy-token-mount "$1"' sh "$work/body"
stops 'and ends' "$pid"

unknowing allow
post /validate "$denied" >/dev/null
holds 'unsynced and allow: allowed' '"allowed":true'
holds 'with a warning' 'could not be evaluated at Curfew level \"restricted\": legacy-token-mount: '
stops 'and ends' "$pid"

unknowing deny --no-secret-watch
post /validate "$denied" >/dev/null
holds 'never listed: another reason' 'Curfew runs without a list of the cluster'
holds 'never listed: another remedy' 'do this: ask the Curfew administrator'
stops 'and ends' "$pid"
