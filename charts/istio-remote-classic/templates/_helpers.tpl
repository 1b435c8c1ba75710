{{/*
Labels of every object. Call it with the root context:
  {{- include "istio-remote-classic.labels" . | nindent 4 }}
The name is fixed and not that of Chart.yaml, which differs per cluster.
*/}}
{{- define "istio-remote-classic.labels" -}}
app.kubernetes.io/name: istio-remote-classic
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: istio
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "istio-remote-classic-%s" .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/*
Labels that select citadel's pods; they never change. Call it without a context.
*/}}
{{- define "istio-remote-classic.citadelSelector" -}}
istio: citadel
{{- end }}

{{/*
`true` where endpoints are EndpointSlices, else nothing: Kubernetes 1.33 deprecates Endpoints. Call it with the root context.
*/}}
{{- define "istio-remote-classic.slices" -}}
{{- if semverCompare ">= 1.33.0-0" .Capabilities.KubeVersion.Version }}true{{ end -}}
{{- end }}

{{/*
Image by digest, or by tag where there is none. Call it with the image's values:
  {{ include "istio-remote-classic.image" .Values.citadel.image | quote }}
*/}}
{{- define "istio-remote-classic.image" -}}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}

{{/*
Names of citadel's cluster-wide objects and of its account. Call them with the root context.
*/}}
{{- define "istio-remote-classic.citadelRole" -}}
istio-citadel-{{ .Release.Namespace }}
{{- end }}

{{/*
ServiceAccount of citadel; Istio gives its certificates to this name. Call it without a context.
*/}}
{{- define "istio-remote-classic.citadelAccount" -}}
istio-citadel-service-account
{{- end }}

{{/*
Name of the reader's ClusterRole and of its binding, one for each namespace. Call it with the root context.
*/}}
{{- define "istio-remote-classic.readerRole" -}}
istio-reader-{{ .Release.Namespace }}
{{- end }}

{{/*
The control-plane components that sidecars of this cluster reach in the primary, as JSON: name, ports (name, port, protocol), addresses.
zipkin only where addresses are given. Services and their endpoints are made from this one list, for an endpoint is only used under the
name of its port. Call it with the root context:
  {{- range include "istio-remote-classic.components" . | fromJsonArray }}
*/}}
{{- define "istio-remote-classic.components" -}}
{{- $endpoints := .Values.endpoints -}}
{{- $pilot := list
  (dict "name" "http-old-discovery" "port" 15003)
  (dict "name" "https-discovery" "port" 15005)
  (dict "name" "http-discovery" "port" 15007)
  (dict "name" "grpc-xds" "port" 15010)
  (dict "name" "https-xds" "port" 15011)
  (dict "name" "http-legacy-discovery" "port" 8080)
  (dict "name" "http-monitoring" "port" 9093) -}}
{{- $policy := list
  (dict "name" "grpc-mixer" "port" 9091)
  (dict "name" "grpc-mixer-mtls" "port" 15004)
  (dict "name" "http-monitoring" "port" 9093)
  (dict "name" "configapi" "port" 9094)
  (dict "name" "statsd-prom" "port" 9102)
  (dict "name" "statsd-udp" "port" 9125 "protocol" "UDP")
  (dict "name" "prometheus" "port" 42422) -}}
{{- $statsd := list
  (dict "name" "statsd-prom" "port" 9102)
  (dict "name" "statsd-udp" "port" 9125 "protocol" "UDP") -}}
{{- $zipkin := list (dict "name" "http" "port" 9411) -}}
{{- $components := list
  (dict "name" "istio-pilot" "ports" $pilot "addresses" $endpoints.pilot)
  (dict "name" "istio-policy" "ports" $policy "addresses" $endpoints.policy)
  (dict "name" "istio-statsd-prom-bridge" "ports" $statsd "addresses" $endpoints.statsd) -}}
{{- with $endpoints.zipkin }}
{{- $components = append $components (dict "name" "zipkin" "ports" $zipkin "addresses" .) }}
{{- end }}
{{- toJson $components }}
{{- end }}
