{{/*
Labels of every object. Call it with the root context:
  {{- include "istio-reader.labels" . | nindent 4 }}
The name is fixed and not that of Chart.yaml, which differs per cluster.
*/}}
{{- define "istio-reader.labels" -}}
app.kubernetes.io/name: istio-reader
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: istio
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "istio-reader-%s" .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/*
Name of the ClusterRole and of its binding, one for each account and namespace. Call it with the root context.
*/}}
{{- define "istio-reader.role" -}}
{{ .Values.serviceAccount }}-{{ .Release.Namespace }}
{{- end }}
