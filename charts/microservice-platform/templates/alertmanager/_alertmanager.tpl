{{/* `true` where this release brings an Alertmanager: there has to be somebody who tells it of alerts. */}}
{{- define "platform.bringsAlertmanager" -}}
{{- if and (eq .Values.alertmanager.mode "embedded") (eq .Values.metrics.mode "embedded") .Values.alerts.enabled }}true{{ end }}
{{- end }}

{{/* Whether anybody is told by a receiver. */}}
{{- define "platform.tells" -}}
{{- if or .webhook .pagerduty .email }}true{{ end }}
{{- end }}

{{/*
  One receiver. What is secret stands in files of its Secret, which Alertmanager reads each time.
  Call with (dict "name" "page" "receiver" .Values.alertmanager.receivers.page).
*/}}
{{- define "platform.receiver" -}}
{{- $files := printf "/etc/alertmanager-receivers/%s" .name }}
- name: {{ .name }}
  {{- with .receiver.webhook }}
  webhook_configs:
    - url_file: {{ $files }}/{{ .urlKey }}
      send_resolved: true
      max_alerts: 100
  {{- end }}
  {{- with .receiver.pagerduty }}
  pagerduty_configs:
    - routing_key_file: {{ $files }}/{{ .routingKeyKey }}
      send_resolved: true
  {{- end }}
  {{- with .receiver.email }}
  email_configs:
    - to: {{ .to | quote }}
      from: {{ .from | quote }}
      smarthost: {{ .smarthost | quote }}
      require_tls: {{ dig "requireTls" true . }}
      {{- if .username }}
      auth_username: {{ .username | quote }}
      auth_password_file: {{ $files }}/{{ .passwordKey }}
      {{- end }}
      send_resolved: true
  {{- end }}
{{- end }}
