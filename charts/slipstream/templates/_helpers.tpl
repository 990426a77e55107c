{{/* Names: the release's, once. */}}
{{- define "slipstream.name" -}}
{{- if contains "slipstream" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-slipstream" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end }}
{{- define "slipstream.operator" -}}{{ include "slipstream.name" . }}-operator{{- end }}
{{- define "slipstream.nats" -}}{{ include "slipstream.name" . }}-nats{{- end }}
{{- define "slipstream.admin" -}}{{ .Values.operator.adminSecretRef | default (printf "%s-admin" (include "slipstream.operator" .)) }}{{- end }}

{{- define "slipstream.selector" -}}
app.kubernetes.io/name: slipstream
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "slipstream.labels" -}}
{{ include "slipstream.selector" . }}
app.kubernetes.io/part-of: slipstream
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.global.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* An image: of the component, else of the whole; by digest where there is one, else by tag, else by the chart's version. */}}
{{- define "slipstream.image" -}}
{{- $image := .image -}}
{{- $repository := $image.repository -}}
{{- with .root.Values.global.imageRegistry }}{{ $repository = printf "%s/%s" (. | trimSuffix "/") $repository }}{{ end -}}
{{- if $image.digest }}{{ $repository }}@{{ $image.digest }}{{ else }}{{ $repository }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{- define "slipstream.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* What the restricted profile of Pod Security asks for, and a root that nobody writes to. */}}
{{- define "slipstream.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end }}
{{- define "slipstream.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Where a pod may run, of the component's block. */}}
{{- define "slipstream.scheduling" -}}
{{- with .block.nodeSelector }}
nodeSelector:
{{- toYaml . | nindent 2 }}
{{- end }}
{{- with .block.tolerations }}
tolerations:
{{- toYaml . | nindent 2 }}
{{- end }}
{{- with .block.affinity }}
affinity:
{{- toYaml . | nindent 2 }}
{{- end }}
{{- if .block.priorityClassName }}
priorityClassName: {{ .block.priorityClassName }}
{{- else if .root.Values.priorityClasses.enabled }}
priorityClassName: slipstream-control
{{- end }}
topologySpreadConstraints:
{{- if .block.topologySpreadConstraints }}
{{- toYaml .block.topologySpreadConstraints | nindent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "slipstream.selector" . | nindent 8 }}
{{- end }}
{{- end }}

{{/* host:port of the bus: one's own servers, else those that the chart installs, else none. */}}
{{- define "slipstream.natsServers" -}}
{{- if .Values.nats.servers }}{{ join "," .Values.nats.servers }}{{ else if .Values.nats.install }}{{ include "slipstream.nats" . }}.{{ .Release.Namespace }}.svc:4222{{ end -}}
{{- end }}

{{/* One rule of egress, as JSON: TCP to these ports, of these peers or of anybody. */}}
{{- define "slipstream.egressRule" -}}
{{- $ports := list }}
{{- range .ports }}{{ $ports = append $ports (dict "port" . "protocol" "TCP") }}{{ end }}
{{- $rule := dict "ports" $ports }}
{{- with .to }}{{ $_ := set $rule "to" . }}{{ end }}
{{- toJson $rule }}
{{- end }}
