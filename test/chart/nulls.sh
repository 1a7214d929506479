# SPDX-License-Identifier: Apache-2.0
# nulls.sh - keys that are null keep their defaults, as in a section whose keys are all commented out.
# Also the chart as a dependency, with the keys that Helm adds to its values. Sourced by run.sh. The keys
# come from values.yaml, so that new ones are covered.
defaults=$chart/files/defaults.yaml

# nulled DEPTH [FILE]: the keys of a mapping down to this depth, with null for the deepest. Lists and
# sections that are copied into an object unchanged are null.
nulled() {
    awk -v most="$1" '
        { match($0, /[^ ]/); indent = RSTART - 1 }
        within != "" && indent > within { next }
        { within = "" }
        /^ *- / { within = indent } # deeper lines belong to the item
        !/^ *[A-Za-z-]+:/ { next }
        {
            key = $0
            sub(/^ */, "", key)
            sub(/:.*/, "", key)
            value = $0
            sub(/^[^:]*:/, "", value)
            sub(/ +#.*/, "", value)
            whole = value != "" || indent / 2 >= most ||
                key ~ /^(labels|nodeSelector|podSecurityContext|resources|securityContext|updateStrategy)$/
            if (whole) within = indent
            printf "%*s%s:\n", indent, "", key
        }' "${2:-$defaults}"
}

# beneath KEY: prints standard input as the value of the key.
beneath() {
    echo "$1:"
    sed 's/^/  /'
}

top_keys() {
    sed -n 's/^\([A-Za-z]*\):.*/\1/p' $chart/values.yaml
}

# A template of a dependency has another path.
sourceless() {
    sed '/^# Source: /d'
}

# like WANTED FLAG...: the chart renders the same with these values.
like() {
    wanted=$1
    shift
    chart_helm template curfew "$@" --namespace curfew-system > "$work/out" 2> "$work/err" || cat "$work/err"
    sourceless < "$work/out" | diff "$wanted" - | head -n 20
}

# The keys of the configuration: those of the example, without those that the chart sets.
config_nulled() { # DEPTH
    nulled "$1" deploy/curfew.example.yaml | sed -E '/^(apiVersion|kind|contents):/d; /^  namespaces:/d' |
        beneath config
    echo 'validatingAdmissionPolicy: {enabled: true}'
}

# A parent chart that has Curfew as a dependency.
parent_made() {
    mkdir -p "$work/parent/charts"
    cp -r $chart "$work/parent/charts/curfew"
    cat > "$work/parent/Chart.yaml" << END
apiVersion: v2
name: parent
description: has Curfew as a dependency
icon: https://example.com/icon.svg
version: 1.0.0
dependencies:
- name: curfew
  version: $(cat VERSION)
  condition: curfew.enabled,global.curfew.enabled
  tags: [security]
END
    mkdir "$work/parent/templates"
    echo '{{/* no templates */}}' > "$work/parent/templates/none.yaml"
    cat > "$work/parent/values.yaml" << 'END'
tags: {security: true}
global: {imageRegistry: registry.example.com, curfew: {enabled: false}}
curfew: {enabled: true}
END
}

# With `enabled: false`, the parent does not render Curfew.
left_out() {
    chart_helm template curfew "$work/parent" "$@" > "$work/out" 2>&1
    grep -v '^$' "$work/out"
}

installs() { # FLAG...
    chart_helm install curfew "$@" --dry-run --namespace curfew-system --disable-openapi-validation \
        --kube-apiserver "http://127.0.0.1:$(cat "$work/port")" > "$work/out" 2>&1 || cat "$work/out"
    grep -q 'What is NOT covered' "$work/out" || echo 'no notes found'
}

lints_with() { # CHART FLAG...
    chart_helm lint --strict "$@" > "$work/out" 2>&1 || cat "$work/out"
}

# Every key of the schema accepts null: some versions of Helm keep null keys.
schema_takes_null() {
    python3 - $chart/values.schema.json << 'END'
import json, sys
schema = json.load(open(sys.argv[1], encoding="utf-8"))

def null(s):
    if "$ref" in s:
        return null(schema["$defs"][s["$ref"].split("/")[-1]])
    return s.get("if") == {"type": "null"} or "null" in s.get("type", []) or not set(s) - {"description"}

def walk(s, path):
    for key, inner in s.get("properties", {}).items():
        if key in s.get("required", []):
            continue
        if not null(inner) and not path.endswith(".issuerRef"):
            print(path[1:] + "." + key)
        if "$ref" in inner:
            inner = schema["$defs"][inner["$ref"].split("/")[-1]]
        walk(inner, path + "." + key)

walk(schema, "")
END
}

sh test/chart/defaults.sh | diff -u $defaults - > "$work/bad"
result 'files/defaults.yaml is values.yaml without comments (make manifests)' "$work/bad"
schema_takes_null > "$work/bad"
result 'the schema accepts null for every key' "$work/bad"

chart_helm template curfew $chart --namespace curfew-system | sourceless > "$work/default"
chart_helm template curfew $chart --namespace curfew-system --set validatingAdmissionPolicy.enabled=true |
    sourceless > "$work/backstop"
for key in $(top_keys) global enabled; do
    echo "$key:" > "$work/values.yaml"
    like "$work/default" $chart --values "$work/values.yaml"
done > "$work/bad"
[ "$(top_keys | wc -l)" -ge 30 ] || echo 'values.yaml has too few keys' >> "$work/bad"
result 'each key of values.yaml that is null keeps its default' "$work/bad"

parent_made
python3 test/chart/api.py "$work/port" &
api=$!
like "$work/default" "$work/parent" > "$work/bad"
result 'a dependency with a condition, tags and global renders the same' "$work/bad"
left_out --set curfew.enabled=false > "$work/bad"
result 'a dependency with curfew.enabled=false renders nothing' "$work/bad"
for depth in 0 1 2; do
    nulled $depth > "$work/null.yaml"
    beneath curfew < "$work/null.yaml" > "$work/below.yaml"
    echo '  enabled: true' >> "$work/below.yaml"
    like "$work/default" $chart --values "$work/null.yaml" > "$work/bad"
    result "all keys null to depth $depth: renders the defaults" "$work/bad"
    like "$work/default" "$work/parent" --values "$work/below.yaml" > "$work/bad"
    result "all keys null to depth $depth in a parent: renders the defaults" "$work/bad"
    config_nulled $depth > "$work/config.yaml"
    like "$work/backstop" $chart --values "$work/config.yaml" > "$work/bad"
    result "all keys of config null to depth $depth: renders the defaults" "$work/bad"
done
{
    lints_with $chart --values "$work/null.yaml"
    lints_with $chart --values "$work/config.yaml"
    lints_with "$work/parent" --values "$work/below.yaml"
} > "$work/bad"
result 'helm lint --strict accepts null keys' "$work/bad"
until [ -s "$work/port" ] || ! kill -0 $api 2> /dev/null; do sleep 0.1; done
{
    installs $chart --values "$work/null.yaml"
    installs $chart --values "$work/config.yaml"
    installs "$work/parent" --values "$work/below.yaml" --render-subchart-notes
} > "$work/bad"
kill $api
result 'helm install --dry-run accepts null keys' "$work/bad"
