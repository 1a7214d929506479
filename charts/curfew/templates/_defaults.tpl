{{/* What is null in the values has its default. Helm takes such a key away before the templates see the
values, and they cannot read values.yaml: files/defaults.yaml is the same without its comments. Every
template begins with this; it prints nothing. */}}
{{- define "curfew.defaults" -}}
{{- $_ := include "curfew.fill" (list .Values (.Files.Get "files/defaults.yaml" | fromYaml)) }}
{{- $_ = set .Values "config" (include "curfew.given" .Values.config | fromJson) }}
{{- end }}

{{/* curfew.fill (list VALUES DEFAULTS): sets what is missing or null. Not below what goes into an object
as it is: there a null takes a default away. */}}
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

{{/* curfew.given MAPPING: it, as JSON, without what is null, and mappings that are empty then. */}}
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
