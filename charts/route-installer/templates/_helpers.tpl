{{/*
Labels of every object. Call it with the root context:
  {{- include "route-installer.labels" . | nindent 4 }}
The name is fixed and not that of Chart.yaml, which differs per cluster.
*/}}
{{- define "route-installer.labels" -}}
{{ include "route-installer.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: isthmus
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "route-installer-%s" .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/*
Labels that pods are found by; they never change. Call it with the root context.
*/}}
{{- define "route-installer.selectorLabels" -}}
app.kubernetes.io/name: route-installer
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/*
`true` when the API server is of that version or later, else nothing. Call it with a dict: root, version (such as 1.19.0-0).
*/}}
{{- define "route-installer.since" -}}
{{- if semverCompare (printf ">= %s" .version) .root.Capabilities.KubeVersion.Version }}true{{ end -}}
{{- end }}

{{/*
Labels of nodes; before 1.14 kubelets set the operating system under another name. Call it with the root context.
*/}}
{{- define "route-installer.nodeSelector" -}}
{{- $old := not (include "route-installer.since" (dict "root" . "version" "1.14.0-0")) }}
{{- range $key, $value := .Values.nodeSelector }}
{{ if and $old (eq $key "kubernetes.io/os") }}beta.kubernetes.io/os{{ else }}{{ $key }}{{ end }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{/*
Image by digest, or by tag where there is none. Call it with the image's values:
  {{ include "route-installer.image" .Values.image | quote }}
*/}}
{{- define "route-installer.image" -}}
{{- $path := .repository }}
{{- if .registry }}{{ $path = printf "%s/%s" (.registry | trimSuffix "/") .repository }}{{ end }}
{{- if .tag }}{{ $path = printf "%s:%s" $path .tag }}{{ end }}
{{- if .digest }}{{ $path = printf "%s@%s" $path .digest }}{{ end }}
{{- $path }}
{{- end }}

{{/*
Settings and guards as the agent reads them: `name value`, one a line. Call it with the root context.
*/}}
{{- define "route-installer.settings" -}}
mode {{ .Values.mode }}
protocol {{ .Values.protocol }}
onlink {{ ternary "yes" "no" .Values.onlink }}
withdraw-percent {{ .Values.withdrawal.maxPercent }}
withdraw-mass {{ ternary "yes" "no" .Values.withdrawal.allowMass }}
{{ range .Values.guard.remotePodCIDRs }}remote {{ . }}{{ "\n" }}{{ end }}
{{- range .Values.guard.localPodCIDRs }}local-pod {{ . }}{{ "\n" }}{{ end }}
{{- range .Values.guard.serviceCIDRs }}service {{ . }}{{ "\n" }}{{ end }}
{{- range .Values.guard.nodeCIDRs }}node {{ . }}{{ "\n" }}{{ end }}
{{- range .Values.masquerade.exemptCIDRs }}exempt {{ . }}{{ "\n" }}{{ end }}
{{- end }}

{{/*
Routes as the agent reads them: `dst via [mtu]`, one a line. Call it with a list of routes.
*/}}
{{- define "route-installer.rows" -}}
{{- range . }}{{ .dst }} {{ .via }}{{ with .mtu }} {{ . }}{{ end }}{{ "\n" }}{{ end }}
{{- end }}

{{/*
SHA-256 of settings and routes; in mode remove there are no routes. Call it with the root context.
*/}}
{{- define "route-installer.digest" -}}
{{- $rows := "" }}
{{- if eq .Values.mode "install" }}{{ $rows = include "route-installer.rows" .Values.routes }}{{ end }}
{{- printf "%s%s" (include "route-installer.settings" .) $rows | sha256sum }}
{{- end }}

{{/*
Number of ConfigMaps that the routes take. 5,000 of the longest routes (IPv6, with mtu) stay below 512 KiB, half of what a
ConfigMap holds. Call it with the root context.
*/}}
{{- define "route-installer.shards" -}}
{{- if eq .Values.mode "install" }}{{ div (add (len .Values.routes) 4999) 5000 }}{{ else }}0{{ end }}
{{- end }}

{{/*
First digits of the digest of everything the agent shall do: the name of a revision, the same that the agent reports. Costly with
many routes, so templates ask once. Call it with the root context.
*/}}
{{- define "route-installer.revision" -}}
{{- include "route-installer.digest" . | trunc 12 }}
{{- end }}

{{/*
First digits of the digest of the agent's files: pods are replaced when they change. Call it with the root context.
*/}}
{{- define "route-installer.agentDigest" -}}
{{- (.Files.Glob "files/*").AsConfig | sha256sum | trunc 12 }}
{{- end }}

