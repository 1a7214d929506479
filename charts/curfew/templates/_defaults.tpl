{{/* A key that is null in the values keeps its default. Helm removes such keys before the templates see
the values, and templates cannot read values.yaml; files/defaults.yaml is a copy without comments. Every
template starts with this include; it prints nothing. */}}
{{- define "curfew.defaults" -}}
{{- $_ := include "curfew.fill" (list .Values (.Files.Get "files/defaults.yaml" | fromYaml)) }}
{{- $_ = set .Values "config" (include "curfew.given" .Values.config | fromJson) }}
{{- end }}

{{/* curfew.fill (list VALUES DEFAULTS): sets keys that are missing or null. It does not descend into
sections that are copied into an object unchanged: there, null removes a default. */}}
{{- define "curfew.fill" -}}
{{- $values := index . 0 }}
{{- range $key, $default := index . 1 }}
{{- $value := index $values $key }}
{{- if kindIs "invalid" $value }}
{{- $_ := set $values $key $default }}
{{- else if has $key (list "labels" "nodeSelector" "podSecurityContext" "resources" "securityContext" "updateStrategy") }}
{{- else if and (kindIs "map" $value) (kindIs "map" $default) }}
{{- $_ := include "curfew.fill" (list $value $default) }}
{{- end }}
{{- end }}
{{- end }}

{{/* curfew.given MAPPING: the mapping as JSON, without nulls and without mappings that become empty. */}}
{{- define "curfew.given" -}}
{{- $given := dict }}
{{- range $key, $value := . }}
{{- if kindIs "map" $value }}
{{- with include "curfew.given" $value | fromJson }}
{{- $_ := set $given $key . }}
{{- end }}
{{- else if not (kindIs "invalid" $value) }}
{{- $_ := set $given $key $value }}
{{- end }}
{{- end }}
{{- toJson $given }}
{{- end }}
