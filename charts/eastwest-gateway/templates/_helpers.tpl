{{/*
Name of every object; istiod and the other networks find the gateway by labels. Call it with the root context.
*/}}
{{- define "eastwest-gateway.name" -}}
istio-eastwestgateway
{{- end }}

{{/*
Labels of every object. Call it with the root context:
  {{- include "eastwest-gateway.labels" . | nindent 4 }}
The name is fixed and not that of Chart.yaml, which differs per cluster.
*/}}
{{- define "eastwest-gateway.labels" -}}
app.kubernetes.io/name: eastwest-gateway
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: istio
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "eastwest-gateway-%s" .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/*
Labels that select the pods: by the Deployment, which can never change them, by the Service and by the Gateways of Istio.
Call it with the root context.
*/}}
{{- define "eastwest-gateway.selector" -}}
app: {{ include "eastwest-gateway.name" . }}
istio: eastwestgateway
{{- end }}

{{/*
Label by which istiod takes the Service for the gateway of a network. Call it with the root context.
*/}}
{{- define "eastwest-gateway.network" -}}
topology.istio.io/network: {{ .Values.network | quote }}
{{- end }}

{{/*
Host name of istiod's Service in this cluster, of the revision. Call it with the root context.
*/}}
{{- define "eastwest-gateway.istiod" -}}
istiod{{ with .Values.revision }}-{{ . }}{{ end }}.{{ .Release.Namespace }}.svc.cluster.local
{{- end }}