{{/*
Labels and annotations of a pod. Call it with a dict: root, component (job, keeper or test), revision.
*/}}
{{- define "route-installer.podMetadata" -}}
labels:
  {{- include "route-installer.selectorLabels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
  isthmus/revision: {{ .revision | quote }}
  {{- /* A pod on the host's network cannot have a sidecar. */}}
  sidecar.istio.io/inject: "false"
annotations:
  isthmus/agent: {{ include "route-installer.agentDigest" .root | quote }}
{{- end }}

{{/*
What Jobs, keeper and tests have in common in their pod's spec. Call it with a dict: root, command (of the agent), revision, patience (seconds
that a Job waits for its revision to be mounted).
*/}}
{{- define "route-installer.podSpec" -}}
{{- /* The routes of the node are those of its own network namespace. */}}
hostNetwork: true
{{- /* The cluster's DNS is not needed, and may not be reachable before the routes are there. */}}
dnsPolicy: Default
serviceAccountName: {{ .root.Release.Name | quote }}
automountServiceAccountToken: false
{{- if include "route-installer.since" (dict "root" .root "version" "1.13.0-0") }}
enableServiceLinks: false
{{- end }}
{{- /* Nothing is cleaned up on stop: the routes stay. */}}
terminationGracePeriodSeconds: 5
{{- /* Before 1.17 the critical classes were for pods of kube-system alone. */}}
{{- if include "route-installer.since" (dict "root" .root "version" "1.17.0-0") }}
{{- with .root.Values.keeper.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end }}
securityContext:
  {{- /* Changing routes needs NET_ADMIN in the effective set, which a container of another user never gets. */}}
  runAsUser: 0
  {{- if include "route-installer.since" (dict "root" .root "version" "1.19.0-0") }}
  runAsGroup: 0
  seccompProfile:
    type: RuntimeDefault
  {{- end }}
tolerations:
  {{- toYaml .root.Values.tolerations | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: agent
    image: {{ include "route-installer.image" .root.Values.image | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    command: [sh, /opt/isthmus/agent.sh, {{ .command }}]
    env:
      - name: ISTHMUS_REVISION
        value: {{ .revision | quote }}
      - name: ISTHMUS_INTERVAL
        value: {{ .root.Values.keeper.intervalSeconds | quote }}
      - name: ISTHMUS_PATIENCE
        value: {{ .patience | quote }}
    {{- if eq .command "keep" }}
    {{- /* Ready means: the kernel of this node has exactly this revision; in mode remove, that no route of ours is left. */}}
    readinessProbe:
      exec:
        command: [sh, /opt/isthmus/agent.sh, probe]
      periodSeconds: 5
      timeoutSeconds: 5
      failureThreshold: 1
    {{- end }}
    resources:
      {{- toYaml .root.Values.keeper.resources | nindent 6 }}
    securityContext:
      privileged: false
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
        {{- /* Routes and nat rules; nothing else is allowed. A check only reads. */}}
        {{- if ne .command "check" }}
        add: [NET_ADMIN]
        {{- end }}
    volumeMounts:
      - name: agent
        mountPath: /opt/isthmus
        readOnly: true
      - name: desired
        mountPath: /etc/isthmus
        readOnly: true
      - name: state
        mountPath: /run/isthmus
volumes:
  - name: agent
    configMap:
      name: {{ printf "%s-agent" .root.Release.Name | quote }}
  {{- /* One folder of several ConfigMaps: the kubelet swaps it as a whole, and the digest in the header shows a mixed set. */}}
  - name: desired
    projected:
      sources:
        - configMap:
            name: {{ printf "%s-header" .root.Release.Name | quote }}
        {{- range $shard := until (include "route-installer.shards" .root | int) }}
        - configMap:
            name: {{ printf "%s-routes-%d" $.root.Release.Name $shard | quote }}
        {{- end }}
  - name: state
    emptyDir:
      sizeLimit: 64Mi
{{- end }}

{{/*
The part of a pod's spec that puts it on one node. Call it with a dict: root, node.
*/}}
{{- define "route-installer.onNode" -}}
{{- if not (include "route-installer.since" (dict "root" .root "version" "1.12.0-0")) -}}
nodeName: {{ .node | quote }}
{{- else -}}
{{- /* As the DaemonSet controller does it: unlike nodeName, a node that is full or gone leaves the pod pending, with a reason. */ -}}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchFields:
            - key: metadata.name
              operator: In
              values: [{{ .node | quote }}]
{{- end }}
{{- end }}

{{/*
Spec of the Job of one node. Its digest is in the Job's name, because a Job's spec cannot be changed. Call it with a dict: root, node, revision.
*/}}
{{- define "route-installer.jobSpec" -}}
backoffLimit: {{ .root.Values.job.backoffLimit }}
activeDeadlineSeconds: {{ .root.Values.job.activeDeadlineSeconds }}
template:
  metadata:
    {{- include "route-installer.podMetadata" (dict "root" .root "component" "job" "revision" .revision) | nindent 4 }}
  spec:
    restartPolicy: Never
    {{- include "route-installer.onNode" . | nindent 4 }}
    {{- $patience := div .root.Values.job.activeDeadlineSeconds 2 }}
    {{- include "route-installer.podSpec" (dict "root" .root "command" "once" "revision" .revision "patience" $patience) | nindent 4 }}
{{- end }}

{{/*
`true` when nodes get Jobs: some are named, and not more than a release can carry. Call it with the root context.
*/}}
{{- define "route-installer.hasJobs" -}}
{{- if and .Values.nodes (le (len .Values.nodes) 200) }}true{{ end }}
{{- end }}
