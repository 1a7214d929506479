{{/* Names, labels and fragments that several templates share. */}}

{{- define "curfew.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 47 characters, because the longest suffix has 16. */}}
{{- define "curfew.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 47 | trimSuffix "-" }}
{{- else if contains (include "curfew.name" .) .Release.Name }}
{{- .Release.Name | trunc 47 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "curfew.name" .) | trunc 47 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "curfew.selector" -}}
app.kubernetes.io/name: {{ include "curfew.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "curfew.labels" -}}
{{ include "curfew.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "curfew.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "curfew.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Curfew's ServiceAccounts in its namespace, as a JSON list: those of the servers and the rotator. Only
accounts that the chart uses may be listed: the webhooks exempt pods of these accounts. */}}
{{- define "curfew.ownAccounts" -}}
{{- $names := list }}
{{- if .Values.server.enabled }}
{{- $names = append $names (include "curfew.serviceAccount" .) }}
{{- if include "curfew.rotator.enabled" . }}
{{- $names = append $names (include "curfew.rotator.serviceAccountName" .) }}
{{- end }}
{{- end }}
{{- $names | uniq | toJson }}
{{- end }}

{{/* "yes" if the chart installs the rotator, which writes the certificate's Secret and the caBundles. */}}
{{- define "curfew.rotator.enabled" -}}
{{- if and .Values.server.enabled (eq (include "curfew.tls" .) "self") }}yes{{ end }}
{{- end }}

{{- define "curfew.rotator.fullname" -}}
{{- printf "%s-rotator" (include "curfew.fullname" .) }}
{{- end }}

{{/* The rotator's pods have another name label, because the servers' Service and Deployment select by it. */}}
{{- define "curfew.rotator.selector" -}}
app.kubernetes.io/name: {{ printf "%s-rotator" (include "curfew.name" . | trunc 55 | trimSuffix "-") }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "curfew.rotator.labels" -}}
{{ include "curfew.labels" . | replace (include "curfew.selector" .) (include "curfew.rotator.selector" .) }}
{{- end }}

{{- define "curfew.rotator.serviceAccountName" -}}
{{- with .Values.rotator.serviceAccount }}
{{- if .create }}
{{- default (include "curfew.rotator.fullname" $) .name }}
{{- else }}
{{- default "default" .name }}
{{- end }}
{{- end }}
{{- end }}

{{- define "curfew.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{/* Who manages the certificate: "self" (the rotator), "cert-manager" or "existing" (the user). */}}
{{- define "curfew.tls" -}}
{{- if .Values.tls.existingSecret }}existing{{ else if .Values.certManager.enabled }}cert-manager{{ else }}self{{ end }}
{{- end }}

{{- define "curfew.tlsSecret" -}}
{{- default (default (printf "%s-tls" (include "curfew.fullname" .)) .Values.tls.secretName) .Values.tls.existingSecret }}
{{- end }}

{{/* The policy: a CurfewConfiguration. */}}
{{- define "curfew.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $exemptions := dict "namespaces" .Values.exemptNamespaces | merge (default dict $config.exemptions) }}
{{- $own := dict "apiVersion" "curfew.dev/v1alpha1" "kind" "CurfewConfiguration" "exemptions" $exemptions }}
{{- if .Values.webhooks.contents.enabled }}
{{- $_ := set $own "contents" true }}
{{- end }}
{{- merge $own $config | toYaml }}
{{- end }}

{{/* The resources of the values. The default memory limit is config.limits.memory, which bounds the memory
of reviews, plus 96 MiB for everything else. */}}
{{- define "curfew.resources" -}}
{{- $size := default "128MiB" (default dict .Values.config.limits).memory }}
{{- $bytes := int64 (kindIs "string" $size | ternary (regexFind "^[0-9]+" (toString $size)) $size) }}
{{- if kindIs "string" $size }}
{{- $units := dict "KiB" 1024 "MiB" 1048576 "GiB" 1073741824 }}
{{- $bytes = mul $bytes (int64 (default 1 (get $units (trimAll "0123456789" $size)))) }}
{{- end }}
{{- $mib := add 96 (div (add $bytes 1048575) 1048576) }}
{{- merge (deepCopy .Values.resources) (dict "limits" (dict "memory" (printf "%dMi" $mib))) | toYaml }}
{{- end }}

{{/* Checks that a JSON schema cannot express. */}}
{{- define "curfew.check" -}}
{{- with .Values }}
{{- if eq (toString .enabled) "false" }}
{{- fail "enabled: false works only in a chart that has Curfew as a dependency with `condition: curfew.enabled`; remove it here" }}
{{- end }}
{{- if (default dict .config.exemptions).namespaces }}
{{- fail "config.exemptions.namespaces: set exemptNamespaces instead, which also applies to the webhook configurations" }}
{{- end }}
{{- if hasKey .config "contents" }}
{{- fail "config.contents: set webhooks.contents.enabled instead, which also makes the API server send the contents" }}
{{- end }}
{{- if hasKey (default dict .config.limits) "maxInflightBytes" }}
{{- fail "config.limits.maxInflightBytes was removed: set config.limits.memory instead, which limits the memory of all reviews" }}
{{- end }}
{{- if or (hasKey .config "apiVersion") (hasKey .config "kind") }}
{{- fail "config: remove apiVersion and kind; the chart sets them" }}
{{- end }}
{{- range .server.extraArgs }}
{{- $flag := splitList "=" . | first }}
{{- if has $flag (list "--service" "--dns" "--webhook-configuration" "--cert-lifetime" "--ca-lifetime") }}
{{- fail (printf "server.extraArgs: %s belongs to the rotator: set rotator.extraArgs or rotator.certificate" $flag) }}
{{- end }}
{{- end }}
{{- if and (include "curfew.rotator.enabled" $) (eq (include "curfew.rotator.serviceAccountName" $) (include "curfew.serviceAccount" $)) }}
{{- fail (printf "rotator.serviceAccount: %s is also the account of the servers, which must not write webhook configurations; use another account for the rotator" (include "curfew.serviceAccount" $)) }}
{{- end }}
{{- if eq (int .serviceAccount.tokenSeconds) 3607 }}
{{- fail "serviceAccount.tokenSeconds: must not be 3607, which the API server extends to a year; use 3600" }}
{{- end }}
{{- if and .autoscaling.enabled (gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas)) }}
{{- fail (printf "autoscaling.minReplicas (%d) must not be greater than maxReplicas (%d)" (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas)) }}
{{- end }}
{{- if and .tls.existingSecret .certManager.enabled }}
{{- fail "tls.existingSecret and certManager.enabled are mutually exclusive" }}
{{- end }}
{{- if and .tls.existingSecret .tls.secretName }}
{{- fail "tls.secretName and tls.existingSecret are mutually exclusive: tls.secretName names the Secret that the rotator or cert-manager writes" }}
{{- end }}
{{- if and .tls.existingSecret (not .webhooks.caBundle) (not (index .webhooks.annotations "cert-manager.io/inject-ca-from-secret")) }}
{{- fail "tls.existingSecret requires webhooks.caBundle (the CA of its certificate, in PEM): without it the API server does not trust the certificate" }}
{{- end }}
{{- if and (not .server.enabled) (not .webhooks.url) }}
{{- fail "server.enabled: false requires webhooks.url, the URL of the Curfew that the API server calls" }}
{{- end }}
{{- if and (not .server.enabled) (not .webhooks.caBundle) }}
{{- fail "server.enabled: false requires webhooks.caBundle, the CA of the certificate at webhooks.url, in PEM" }}
{{- end }}
{{- if and .certManager.enabled .webhooks.url }}
{{- fail "webhooks.url and certManager.enabled are mutually exclusive: cert-manager issues the certificate for the Service, not for the host of a URL; use tls.existingSecret" }}
{{- end }}
{{- if eq (int .server.containerPort) (int .server.metricsPort) }}
{{- fail (printf "server.containerPort and server.metricsPort are both %d: they must differ" (int .server.metricsPort)) }}
{{- end }}
{{- if eq (int .server.containerPort) (int .server.probePort) }}
{{- fail (printf "server.containerPort and server.probePort are both %d: they must differ" (int .server.probePort)) }}
{{- end }}
{{- if eq (int .server.metricsPort) (int .server.probePort) }}
{{- fail (printf "server.metricsPort and server.probePort are both %d: they must differ" (int .server.probePort)) }}
{{- end }}
{{- if and .callers.clientCA.names (not .callers.clientCA.configMap) }}
{{- fail "callers.clientCA.names requires callers.clientCA.configMap: without a CA, Curfew does not request a client certificate" }}
{{- end }}
{{- $bearer := .callers.bearer }}
{{- $needs := dict "issuer" "tokens of other issuers must be rejected" "subjects" "the keys of a cluster sign the tokens of all its pods" "audiences" "tokens for other services must be rejected" }}
{{- range $key, $why := $needs }}
{{- if and $bearer.configMap (empty (index $bearer $key)) }}
{{- fail (printf "callers.bearer.configMap requires callers.bearer.%s: %s" $key $why) }}
{{- end }}
{{- if and (not $bearer.configMap) (index $bearer $key) }}
{{- fail (printf "callers.bearer.%s requires callers.bearer.configMap: without keys, Curfew does not check bearer tokens" $key) }}
{{- end }}
{{- end }}
{{- if and .metrics.serviceMonitor.enabled .metrics.podMonitor.enabled }}
{{- fail "metrics.serviceMonitor and metrics.podMonitor are mutually exclusive: Prometheus would scrape every pod twice" }}
{{- end }}
{{- if and .metrics.serviceMonitor.enabled (not .metrics.service.enabled) }}
{{- fail "metrics.serviceMonitor requires metrics.service.enabled; use metrics.podMonitor without a Service" }}
{{- end }}
{{- end }}
{{- end }}
