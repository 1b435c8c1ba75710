{{/*
Name of both objects here, and so of all that istiod makes of them. Call it with the root context.
*/}}
{{- define "ambient-gateway.name" -}}
istio-eastwestgateway
{{- end }}

{{/*
Labels of every object. Call it with the root context:
  {{- include "ambient-gateway.labels" . | nindent 4 }}
The name is fixed and not that of Chart.yaml, which differs per cluster.
*/}}
{{- define "ambient-gateway.labels" -}}
app.kubernetes.io/name: ambient-gateway
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: istio
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "ambient-gateway-%s" .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/*
Label by which istiod takes the gateway for that of a network. Call it with the root context.
*/}}
{{- define "ambient-gateway.network" -}}
topology.istio.io/network: {{ .Values.network | quote }}
{{- end }}
