{{/*
Secrets that a program reads, each as a file: a list of variable, secretName, key and suffix. A program gets no secret
that it does not need. Takes root and program.
*/}}
{{- define "coxswain.secretFiles" -}}
{{- $values := .root.Values -}}
{{- $files := list (dict "variable" "MONGODB_URL" "suffix" "_FILE" "from" $values.mongodb.url) -}}
{{- $files = append $files (dict "variable" "TEMPORAL_API_KEY" "suffix" "_FILE" "from" $values.temporal.apiKey) -}}
{{- $tls := $values.temporal.tls -}}
{{- $files = append $files (dict "variable" "TEMPORAL_TLS_SERVER_CA_CERT_PATH" "suffix" "" "from" $tls.serverCa) -}}
{{- $certificate := dict "secretName" $tls.client.secretName "key" $tls.client.certificateKey -}}
{{- $privateKey := dict "secretName" $tls.client.secretName "key" $tls.client.privateKeyKey -}}
{{- $files = append $files (dict "variable" "TEMPORAL_TLS_CLIENT_CERT_PATH" "suffix" "" "from" $certificate) -}}
{{- $files = append $files (dict "variable" "TEMPORAL_TLS_CLIENT_KEY_PATH" "suffix" "" "from" $privateKey) -}}
{{- if and (eq $values.artifacts.kind "s3") (ne .program "api") -}}
{{- $credentials := $values.artifacts.s3.credentials -}}
{{- $key := dict "secretName" $credentials.secretName "key" $credentials.secretAccessKeyKey -}}
{{- $files = append $files (dict "variable" "AWS_SECRET_ACCESS_KEY" "suffix" "_FILE" "from" $key) -}}
{{- if $credentials.sessionTokenKey -}}
{{- $token := dict "secretName" $credentials.secretName "key" $credentials.sessionTokenKey -}}
{{- $files = append $files (dict "variable" "AWS_SESSION_TOKEN" "suffix" "_FILE" "from" $token) -}}
{{- end -}}
{{- end -}}
{{- if eq .program "orchestrator" -}}
{{- $files = append $files (dict "variable" "WANDB_API_KEY" "suffix" "_FILE" "from" $values.wandb.apiKey) -}}
{{- else if eq .program "control" -}}
{{- $files = append $files (dict "variable" "COXSWAIN_PROMETHEUS_TOKEN" "suffix" "_FILE" "from" $values.control.prometheus.token) -}}
{{- $files = append $files (dict "variable" "COXSWAIN_KIALI_TOKEN" "suffix" "_FILE" "from" $values.control.kiali.token) -}}
{{- else if eq .program "api" -}}
{{- $files = append $files (dict "variable" "COXSWAIN_API_TOKEN" "suffix" "_FILE" "from" $values.api.token) -}}
{{- $files = append $files (dict "variable" "COXSWAIN_WEBHOOK_SECRET" "suffix" "_FILE" "from" $values.api.webhookSecret) -}}
{{- end -}}
{{- $given := list -}}
{{- range $files -}}
{{- if .from.secretName -}}{{- $given = append $given . -}}{{- end -}}
{{- end -}}
{{- toJson $given -}}
{{- end -}}

