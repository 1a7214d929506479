# SPDX-License-Identifier: Apache-2.0
# metrics.sh - the inventory metrics, and names that try to forge series. Sourced by run.sh.

# legacy NAMESPACE NAME: a legacy Secret, the names as texts of JSON. Manifests can hold names that an
# API server would never take.
legacy() {
    printf '{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/service-account-token",'
    printf '"metadata":{"name":"%s","namespace":"%s",' "$2" "$1"
    printf '"annotations":{"kubernetes.io/service-account.name":"a"}}},\n'
}
{
    printf '{"apiVersion":"v1","kind":"List","items":[\n'
    legacy 'x\"} 0\ncurfew_forged{a=\"b' one
    legacy 'back\\slash' two
    legacy 'back\\slash' three
    legacy team four
    printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"team"},"spec":{'
    printf '"containers":[{"name":"c","envFrom":[{"secretRef":{"name":"four"}}]}]}}]}\n'
} >"$work/names.json"

# has_series LINE: the metrics have exactly this line.
has_series() {
    check "metrics have: $1" "$(grep -E '^curfew_(legacy|pods|forged)' "$work/metrics")" \
        grep -qxF -- "$1" "$work/metrics"
}
in_format() {
    check "$1" "$(awk -f "$here/metrics.awk" "$work/metrics")" \
        awk -f "$here/metrics.awk" "$work/metrics"
}
no_series() {
    check "$1" "$(grep -E -- "$2" "$work/metrics")" sh -c '! grep -qE -- "$1" "$2"' sh "$2" \
        "$work/metrics"
}

was=$objects
objects=$work/names.json
server "$work/names.log" || exit 1
get /metrics >/dev/null
cp "$work/body" "$work/metrics"
in_format 'names of the cluster leave the format as it is'
no_series 'no name of the cluster is exposed' 'forged|slash|team|namespace='
has_series 'curfew_legacy_secrets{state="used"} 0'
has_series 'curfew_legacy_secrets{state="unused"} 4'
has_series 'curfew_legacy_secrets{state="invalid"} 0'
has_series 'curfew_pods_with_legacy_secrets 1'
stops 'and it ends' "$pid"

server "$work/names.log" --metrics-namespaces || exit 1
get /metrics >/dev/null
cp "$work/body" "$work/metrics"
in_format 'with --metrics-namespaces, too'
no_series 'no name creates a series' '^curfew_forged'
has_series 'curfew_legacy_secrets{namespace="x\"} 0\ncurfew_forged{a=\"b",state="unused"} 1'
has_series 'curfew_legacy_secrets{namespace="back\\slash",state="unused"} 2'
has_series 'curfew_legacy_secrets{namespace="team",state="unused"} 1'
has_series 'curfew_pods_with_legacy_secrets{namespace="team"} 1'
has_series 'curfew_pods_with_legacy_secrets{namespace="back\\slash"} 0'
no_series 'nothing is counted twice' '^curfew_(legacy_secrets\{state|pods_with_legacy_secrets )'
stops 'and it ends' "$pid"

# 1,000 namespaces have separate series, the others share one.
objects=$work/many.objects.yaml
awk 'BEGIN {
    for (i = 1; i <= 1003; i++)
        printf "---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\n" \
            "metadata: {name: t, namespace: n%04d, uid: u%d, " \
            "annotations: {kubernetes.io/service-account.name: web}}\n", i, i
}' >"$objects"
server "$work/many.log" --metrics-namespaces || exit 1
get /metrics >/dev/null
cp "$work/body" "$work/metrics"
equal 'of 1,003 namespaces 1,000 are named' 1000 \
    "$(grep -c '^curfew_legacy_secrets{namespace="n[0-9]*",state="unused"} 1$' "$work/metrics")"
has_series 'curfew_legacy_secrets{namespace="_others",state="unused"} 3'
stops 'and it ends' "$pid"
objects=$was
