{{/* What the entries of the webhook configurations share. */}}

{{/* curfew.client (list $ PATH): where the API server calls. Without a caBundle here Curfew (or
cert-manager) writes it, and an apply leaves it alone. */}}
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

{{/* curfew.entry (list $ PATH FAILURE-POLICY): the members of every entry. */}}
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

{{/* One list, here and in the policy. Our own namespace is none of them: see not-our-pods. */}}
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

{{/* curfew.conditions (list $ NAME...): these, less those that come to nothing, and those of the
values. */}}
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

{{/* Whether rules read more of a ServiceAccount than secrets[]. */}}
{{- define "curfew.requires" -}}
{{- $rule := default dict (index (default dict .Values.config.rules) "restricted-by-node-annotation") }}
{{- if $rule.require }}yes{{ end }}
{{- end }}

{{- define "curfew.isKubelet" -}}
request.userInfo.username.startsWith('system:node:') &&
has(request.userInfo.groups) && 'system:nodes' in request.userInfo.groups
{{- end }}

{{/* Usernames of our own accounts, as a list of CEL. */}}
{{- define "curfew.ownUsers" -}}
{{- $users := list }}
{{- range include "curfew.ownAccounts" . | fromJsonArray }}
{{- $users = append $users (printf "system:serviceaccount:%s:%s" $.Release.Namespace .) }}
{{- end }}
{{- toJson $users }}
{{- end }}

{{- define "curfew.condition.not-our-pods" -}}
{{- $accounts := include "curfew.ownAccounts" . }}
{{- if ne $accounts "[]" -}}
# Curfew's own pods, and their tokens: they could not start while it is down. All else in its
# namespace is judged, ephemeral containers of these pods as well.
- name: not-our-pods
  expression: >-
    request.namespace != '{{ .Release.Namespace }}' || request.operation != 'CREATE' ||
    !(request.resource.resource == 'pods' &&
    object.spec.?serviceAccountName.orValue('') in {{ $accounts }} ||
    request.resource.resource == 'serviceaccounts' && request.?subResource.orValue('') == 'token' &&
    request.?name.orValue('') in {{ $accounts }})
{{- end }}
{{- end }}

{{- define "curfew.condition.not-ourselves" -}}
{{- $users := include "curfew.ownUsers" . }}
{{- if ne $users "[]" -}}
# Curfew's own accounts, as callers: it would wait for itself.
- name: not-ourselves
  expression: >-
    !(request.userInfo.username in {{ $users }})
{{- end }}
{{- end }}

{{- define "curfew.condition.not-our-repair" -}}
# What has to change so that a Curfew that is down comes back: its configuration, its certificate's
# Secret, and what Helm writes down of this release.
- name: not-our-repair
  expression: >-
    request.namespace != '{{ .Release.Namespace }}' ||
    !(request.?name.orValue('') in {{ list (include "curfew.fullname" .) (include "curfew.tlsSecret" .) | toJson }} ||
    request.?name.orValue('').startsWith('sh.helm.release.v1.{{ .Release.Name }}.'))
{{- end }}

{{- define "curfew.condition.not-kubelets" -}}
# Kubelets ask for the tokens of pods that were judged when they were made: an outage must not
# keep pods from starting.
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

{{/* Legacy Secrets, and those that may hold a legacy token of their own: the API server takes it
whatever the type. ZXlK is eyJ, with which every JWT begins, in base64. The API server drops white
space from a token, so one that begins with white space, or has it in its first three characters,
counts as well. */}}
{{- define "curfew.isLegacySecret" -}}
object != null && ((has(object.type) && object.type == 'kubernetes.io/service-account-token') ||
(has(object.data) && 'token' in object.data && object.data['token'] != null &&
(object.data['token'].startsWith('ZXlK') || (object.data['token'].size() > 99 &&
object.data['token'].substring(0, 3).matches('^(ZX[kn]|Z[QSce]|[CDIw4])')))))
{{- end }}

{{- define "curfew.condition.only-legacy-secrets" -}}
# Only legacy Secrets, and Secrets whose data.token begins like a JWT (ZXlK is eyJ in base64). No
# other Secret leaves the API server.
- name: only-legacy-secrets
  expression: >-
    request.resource.resource != 'secrets' || ({{ include "curfew.isLegacySecret" . | indent 4 | trim }})
{{- end }}

{{- define "curfew.condition.not-control-plane" -}}
# The API server marks a legacy Secret as used while it authenticates, and the controller manager
# fills it: neither may wait for us.
- name: not-control-plane
  expression: >-
    request.resource.resource != 'secrets' ||
    !(request.userInfo.username in ['system:apiserver', 'system:kube-controller-manager'])
{{- end }}

{{- define "curfew.condition.only-accounts-with-secrets" -}}
# Of an account only secrets[] is read here; the annotation has an entry of its own.
- name: only-accounts-with-secrets
  expression: >-
    request.resource.resource != 'serviceaccounts' ||
    (has(request.subResource) && request.subResource == 'token') ||
    (oldObject != null && has(oldObject.secrets))
{{- end }}

{{- define "curfew.condition.only-changed-levels" -}}
# Of a namespace only the labels of its levels are read.
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
# A token that is bound to a pod or a node is what a restricted account should have.
- name: only-unbound
  expression: >-
    !has(object.spec.boundObjectRef) || !has(object.spec.boundObjectRef.kind) ||
    !(object.spec.boundObjectRef.kind in ['Pod', 'Node'])
{{- end }}

{{- define "curfew.condition.not-token-makers" -}}
- name: not-kubelets-nor-the-controller-manager
  expression: >-
    request.userInfo.username != 'system:kube-controller-manager' &&
    !({{ include "curfew.isKubelet" . | indent 4 | trim }})
{{- end }}

{{- define "curfew.condition.no-legacy-secrets" -}}
# These are with validate.curfew.dev.
- name: no-legacy-secrets
  expression: >-
    request.resource.resource != 'secrets' || !({{ include "curfew.isLegacySecret" . | indent 4 | trim }})
{{- end }}

{{- define "curfew.condition.only-longer-annotations" -}}
# A new or changed annotation that is long enough for a token. A pod with very many is sent as it
# is: to look at each would cost more than the API server allows, and then it would not ask.
- name: only-longer-annotations
  expression: >-
    object.metadata.?annotations.orValue({}).size() > 1000 ||
    object.metadata.?annotations.orValue({}).exists(k, object.metadata.annotations[k].size() > 60 &&
    oldObject.metadata.?annotations[?k].orValue('') != object.metadata.annotations[k])
{{- end }}

{{- define "curfew.condition.only-changed-texts" -}}
# What is as it was holds nothing new; so leases that are kept in a ConfigMap stay here as well.
- name: only-changed-texts
  expression: >-
    oldObject == null || object.?data != oldObject.?data ||
    object.?binaryData != oldObject.?binaryData ||
    object.metadata.?annotations.orValue({}).size() > 1000 ||
    object.metadata.?annotations.orValue({}).exists(k,
    k != 'control-plane.alpha.kubernetes.io/leader' &&
    oldObject.metadata.?annotations[?k].orValue('') != object.metadata.annotations[k])
{{- end }}

{{- define "curfew.condition.only-accounts-on-a-node" -}}
# Whose token is bound to a pod or a node, or has no id (then it is a legacy token). The controllers
# of kube-controller-manager have an id and no pod: they never wait for us.
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
