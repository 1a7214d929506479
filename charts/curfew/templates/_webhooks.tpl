{{/* Fragments that the webhooks share. */}}

{{/* curfew.client (list $ PATH): the clientConfig. If the values have no caBundle, the field is left to the
rotator or cert-manager, and applying the chart does not change it. */}}
{{- define "curfew.client" -}}
{{- $ := index . 0 -}}
{{- $path := index . 1 -}}
{{- with $.Values.webhooks.url }}
url: {{ trimSuffix "/" . }}{{ $path }}
{{- else }}
service: {name: {{ include "curfew.fullname" $ }}, namespace: {{ $.Release.Namespace }}, path: {{ $path }}, port: {{ $.Values.service.port }}}
{{- end }}
{{- with $.Values.webhooks.caBundle }}
caBundle: {{ trim . | printf "%s\n" | b64enc }}
{{- end }}
{{- end }}

{{/* curfew.entry (list $ PATH FAILURE-POLICY): the fields that every webhook has. */}}
{{- define "curfew.entry" -}}
{{- $ := index . 0 -}}
clientConfig:
  {{- include "curfew.client" (list $ (index . 1)) | trim | nindent 2 }}
failurePolicy: {{ index . 2 }}
matchPolicy: Equivalent
sideEffects: None
timeoutSeconds: {{ $.Values.webhooks.timeoutSeconds }}
admissionReviewVersions: [v1]
{{- end }}

{{/* The policy uses the same list. Curfew's own namespace is not exempt: see not-curfew-pods. */}}
{{- define "curfew.namespaces" -}}
{{- with .Values.exemptNamespaces -}}
namespaceSelector:
  matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{ . | uniq | toJson }}
{{- else -}}
namespaceSelector: {}
{{- end }}
{{- end }}

{{/* curfew.conditions (list $ NAME...): the named conditions, except those that render as empty, and those
of the values. */}}
{{- define "curfew.conditions" -}}
{{- $ := index . 0 -}}
matchConditions:
{{- range rest . }}
{{- with include (printf "curfew.condition.%s" .) $ }}
{{ . }}
{{- end }}
{{- end }}
{{- with $.Values.webhooks.matchConditions }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* "yes" if a rule reads more of a ServiceAccount than secrets[]. */}}
{{- define "curfew.requires" -}}
{{- $rule := default dict (index (default dict .Values.config.rules) "restricted-by-node-annotation") }}
{{- if $rule.require }}yes{{ end }}
{{- end }}

{{- define "curfew.isKubelet" -}}
request.userInfo.username.startsWith('system:node:') &&
has(request.userInfo.groups) && 'system:nodes' in request.userInfo.groups
{{- end }}

{{/* The usernames of Curfew's accounts, as a CEL list. */}}
{{- define "curfew.ownUsers" -}}
{{- $users := list }}
{{- range include "curfew.ownAccounts" . | fromJsonArray }}
{{- $users = append $users (printf "system:serviceaccount:%s:%s" $.Release.Namespace .) }}
{{- end }}
{{- toJson $users }}
{{- end }}

{{- define "curfew.condition.not-curfew-pods" -}}
{{- $accounts := include "curfew.ownAccounts" . }}
{{- if ne $accounts "[]" -}}
# Exempts new pods of Curfew's accounts and their tokens: they could not start while Curfew is down.
# Everything else in this namespace is reviewed, including ephemeral containers of these pods.
- name: not-curfew-pods
  expression: >-
    request.namespace != '{{ .Release.Namespace }}' || request.operation != 'CREATE' ||
    !(request.resource.resource == 'pods' &&
    object.spec.?serviceAccountName.orValue('') in {{ $accounts }} ||
    request.resource.resource == 'serviceaccounts' && request.?subResource.orValue('') == 'token' &&
    request.?name.orValue('') in {{ $accounts }})
{{- end }}
{{- end }}

{{- define "curfew.condition.not-curfew" -}}
{{- $users := include "curfew.ownUsers" . }}
{{- if ne $users "[]" -}}
# Exempts requests by Curfew's accounts: Curfew would wait for itself.
- name: not-curfew
  expression: >-
    !(request.userInfo.username in {{ $users }})
{{- end }}
{{- end }}

{{- define "curfew.condition.not-curfew-recovery" -}}
# Exempts the objects that must stay writable to recover from an outage: Curfew's configuration, the
# Secret of its certificate, and the records of this Helm release.
- name: not-curfew-recovery
  expression: >-
    request.namespace != '{{ .Release.Namespace }}' ||
    !(request.?name.orValue('') in {{ list (include "curfew.fullname" .) (include "curfew.tlsSecret" .) | toJson }} ||
    request.?name.orValue('').startsWith('sh.helm.release.v1.{{ .Release.Name }}.'))
{{- end }}

{{- define "curfew.condition.not-kubelets" -}}
# Exempts token requests by kubelets: Curfew reviewed these pods when they were created, and an outage
# must not prevent pods from starting.
- name: not-kubelets
  expression: >-
    request.resource.resource != 'serviceaccounts' ||
    !({{ include "curfew.isKubelet" . | indent 4 | trim }})
{{- end }}

{{- define "curfew.condition.only-kubelets" -}}
- name: only-kubelets
  expression: >-
    {{ include "curfew.isKubelet" . | indent 4 | trim }}
{{- end }}

