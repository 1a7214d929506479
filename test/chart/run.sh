#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh - tests of the chart without a cluster: helm lint; values that the chart must reject
# (wrong/NAME.yaml, whose first line is the expected error); values and what they render
# (golden/NAME/values.yaml and rendered.yaml); null keys and a parent chart (nulls.sh); the plain
# manifests.
#
#   CURFEW=build/curfew sh test/chart/run.sh     compare
#   UPDATE=1 sh test/chart/run.sh                rewrite, then read the diff by eye
cd "$(dirname "$0")/../.." || exit 1
. test/chart/lib.sh
curfew=${CURFEW:-build/curfew}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0
failed=0

# result NAME FILE: passes if the file, which lists errors, is empty.
result() {
    if [ -s "$2" ]; then
        failed=$((failed + 1))
        echo "FAIL $1"
        head -n 60 "$2" | sed 's/^/    /'
    else
        passed=$((passed + 1))
        echo "ok   $1"
    fi
}

lints() {
    chart_helm lint --strict $chart > "$work/out" 2>&1 || cat "$work/out"
}

rejects() {
    want=$(sed -n '1s/^# //p' "$1")
    if render "$1" > "$work/out" 2> "$work/err"; then
        echo "it renders"
    elif ! grep -qF -- "$want" "$work/err"; then
        echo "the error lacks: $want"
        cat "$work/err"
    fi
}

# The program accepts the policy.
policy_of() {
    awk '/^  config\.yaml: \|/ { inside = 1; next }
        inside && !/^    / { exit }
        inside { sub(/^    /, ""); print }' "$1"
}

renders() {
    if ! render "$1/values.yaml" > "$work/rendered.yaml" 2> "$work/err"; then
        cat "$work/err"
        return
    fi
    render "$1/values.yaml" | cmp - "$work/rendered.yaml" 2>&1
    [ -z "${UPDATE:-}" ] || cp "$work/rendered.yaml" "$1/rendered.yaml"
    diff -u "$1/rendered.yaml" "$work/rendered.yaml"
    policy_of "$work/rendered.yaml" > "$work/config.yaml"
    if [ -s "$work/config.yaml" ]; then
        "$curfew" serve --check-config "$work/config.yaml" > "$work/out" 2>&1 || cat "$work/out"
    fi
    chart_helm lint --strict $chart --values "$1/values.yaml" > "$work/out" 2>&1 || cat "$work/out"
}

# Templates must not use functions that query the cluster or give another result in the next rendering.
# (The date is allowed, because exceptions expire.)
steady() {
    grep -rnE '\{\{.*\b(lookup|now|rand[A-Za-z]*|uuidv4|gen[A-Z][A-Za-z]*|derivePassword|htpasswd|bcrypt)\b' \
        $chart/templates | grep -vE 'dateInZone "2006-01-02" now "UTC"|"variables\.'
}

# No webhook exempts the release's namespace, because webhooks confine what accounts may write there.
guards_itself() {
    render "$1" > "$work/rendered.yaml" 2>&1 || cat "$work/rendered.yaml"
    grep -c '^- name: .*\.curfew\.dev$' "$work/rendered.yaml" | grep -qv '^0$' || echo 'no webhooks found'
    awk '/NotIn/ { n = 2 } n-- > 0 && /curfew-system/ { print FNR ": " $0 }' "$work/rendered.yaml"
}

# notes FLAG...: the notes that helm prints after an installation. `helm template` does not render
# NOTES.txt, and `helm install --dry-run` requires a cluster, so this renders them in a ConfigMap.
notes() {
    rm -rf "$work/noted"
    cp -r $chart "$work/noted"
    mv "$work/noted/templates/NOTES.txt" "$work/noted/NOTES.txt"
    cat > "$work/noted/templates/notes.yaml" << 'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  notes: |
{{ tpl (.Files.Get "NOTES.txt") . | indent 4 }}
END
    chart_helm template curfew "$work/noted" --namespace curfew-system --show-only templates/notes.yaml "$@" 2>&1
}

# warns TEXT FLAG..., warns_not TEXT FLAG...
warns() {
    want=$1
    shift
    notes "$@" > "$work/out"
    grep -qF -- "$want" "$work/out" || { echo "the notes lack: $want" && cat "$work/out"; }
}
warns_not() {
    but=$1
    shift
    notes "$@" > "$work/out"
    grep -q 'What is NOT covered' "$work/out" || echo 'no notes found'
    grep -F -- "$but" "$work/out"
}

manifests() {
    sh test/chart/manifests.sh "$work/manifests" 2>&1
    [ -z "${UPDATE:-}" ] || sh test/chart/manifests.sh
    diff -ru deploy/manifests "$work/manifests"
}

if ! helm_found; then
    echo "ok   skipped: no helm, and no Go to build it"
    echo "1 passed, 0 failed"
    exit 0
fi

lints > "$work/bad"
result 'helm lint --strict' "$work/bad"
steady > "$work/bad"
result 'templates do not use the cluster, the clock or random numbers' "$work/bad"
for values in test/chart/wrong/*.yaml; do
    rejects "$values" > "$work/bad"
    result "rejected: $(basename "$values" .yaml)" "$work/bad"
done
for folder in test/chart/golden/*/; do
    renders "${folder%/}" > "$work/bad"
    result "rendered: $(basename "$folder")" "$work/bad"
done
for folder in defaults everything outside; do
    guards_itself test/chart/golden/$folder/values.yaml > "$work/bad"
    result "no webhook exempts the namespace of the release: $folder" "$work/bad"
done
bearer='callers.bearer.configMap=keys,callers.bearer.issuer=i,callers.bearer.audiences={curfew}'
warns 'Any pod that reaches the Service can post reviews' > "$work/bad"
result 'the notes warn if callers are not authenticated' "$work/bad"
warns_not 'WARNING' --set callers.clientCA.configMap=ca > "$work/bad"
result 'the notes do not warn if client certificates are required' "$work/bad"
warns_not 'WARNING' --set "$bearer,callers.bearer.subjects={system:apiserver}" > "$work/bad"
result 'the notes do not warn if bearer tokens are required' "$work/bad"
warns 'allows every pod of the cluster to call Curfew' --set "$bearer,callers.bearer.subjects={system:serviceaccount:*}" \
    > "$work/bad"
result 'the notes warn about a subject that matches every pod' "$work/bad"
. test/chart/nulls.sh
manifests > "$work/bad"
result 'deploy/manifests is what `make manifests` renders' "$work/bad"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
