# SPDX-License-Identifier: Apache-2.0
# reviews.sh - AdmissionReviews as an API server sends them, for shell tests. Sourced.

# admission KIND RESOURCE OPERATION NAMESPACE NAME OBJECT OLD-OBJECT [MEMBERS]: of a kind of the core group,
# by alice; objects and further members of the request are JSON.
admission() {
    printf '%s' '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{' \
        '"uid":"11111111-2222-3333-4444-555555555555",' \
        '"kind":{"group":"","version":"v1","kind":"' "$1" '"},' \
        '"resource":{"group":"","version":"v1","resource":"' "$2" '"},' "${8:-}" '"name":"' "$5" '",' \
        '"namespace":"' "$4" '","operation":"' "$3" '","userInfo":{"username":"alice",' \
        '"groups":["system:authenticated"]},"object":' "$6" ',' \
        '"oldObject":' "$7" ',"dryRun":false,"options":null}}'
}

# pod JSON: a pod's review with this JSON as the only token's expirationSeconds.
pod() {
    admission Pod pods CREATE shop p '{"apiVersion":"v1","kind":"Pod",'\
'"metadata":{"name":"p","namespace":"shop"},"spec":{"containers":[{"name":"c","image":"i"}],'\
'"volumes":[{"name":"t","projected":{"sources":[{"serviceAccountToken":{"path":"token","audience":"vault",'\
'"expirationSeconds":'"$1"'}}]}}]}}' null
}

# labels JSON: the same with this JSON as its labels.
labels() {
    pod 3600 | sed "s|\"namespace\":\"shop\"},\"spec\"|\"namespace\":\"shop\",\"labels\":$1},\"spec\"|"
}

# padded BYTES: the same with an annotation of that length.
padded() {
    pod 3600 | sed 's|"namespace":"shop"},"spec".*|"namespace":"shop","annotations":{"a":"|' | tr -d '\n'
    head -c "$1" /dev/zero | tr '\0' 'x'
    pod 3600 | sed 's|.*"namespace":"shop"},"spec"|"}},"spec"|'
}

# relabel SUBRESOURCE BEFORE AFTER: an update of the labels of the namespace lab, JSON objects.
relabel() {
    local head='{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"lab","labels":'
    admission Namespace namespaces UPDATE lab lab "$head$3}}" "$head$2}}" "\"subResource\":\"$1\","
}