{{/* Legacy Secrets, and Secrets of any type that may hold their own legacy token: the API server accepts
such a token regardless of the type. ZXlK is base64 for eyJ, the first characters of every JWT. The API
server ignores white space in a token, so the expression also matches data that begins with white space
or has white space among the first three characters. */}}
{{- define "curfew.isLegacySecret" -}}
object != null && ((has(object.type) && object.type == 'kubernetes.io/service-account-token') ||
(has(object.data) && 'token' in object.data && object.data['token'] != null &&
(object.data['token'].startsWith('ZXlK') || (object.data['token'].size() > 99 &&
object.data['token'].substring(0, 3).matches('^(ZX[kn]|Z[QSce]|[CDIw4])')))))
{{- end }}

{{- define "curfew.condition.only-legacy-secrets" -}}
# Selects legacy Secrets and Secrets whose data.token begins like a JWT (ZXlK is base64 for eyJ). The API
# server sends no other Secrets.
- name: only-legacy-secrets
  expression: >-
    request.resource.resource != 'secrets' || ({{ include "curfew.isLegacySecret" . | indent 4 | trim }})
{{- end }}

{{- define "curfew.condition.not-control-plane" -}}
# The API server labels a legacy Secret as used during authentication, and the controller manager
# populates it; neither may depend on Curfew.
- name: not-control-plane
  expression: >-
    request.resource.resource != 'secrets' ||
    !(request.userInfo.username in ['system:apiserver', 'system:kube-controller-manager'])
{{- end }}

{{- define "curfew.condition.only-accounts-with-secrets" -}}
# This webhook reads only secrets[] of a ServiceAccount; node-annotation.curfew.dev covers the annotation.
- name: only-accounts-with-secrets
  expression: >-
    request.resource.resource != 'serviceaccounts' ||
    (has(request.subResource) && request.subResource == 'token') ||
    (oldObject != null && has(oldObject.secrets))
{{- end }}

{{- define "curfew.condition.only-changed-levels" -}}
# Curfew reads only the curfew.dev/ labels of a namespace.
- name: only-changed-levels
  expression: >-
    object.metadata.?labels.orValue({}).exists(k, k.startsWith('curfew.dev/') && (oldObject == null ||
    oldObject.metadata.?labels[?k].orValue('-') != object.metadata.labels[k])) ||
    (oldObject != null && oldObject.metadata.?labels.orValue({}).exists(k,
    k.startsWith('curfew.dev/') && !(k in object.metadata.?labels.orValue({}))))
{{- end }}

{{- define "curfew.condition.has-or-had-the-annotation" -}}
- name: has-or-had-the-annotation
  expression: >-
    [object, oldObject].exists(o, o != null && has(o.metadata.annotations) &&
    'rbac.kubernetes.io/restricted-by-node' in o.metadata.annotations)
{{- end }}

{{- define "curfew.condition.only-unbound" -}}
# Restricted accounts may have tokens that are bound to a pod or a node.
- name: only-unbound
  expression: >-
    !has(object.spec.boundObjectRef) || !has(object.spec.boundObjectRef.kind) ||
    !(object.spec.boundObjectRef.kind in ['Pod', 'Node'])
{{- end }}

{{- define "curfew.condition.not-kubelets-nor-the-controller-manager" -}}
- name: not-kubelets-nor-the-controller-manager
  expression: >-
    request.userInfo.username != 'system:kube-controller-manager' &&
    !({{ include "curfew.isKubelet" . | indent 4 | trim }})
{{- end }}

{{- define "curfew.condition.no-legacy-secrets" -}}
# validate.curfew.dev reviews legacy Secrets.
- name: no-legacy-secrets
  expression: >-
    request.resource.resource != 'secrets' || !({{ include "curfew.isLegacySecret" . | indent 4 | trim }})
{{- end }}

{{- define "curfew.condition.only-longer-annotations" -}}
# Selects pods with a new or changed annotation that is long enough for a token. Pods with more than 1000
# annotations are always sent: checking each annotation would exceed the CEL cost limit of the API server.
- name: only-longer-annotations
  expression: >-
    object.metadata.?annotations.orValue({}).size() > 1000 ||
    object.metadata.?annotations.orValue({}).exists(k, object.metadata.annotations[k].size() > 60 &&
    oldObject.metadata.?annotations[?k].orValue('') != object.metadata.annotations[k])
{{- end }}

{{- define "curfew.condition.only-changed-data" -}}
# Unchanged data needs no review; this also excludes leader election records in ConfigMaps.
- name: only-changed-data
  expression: >-
    oldObject == null || object.?data != oldObject.?data ||
    object.?binaryData != oldObject.?binaryData ||
    object.metadata.?annotations.orValue({}).size() > 1000 ||
    object.metadata.?annotations.orValue({}).exists(k,
    k != 'control-plane.alpha.kubernetes.io/leader' &&
    oldObject.metadata.?annotations[?k].orValue('') != object.metadata.annotations[k])
{{- end }}

{{- define "curfew.condition.only-accounts-on-a-node" -}}
# Selects ServiceAccounts whose token is bound to a pod or a node, or has no credential id (a legacy
# token). The controllers of kube-controller-manager have an id and no pod, so they do not depend on Curfew.
- name: only-accounts-on-a-node
  expression: >-
    request.userInfo.username.startsWith('system:serviceaccount:') &&
    (!has(request.userInfo.extra) ||
    !('authentication.kubernetes.io/credential-id' in request.userInfo.extra) ||
    'authentication.kubernetes.io/pod-name' in request.userInfo.extra ||
    'authentication.kubernetes.io/node-name' in request.userInfo.extra
    {{- with .Values.nodeBoundary.accounts }} ||
    request.userInfo.username in [{{ range $i, $name := . }}{{ if $i }}, {{ end }}'system:serviceaccount:{{ $name }}'{{ end }}]
    {{- end }})
{{- end }}