{{/* Environment of a program. Takes root and program. */}}
{{- define "coxswain.environment" -}}
{{- $values := .root.Values -}}
{{- $worker := ne .program "api" -}}
- { name: TEMPORAL_ADDRESS, value: {{ $values.temporal.address | quote }} }
- { name: TEMPORAL_NAMESPACE, value: {{ $values.temporal.namespace | quote }} }
{{- with $values.temporal.tls }}
{{- if ne .mode "auto" }}
- { name: TEMPORAL_TLS, value: {{ ternary "true" "false" (eq .mode "on") | quote }} }
{{- end }}
{{- with .serverName }}
- { name: TEMPORAL_TLS_SERVER_NAME, value: {{ . | quote }} }
{{- end }}
{{- end }}
- { name: COXSWAIN_DATABASE, value: {{ $values.mongodb.database | quote }} }
- { name: COXSWAIN_LOG_LEVEL, value: {{ $values.logLevel | quote }} }
{{- range include "coxswain.secretFiles" . | fromJsonArray }}
- { name: {{ .variable }}{{ .suffix }}, value: /etc/coxswain/secrets/{{ .variable }} }
{{- end }}
{{- if $worker }}
- { name: COXSWAIN_HEALTH_PORT, value: '8231' }
{{- if eq $values.artifacts.kind "s3" }}
{{- with $values.artifacts.s3 }}
- { name: COXSWAIN_ARTIFACTS, value: {{ .url | quote }} }
- { name: AWS_REGION, value: {{ .region | quote }} }
{{- with .endpoint }}
- { name: AWS_ENDPOINT_URL_S3, value: {{ . | quote }} }
{{- end }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: { name: {{ .credentials.secretName }}, key: {{ .credentials.accessKeyIdKey }} }
{{- end }}
{{- else }}
- { name: COXSWAIN_ARTIFACTS, value: /artifacts }
{{- end }}
{{- end }}
{{- if and (has .program (list "orchestrator" "trainer-cpu" "trainer-gpu")) $values.algorithms.configMap }}
{{- $paths := list }}
{{- range $values.algorithms.files }}{{ $paths = append $paths (printf "/algorithms/%s" .) }}{{ end }}
- { name: COXSWAIN_ALGORITHMS, value: {{ join "," $paths | quote }} }
{{- end }}
{{- if eq .program "orchestrator" }}
- { name: WANDB_BASE_URL, value: {{ $values.wandb.baseUrl | quote }} }
- { name: WANDB_MODE, value: {{ $values.wandb.mode | quote }} }
{{- if $values.wandb.existingClaim }}
- { name: WANDB_DIR, value: /wandb }
{{- end }}
{{- if $values.dataFolders }}
{{- $pairs := list }}
{{- range $values.dataFolders }}{{ $pairs = append $pairs (printf "%s=/data/%s" .name .name) }}{{ end }}
- { name: COXSWAIN_DATA_FOLDERS, value: {{ join "," $pairs | quote }} }
{{- end }}
{{- else if eq .program "trainer-cpu" }}
- { name: COXSWAIN_SLOTS, value: {{ $values.trainerCpu.slots | quote }} }
{{- else if eq .program "control" }}
- { name: COXSWAIN_CLUSTER_NAMESPACES, value: {{ join "," $values.control.namespaces | quote }} }
- { name: COXSWAIN_PROMETHEUS_URL, value: {{ $values.control.prometheus.url | quote }} }
{{- with $values.control.prometheus.names }}
{{- if .configMap }}
- { name: COXSWAIN_METRICS_NAMES, value: /metrics-names/{{ .key }} }
{{- end }}
{{- end }}
{{- with $values.control.kiali.url }}
- { name: COXSWAIN_KIALI_URL, value: {{ . | quote }} }
{{- end }}
{{- else if eq .program "api" }}
{{- $name := include "coxswain.name" . }}
{{- $service := printf "%s.%s" $name .root.Release.Namespace }}
{{- $hosts := list $name $service (printf "%s.svc" $service) (printf "%s.svc.%s" $service $values.clusterDomain) }}
- { name: COXSWAIN_API_HOST, value: 0.0.0.0 }
- { name: COXSWAIN_API_PORT, value: '8230' }
- { name: COXSWAIN_ALLOWED_HOSTS, value: {{ join "," (concat $hosts $values.api.allowedHosts) | quote }} }
{{- with $values.api.allowedOrigins }}
- { name: COXSWAIN_ALLOWED_ORIGINS, value: {{ join "," . | quote }} }
{{- end }}
{{- end }}
{{- end -}}

{{/* Where the volumes of a program are mounted. Takes root and program. */}}
{{- define "coxswain.mounts" -}}
{{- $values := .root.Values -}}
- { name: tmp, mountPath: /tmp }
- { name: scratch, mountPath: /app/.coxswain }
- { name: secrets, mountPath: /etc/coxswain/secrets, readOnly: true }
{{- if and (ne .program "api") (eq $values.artifacts.kind "volume") }}
- { name: artifacts, mountPath: /artifacts }
{{- end }}
{{- if and (has .program (list "orchestrator" "trainer-cpu" "trainer-gpu")) $values.algorithms.configMap }}
- { name: algorithms, mountPath: /algorithms, readOnly: true }
{{- end }}
{{- if and (eq .program "control") $values.control.prometheus.names.configMap }}
- { name: metrics-names, mountPath: /metrics-names, readOnly: true }
{{- end }}
{{- if eq .program "orchestrator" }}
{{- if $values.wandb.existingClaim }}
- { name: wandb, mountPath: /wandb }
{{- end }}
{{- range $values.dataFolders }}
- { name: data-{{ .name }}, mountPath: /data/{{ .name }}, readOnly: true }
{{- end }}
{{- end }}
{{- end -}}

{{/* Volumes of a program. Takes root and program. */}}
{{- define "coxswain.volumes" -}}
{{- $values := .root.Values -}}
- name: tmp
  emptyDir: { sizeLimit: 1Gi }
- name: scratch
  emptyDir: { sizeLimit: 2Gi }
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range include "coxswain.secretFiles" . | fromJsonArray }}
      - secret:
          name: {{ .from.secretName }}
          items: [{ key: {{ .from.key | quote }}, path: {{ .variable }} }]
      {{- end }}
{{- if and (ne .program "api") (eq $values.artifacts.kind "volume") }}
- name: artifacts
  persistentVolumeClaim:
    claimName: {{ default (printf "%s-artifacts" (include "coxswain.fullname" .root)) $values.artifacts.volume.existingClaim }}
{{- end }}
{{- if and (has .program (list "orchestrator" "trainer-cpu" "trainer-gpu")) $values.algorithms.configMap }}
- name: algorithms
  configMap: { name: {{ $values.algorithms.configMap }} }
{{- end }}
{{- if eq .program "control" }}
{{- with $values.control.prometheus.names.configMap }}
- name: metrics-names
  configMap: { name: {{ . }} }
{{- end }}
{{- end }}
{{- if eq .program "orchestrator" }}
{{- with $values.wandb.existingClaim }}
- name: wandb
  persistentVolumeClaim: { claimName: {{ . }} }
{{- end }}
{{- range $values.dataFolders }}
- name: data-{{ .name }}
  persistentVolumeClaim: { claimName: {{ .existingClaim }}, readOnly: true }
{{- end }}
{{- end }}
{{- end -}}
