{{/* The full name of an image. Call with (dict "root" $ "image" .Values.operator.image). */}}
{{- define "platform.image" -}}
{{- $registry := (.root.Values.global).imageRegistry }}
{{- $repository := .image.repository }}
{{- if $registry }}{{ $repository = regexReplaceAll "^[^/]+" $repository $registry }}{{ end }}
{{- printf "%s:%s" $repository (.image.tag | default .root.Chart.AppVersion) }}
{{- end }}

{{/* What every pod says of itself; with the container's part below, the Pod Security profile `restricted`. Call with the uid. */}}
{{- define "platform.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "platform.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
