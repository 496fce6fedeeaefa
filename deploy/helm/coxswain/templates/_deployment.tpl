{{/*
The Deployment of a program. Takes root, program, values and the things in which programs differ: args, replicas (absent
where an autoscaler sets them), strategy, gpus, and runtimeClassName.
*/}}
{{- define "coxswain.deployment" -}}
{{- $root := .root -}}
{{- $values := .values -}}
{{- $worker := ne .program "api" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "coxswain.name" . }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "coxswain.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .program }}
spec:
  {{- if hasKey . "replicas" }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy: {{ toJson .strategy }}
  selector:
    matchLabels:
      {{- include "coxswain.programLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "coxswain.programLabels" . | nindent 8 }}
        {{- if $worker }}
        coxswain/worker: 'true'
        {{- end }}
      annotations:
        kubectl.kubernetes.io/default-container: {{ .program }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "coxswain.name" . }}
      automountServiceAccountToken: {{ eq .program "control" }}
      # The variables that Kubernetes makes of Services would pass for settings, COXSWAIN_API_PORT first of all.
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
      {{- with $root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with .runtimeClassName }}
      runtimeClassName: {{ . }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        {{- if not (kindIs "invalid" $root.Values.runAsUser) }}
        runAsUser: {{ $root.Values.runAsUser }}
        runAsGroup: {{ $root.Values.runAsUser }}
        fsGroup: {{ $root.Values.runAsUser }}
        fsGroupChangePolicy: OnRootMismatch
        {{- end }}
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: {{ .program }}
          image: {{ include "coxswain.image" . | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          {{- with .args }}
          args: {{ toJson . }}
          {{- end }}
          env:
            {{- include "coxswain.environment" . | nindent 12 }}
          ports:
            {{- if $worker }}
            - { name: health, containerPort: 8231 }
            {{- else }}
            - { name: http, containerPort: 8230 }
            {{- end }}
          {{- if $worker }}
          # Long enough for a database and a Temporal server that start at the same time.
          startupProbe:
            httpGet: { path: /readyz, port: health }
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 60
          readinessProbe:
            httpGet: { path: /readyz, port: health }
            periodSeconds: 10
            timeoutSeconds: 5
          # Patient: trainings may take every core that the pod has.
          livenessProbe:
            httpGet: { path: /livez, port: health }
            periodSeconds: 15
            timeoutSeconds: 10
            failureThreshold: 6
          {{- else }}
          startupProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 30
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
            timeoutSeconds: 5
          livenessProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          # Requests still arrive until every node has heard that this pod is going.
          lifecycle:
            preStop:
              exec: { command: [node, -e, 'setTimeout(() => {}, 5000)'] }
          {{- end }}
          resources:
            {{- $resources := deepCopy $values.resources }}
            {{- if .gpus }}
            {{- $_ := set $resources "limits" (merge (dict $values.gpuResource .gpus) (default dict $resources.limits)) }}
            {{- end }}
            {{- toYaml $resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            {{- include "coxswain.mounts" . | nindent 12 }}
      volumes:
        {{- include "coxswain.volumes" . | nindent 8 }}
      topologySpreadConstraints:
        {{- $labels := include "coxswain.programLabels" . }}
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - topologyKey: {{ . }}
          maxSkew: 1
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- $labels | nindent 14 }}
        {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}
