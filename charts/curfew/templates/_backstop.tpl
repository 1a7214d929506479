{{/* The policy in CEL. All text passes through toJson, because JSON strings and lists are valid CEL. */}}

{{/* curfew.place (list $ RULE LEVEL): the level of the rule: baseline, restricted or off. */}}
{{- define "curfew.place" -}}
{{- $ := index . 0 -}}
{{- $rule := default dict (index (default dict $.Values.config.rules) (index . 1)) -}}
{{- if not (hasKey $rule "level") }}{{ index . 2 }}
{{- else if kindIs "bool" $rule.level }}off
{{- else }}{{ $rule.level }}{{ end }}
{{- end }}

{{/* curfew.seconds TEXT: seconds of 90s, 15m, 24h, 1h30m or a number. */}}
{{- define "curfew.seconds" -}}
{{- $text := ternary (int64 . | toString) (toString .) (kindIs "float64" .) -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+[hms]?" $text -1 -}}
{{- $number := regexFind "^[0-9]+" . | int64 -}}
{{- if hasSuffix "h" . }}{{ $sum = mul $number 3600 | add $sum }}
{{- else if hasSuffix "m" . }}{{ $sum = mul $number 60 | add $sum }}
{{- else }}{{ $sum = add $sum $number }}{{ end -}}
{{- end -}}
{{- $sum -}}
{{- end }}

{{/* curfew.bounds $: {"baseline": {"min": 600, "max": ..., "maxUnbound": ...}, "restricted": ...}, with
the defaults of the rule token-lifetime. */}}
{{- define "curfew.bounds" -}}
{{- $rule := default dict (index (default dict .Values.config.rules) "token-lifetime") -}}
{{- $ceiling := dict "max" 4294967296 "maxUnbound" 4294967296 -}}
{{- $out := dict -}}
{{- range $level, $builtin := dict "baseline" 86400 "restricted" 3600 -}}
{{- $given := default dict (index $rule $level) -}}
{{- $min := include "curfew.seconds" (default 600 $given.min) | int64 -}}
{{- $max := include "curfew.seconds" (default (min $builtin $ceiling.max) $given.max) | int64 -}}
{{- $unbound := include "curfew.seconds" (default (min $max $ceiling.maxUnbound) $given.maxUnbound) | int64 -}}
{{- $ceiling = dict "min" $min "max" $max "maxUnbound" $unbound -}}
{{- $_ := set $out $level $ceiling -}}
{{- end -}}
{{- toJson $out -}}
{{- end }}

{{- define "curfew.defaultLevel" -}}
{{- default "baseline" (default dict .Values.config.defaults).enforce -}}
{{- end }}

{{/* The namespace's enforce level: an invalid label counts as restricted. */}}
{{- define "curfew.variable.level" -}}
- name: level
  expression: >-
    namespaceObject.metadata.?labels[?'curfew.dev/enforce'].hasValue() ?
    (namespaceObject.metadata.labels['curfew.dev/enforce'] in ['privileged', 'baseline'] ?
    namespaceObject.metadata.labels['curfew.dev/enforce'] : 'restricted') : {{ include "curfew.defaultLevel" . | squote }}
{{- end }}

{{/* Exceptions match, and messages show, the name of the workload rather than a generated name. */}}
{{- define "curfew.variable.workload" -}}
- name: owners
  expression: object.metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false))
- name: owner
  expression: "variables.owners.size() > 0 ? variables.owners[0].name : ''"
- name: ownerKind
  expression: "variables.owners.size() > 0 ? variables.owners[0].kind : ''"
- name: hash
  expression: "'-' + object.metadata.?labels[?'pod-template-hash'].orValue('')"
- name: workload
  expression: >-
    variables.ownerKind == 'ReplicaSet' && variables.hash != '-' && variables.owner.endsWith(variables.hash) ?
    variables.owner.substring(0, variables.owner.size() - variables.hash.size()) :
    variables.ownerKind == 'Job' && variables.owner.matches('^.+-[0-9]+$') ?
    variables.owner.substring(0, variables.owner.lastIndexOf('-')) :
    variables.owner != '' ? variables.owner :
    object.metadata.?generateName.orValue('').endsWith('-') ?
    object.metadata.generateName.substring(0, object.metadata.generateName.size() - 1) :
    object.metadata.?generateName.orValue('') != '' ? object.metadata.generateName : object.metadata.name
- name: names
  expression: "variables.ownerKind == 'Job' ? [variables.workload, variables.owner] : [variables.workload]"
{{- end }}

{{/* Objects without a workload use their own name. */}}
{{- define "curfew.variable.names" -}}
- name: names
  expression: "[request.name]"
{{- end }}

{{/* The name in messages. */}}
{{- define "curfew.variable.displayName" -}}
- name: displayName
  expression: >-
    variables.names[0].size() > 63 ? variables.names[0].substring(0, 60) + '...' : variables.names[0]
{{- end }}

