# A List of 4,000 pods, more than 1 MiB: in YAML as kubectl prints it, or in JSON (json=1). `bad` is
# the index of an item that can't be read.
BEGIN {
    pad = sprintf("%160s", "")
    gsub(/ /, "x", pad)
    printf json ? "{\"apiVersion\": \"v1\", \"items\": [\n" : "apiVersion: v1\nitems:\n"
    for (i = 0; i < 4000; i++)
        pod(i)
    printf json ? "],\n \"kind\": \"List\", \"metadata\": {\"resourceVersion\": \"\"}}\n" \
                : "kind: List\nmetadata:\n  resourceVersion: \"\"\n"
}

function pod(i) {
    life = i % 1000 == 7 ? 100000 : 3600
    again = (bad != "" && i == bad) ? (json ? "\"kind\": \"Pod\", " : "  kind: Pod\n") : ""
    if (json)
        printf "%s{\"apiVersion\": \"v1\", \"kind\": \"Pod\", %s\"metadata\": {\"name\": \"p%d\", \"labels\": {\"x\": \"%s\"}},\n  \"spec\": {\"volumes\": [{\"name\": \"t\", \"projected\": {\"sources\": [{\"serviceAccountToken\": {\"path\": \"t\",\n    \"expirationSeconds\": %d}}]}}]}}", (i > 0 ? ",\n" : ""), again, i, pad, life
    else
        printf "- apiVersion: v1\n  kind: Pod\n%s  metadata:\n    name: p%d\n    labels: {x: %s}\n  spec:\n    volumes:\n    - name: t\n      projected:\n        sources:\n        # - not an item\n        - serviceAccountToken: {path: t, expirationSeconds: %d}\n", again, i, pad, life
}
