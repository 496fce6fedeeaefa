{{/* Name of the release's objects, at most 50 characters, so that a program's name fits behind it. */}}
{{- define "coxswain.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of a program's objects. Takes root and program. */}}
{{- define "coxswain.name" -}}
{{ include "coxswain.fullname" .root }}-{{ .program }}
{{- end -}}

{{/* What selects all pods of the release. */}}
{{- define "coxswain.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What selects the pods of one program. Takes root and program. */}}
{{- define "coxswain.programLabels" -}}
{{ include "coxswain.selectorLabels" .root }}
app.kubernetes.io/component: {{ .program }}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "coxswain.labels" -}}
{{ include "coxswain.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Reference of a program's image. Takes root, program and values. */}}
{{- define "coxswain.image" -}}
{{- $image := .root.Values.image -}}
{{- $repository := printf "%s-%s" $image.repository .program -}}
{{- $path := ternary (printf "%s/%s" $image.registry $repository) $repository (ne $image.registry "") -}}
{{- default (printf "%s:%s" $path (default .root.Chart.AppVersion $image.tag)) .values.image -}}
{{- end -}}

{{/* The programs of this release: name, values, whether it works on a queue, and whether it keeps artifacts. */}}
{{- define "coxswain.programs" -}}
{{- $values := .Values -}}
{{- $gpu := or $values.trainerGpu.autoscaling.enabled (gt (int $values.trainerGpu.replicas) 0) -}}
orchestrator: orchestrator
trainer-cpu: trainerCpu
{{- if $gpu }}
trainer-gpu: trainerGpu
{{- end }}
{{- if $values.control.namespaces }}
control: control
{{- end }}
{{- if gt (int $values.api.replicas) 0 }}
api: api
{{- end }}
{{- end -}}

{{/* Port of an address such as https://host:9090/path; else that of its scheme. */}}
{{- define "coxswain.portOf" -}}
{{- $host := (urlParse .).host -}}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" -}}
{{- default (ternary "443" "80" (hasPrefix "https:" .)) $port -}}
{{- end -}}
