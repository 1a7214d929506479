{{/* The names of things, their labels, and what several templates say. */}}

{{- define "curfew.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 47 characters at most: the longest suffix has 16. */}}
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

{{/* Our own accounts in our namespace, as a list of JSON: the servers' and the rotator's. One that is
not ours must not be in it: whoever made it would be left out as we are. */}}
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

{{/* The rotator writes the certificate's Secret and the caBundles: "yes" where the chart has it. */}}
{{- define "curfew.rotator.enabled" -}}
{{- if and .Values.server.enabled (eq (include "curfew.tls" .) "self") }}yes{{ end }}
{{- end }}

{{- define "curfew.rotator.fullname" -}}
{{- printf "%s-rotator" (include "curfew.fullname" .) }}
{{- end }}

{{/* Its pods are none of the server's: the Service and the Deployment of these select by name. */}}
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

{{/* "self", "cert-manager" or "existing": who keeps the certificate. */}}
{{- define "curfew.tls" -}}
{{- if .Values.tls.existingSecret }}existing{{ else if .Values.certManager.enabled }}cert-manager{{ else }}self{{ end }}
{{- end }}

{{- define "curfew.tlsSecret" -}}
{{- default (default (printf "%s-tls" (include "curfew.fullname" .)) .Values.tls.secretName) .Values.tls.existingSecret }}
{{- end }}

{{/* The policy, as Curfew reads it. */}}
{{- define "curfew.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $exemptions := dict "namespaces" .Values.exemptNamespaces | merge (default dict $config.exemptions) }}
{{- $own := dict "apiVersion" "curfew.dev/v1alpha1" "kind" "CurfewConfiguration" "exemptions" $exemptions }}
{{- if .Values.webhooks.contents.enabled }}
{{- $_ := set $own "contents" true }}
{{- end }}
{{- merge $own $config | toYaml }}
{{- end }}

{{/* The values' resources; without a limit of the memory, what reviews may take (config.limits.memory)
and 96 MiB for the rest. */}}
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

{{/* What cannot be told by a schema, in words. */}}
{{- define "curfew.check" -}}
{{- with .Values }}
{{- if eq (toString .enabled) "false" }}
{{- fail "enabled: false leaves the chart out only where it is a dependency with `condition: curfew.enabled`; here nothing asks for it" }}
{{- end }}
{{- if (default dict .config.exemptions).namespaces }}
{{- fail "config.exemptions.namespaces: set exemptNamespaces, which goes into the policy and to the API server" }}
{{- end }}
{{- if hasKey .config "contents" }}
{{- fail "config.contents: set webhooks.contents.enabled, which also makes the API server send them" }}
{{- end }}
{{- if hasKey (default dict .config.limits) "maxInflightBytes" }}
{{- fail "config.limits.maxInflightBytes is gone: set config.limits.memory (limits.memory of the configuration), which holds all that reviews take" }}
{{- end }}
{{- if or (hasKey .config "apiVersion") (hasKey .config "kind") }}
{{- fail "config: leave out apiVersion and kind, which the chart writes" }}
{{- end }}
{{- range .server.extraArgs }}
{{- $flag := splitList "=" . | first }}
{{- if has $flag (list "--service" "--dns" "--webhook-configuration" "--cert-lifetime" "--ca-lifetime") }}
{{- fail (printf "server.extraArgs: %s belongs to the rotator: set rotator.extraArgs or rotator.certificate" $flag) }}
{{- end }}
{{- end }}
{{- if and (include "curfew.rotator.enabled" $) (eq (include "curfew.rotator.serviceAccountName" $) (include "curfew.serviceAccount" $)) }}
{{- fail (printf "rotator.serviceAccount: %s is the servers' account too, and these must not write webhook configurations; give the rotator one of its own" (include "curfew.serviceAccount" $)) }}
{{- end }}
{{- if eq (int .serviceAccount.tokenSeconds) 3607 }}
{{- fail "serviceAccount.tokenSeconds: the API server makes a year of exactly 3607 seconds; 3600 is fine" }}
{{- end }}
{{- if and .autoscaling.enabled (gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas)) }}
{{- fail (printf "autoscaling.minReplicas (%d) is above maxReplicas (%d)" (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas)) }}
{{- end }}
{{- if and .tls.existingSecret .certManager.enabled }}
{{- fail "tls.existingSecret and certManager.enabled: a certificate has one keeper; set one of the two" }}
{{- end }}
{{- if and .tls.existingSecret .tls.secretName }}
{{- fail "tls.secretName is the Secret that the chart's side keeps; with tls.existingSecret leave it empty" }}
{{- end }}
{{- if and .tls.existingSecret (not .webhooks.caBundle) (not (index .webhooks.annotations "cert-manager.io/inject-ca-from-secret")) }}
{{- fail "tls.existingSecret needs webhooks.caBundle (the CA of its certificate, PEM), or the API server trusts nobody there" }}
{{- end }}
{{- if and (not .server.enabled) (not .webhooks.url) }}
{{- fail "server.enabled: false needs webhooks.url: where does Curfew run?" }}
{{- end }}
{{- if and (not .server.enabled) (not .webhooks.caBundle) }}
{{- fail "server.enabled: false needs webhooks.caBundle: the CA of the certificate at webhooks.url, PEM" }}
{{- end }}
{{- if and .certManager.enabled .webhooks.url }}
{{- fail "webhooks.url: certManager.enabled makes a certificate for the Service, not for the host of a URL; use tls.existingSecret" }}
{{- end }}
{{- if eq (int .server.containerPort) (int .server.metricsPort) }}
{{- fail (printf "server.containerPort and server.metricsPort are both %d: they need ports of their own" (int .server.metricsPort)) }}
{{- end }}
{{- if eq (int .server.containerPort) (int .server.probePort) }}
{{- fail (printf "server.containerPort and server.probePort are both %d: they need ports of their own" (int .server.probePort)) }}
{{- end }}
{{- if eq (int .server.metricsPort) (int .server.probePort) }}
{{- fail (printf "server.metricsPort and server.probePort are both %d: they need ports of their own" (int .server.probePort)) }}
{{- end }}
{{- if and .callers.clientCA.names (not .callers.clientCA.configMap) }}
{{- fail "callers.clientCA.names needs callers.clientCA.configMap: without a CA no certificate is asked for" }}
{{- end }}
{{- $bearer := .callers.bearer }}
{{- $needs := dict "issuer" "only one issuer's tokens may do" "subjects" "the keys of a cluster sign a token for every pod" "audiences" "a token that was made for others must not do" }}
{{- range $key, $why := $needs }}
{{- if and $bearer.configMap (empty (index $bearer $key)) }}
{{- fail (printf "callers.bearer.configMap needs callers.bearer.%s: %s" $key $why) }}
{{- end }}
{{- if and (not $bearer.configMap) (index $bearer $key) }}
{{- fail (printf "callers.bearer.%s needs callers.bearer.configMap: without keys no token is asked for" $key) }}
{{- end }}
{{- end }}
{{- if and .metrics.serviceMonitor.enabled .metrics.podMonitor.enabled }}
{{- fail "metrics.serviceMonitor and metrics.podMonitor: every pod would be asked twice; enable one of the two" }}
{{- end }}
{{- if and .metrics.serviceMonitor.enabled (not .metrics.service.enabled) }}
{{- fail "metrics.serviceMonitor needs metrics.service.enabled; or use metrics.podMonitor" }}
{{- end }}
{{- end }}
{{- end }}
