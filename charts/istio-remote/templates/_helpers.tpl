{{/*
Labels of every object. Call it with the root context:
  {{- include "istio-remote.labels" . | nindent 4 }}
The name is fixed and not that of Chart.yaml, which differs per cluster.
*/}}
{{- define "istio-remote.labels" -}}
app.kubernetes.io/name: istio-remote
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: istio
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "istio-remote-%s" .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/*
`-<revision>`, or nothing for the default revision; the end of every name that Istio makes per revision. Call it with the root context.
*/}}
{{- define "istio-remote.revisionSuffix" -}}
{{- with .Values.revision }}-{{ . }}{{ end -}}
{{- end }}

{{/*
Value of label istio.io/rev: the revision, `default` where there is none. istiod fills in the CA of webhooks that carry its own.
Call it with the root context.
*/}}
{{- define "istio-remote.revision" -}}
{{- .Values.revision | default "default" -}}
{{- end }}

{{/*
Name of the Service that sidecars and the webhook find istiod by. Sidecars carry it in their configuration, so it is Istio's name
and not that of the release. Call it with the root context.
*/}}
{{- define "istio-remote.service" -}}
istiod{{ include "istio-remote.revisionSuffix" . }}
{{- end }}

{{/*
Name of the reader's ClusterRole and of its binding, one for each revision and namespace. Call it with the root context.
*/}}
{{- define "istio-remote.readerRole" -}}
istio-reader-clusterrole{{ include "istio-remote.revisionSuffix" . }}-{{ .Release.Namespace }}
{{- end }}

{{/*
Name of the webhook configuration; Istio adds the namespace when it is not istio-system. Call it with the root context.
*/}}
{{- define "istio-remote.webhookConfiguration" -}}
istio-sidecar-injector{{ include "istio-remote.revisionSuffix" . }}{{ if ne .Release.Namespace "istio-system" }}-{{ .Release.Namespace }}{{ end }}
{{- end }}

{{/*
Path that tells istiod which cluster and network a pod is in: /inject/cluster/<name>/net/<network>. A slash in a name is written
--slash--, as istiod reads it. Call it with the root context.
*/}}
{{- define "istio-remote.injectionPath" -}}
/inject/cluster/{{ .Values.clusterName | replace "/" "--slash--" }}
{{- with .Values.network }}/net/{{ . | replace "/" "--slash--" }}{{ end }}
{{- end }}

{{/*
URL of the webhook: as given, with the injection path appended when it has no path of its own. Call it with the root context.
*/}}
{{- define "istio-remote.injectionURL" -}}
{{- $url := .Values.webhook.injectionURL | trimSuffix "/" -}}
{{- $url }}{{ if not (get (urlParse $url) "path") }}{{ include "istio-remote.injectionPath" . }}{{ end }}
{{- end }}

{{/*
IPv4 or IPv6, the family of the first address; validate.yaml refuses a mixture. Call it with the root context.
*/}}
{{- define "istio-remote.family" -}}
{{- if contains ":" (first .Values.remotePilotAddresses) }}IPv6{{ else }}IPv4{{ end -}}
{{- end }}

{{/*
One entry of the webhook configuration. Call it with a dict:
  root               the root context
  name               first part of the entry's name, such as "rev.namespace."
  namespaceSelector  list of match expressions on the pod's namespace
  objectSelector     list of match expressions on the pod
*/}}
{{- define "istio-remote.webhook" -}}
- name: {{ .name }}sidecar-injector.istio.io
  clientConfig:
    {{- if .root.Values.webhook.injectionURL }}
    url: {{ include "istio-remote.injectionURL" .root | quote }}
    {{- else }}
    service:
      name: {{ include "istio-remote.service" .root | quote }}
      namespace: {{ .root.Release.Namespace | quote }}
      path: {{ include "istio-remote.injectionPath" .root | quote }}
      port: 443
    {{- end }}
    {{- with .root.Values.webhook.caBundle }}
    caBundle: {{ . | quote }}
    {{- end }}
  rules:
    - operations: [CREATE]
      apiGroups: [""]
      apiVersions: [v1]
      resources: [pods]
  namespaceSelector:
    matchExpressions:
      {{- toYaml .namespaceSelector | nindent 6 }}
  objectSelector:
    matchExpressions:
      {{- toYaml .objectSelector | nindent 6 }}
  failurePolicy: {{ .root.Values.webhook.failurePolicy }}
  timeoutSeconds: {{ .root.Values.webhook.timeoutSeconds }}
  reinvocationPolicy: {{ .root.Values.webhook.reinvocationPolicy }}
  sideEffects: None
  admissionReviewVersions: [v1]
{{- end }}