{{/* curfew.globs (list TEXT GLOBS): whether the expression matches one of them. */}}
{{- define "curfew.globs" -}}
{{- $text := index . 0 -}}
{{- range $i, $glob := index . 1 }}{{ if $i }} || {{ end }}{{ $text }}.matches({{ regexQuoteMeta $glob | replace "\\*" ".*" | printf "^%s$" | toJson }}){{ end }}
{{- end }}

{{/* curfew.excepted (list $ RULE ACCOUNT): " || EXCEPTION" for each exception that has not expired when the
chart is rendered. The webhook enforces the expiry on the day itself. */}}
{{- define "curfew.excepted" -}}
{{- $ := index . 0 -}}
{{- $rule := index . 1 -}}
{{- $account := index . 2 -}}
{{- $today := dateInZone "2006-01-02" now "UTC" -}}
{{- range $.Values.config.exceptions }}
{{- if and (eq .rule $rule) (ge (toString .until) $today) }} ||
(request.?namespace.orValue('') == {{ toJson .namespace }}
{{- with .names }} &&
variables.names.exists(n, {{ include "curfew.globs" (list "n" .) }})
{{- end }}
{{- with .serviceAccounts }} &&
[{{ $account }}].exists(a, {{ include "curfew.globs" (list "a" .) }})
{{- end }})
{{- end }}
{{- end }}
{{- end }}

{{/* curfew.guarded $: " || the caller is in guard.groups". */}}
{{- define "curfew.guarded" -}}
{{- $guard := default dict .Values.config.guard -}}
{{- with ternary $guard.groups (list "system:masters") (hasKey $guard "groups") }} ||
(has(request.userInfo.groups) && request.userInfo.groups.exists(g, g in {{ toJson . }}))
{{- end }}
{{- end }}

{{/* curfew.validation (list $ RULE PLACE ACCOUNT SUBJECT FINDING WHAT): a finding of the rule, and the
first line of the webhook's message. PLACE is "always" if the rule ignores levels, and "default" if the
chart knows the level. */}}
{{- define "curfew.validation" -}}
{{- $ := index . 0 -}}
{{- $rule := index . 1 -}}
{{- $place := index . 2 -}}
{{- $level := "" -}}
{{- if eq $place "default" }}{{ $level = printf " level \"%s\"" (include "curfew.defaultLevel" $) }}{{ end -}}
- expression: >-
    {{- if eq $place "baseline" }}
    variables.level == 'privileged' ||
    {{- else if eq $place "restricted" }}
    variables.level != 'restricted' ||
    {{- end }}
    !({{ index . 5 | trim | nindent 4 | trim }})
    {{- include "curfew.excepted" (list $ $rule (index . 3)) | nindent 4 | trim | printf " %s" | trimSuffix " " }}
    {{- if or (eq $place "always") (eq $rule "legacy-token-revival") }}
    {{- include "curfew.guarded" $ | nindent 4 | trim | printf " %s" | trimSuffix " " }}
    {{- end }}
  messageExpression: >-
    {{ index . 4 | trim }} + '" violates Curfew{{ $level }}
    {{- if or (eq $place "baseline") (eq $place "restricted") }} level "' + variables.level + '"{{ end }}: {{ $rule }}: ' +
    {{ index . 6 | trim | nindent 4 | trim }}
  reason: Forbidden
{{- end }}

{{/* curfew.policyBinding (list $ NAME) */}}
{{- define "curfew.policyBinding" -}}
{{- $ := index . 0 -}}
{{- $name := printf "%s-%s" (include "curfew.fullname" $) (index . 1) -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}
  labels:
    {{- include "curfew.labels" $ | nindent 4 }}
spec:
  policyName: {{ $name }}
  validationActions: {{ toJson $.Values.validatingAdmissionPolicy.validationActions }}
{{- end }}

{{/* curfew.policyHead (list $ NAME) */}}
{{- define "curfew.policyHead" -}}
{{- $ := index . 0 -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ include "curfew.fullname" $ }}-{{ index . 1 }}
  labels:
    {{- include "curfew.labels" $ | nindent 4 }}
{{- end }}

{{- define "curfew.exemptNamespaces" -}}
namespaceSelector:
  matchExpressions:
  - {key: kubernetes.io/metadata.name, operator: NotIn, values: {{ toJson .Values.exemptNamespaces }}}
{{- end }}

{{/* Callers that are not reviewed. */}}
{{- define "curfew.callers" -}}
{{- $exemptions := default dict .Values.config.exemptions -}}
# Exempts the control plane and the users and groups that the policy exempts.
- name: not-control-plane
  expression: >-
    !(request.userInfo.username in
    {{ concat (list "system:apiserver" "system:kube-controller-manager") (default list $exemptions.usernames) | toJson }})
{{- with $exemptions.groups }}
- name: not-exempt-groups
  expression: >-
    !has(request.userInfo.groups) || !request.userInfo.groups.exists(g, g in {{ toJson . }})
{{- end }}
{{- end }}
