{{/* The name of everything: that of the release, with the chart's unless it is in there. */}}
{{- define "trainer-assignment.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "trainer-assignment.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* What tells the service's pods from all others, those of the migration too. */}}
{{- define "trainer-assignment.podLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: service
{{- end -}}

{{- define "trainer-assignment.image" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- with .Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
{{- end -}}

{{/* Of a pod and of its container: as little as it can do with, and no value to loosen it. */}}
{{- define "trainer-assignment.podSecurity" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "trainer-assignment.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end -}}

{{/* The variables of service and migration: takes the database's values, and all values, whose Secret has it where they name none. */}}
{{- define "trainer-assignment.variables" -}}
{{- $secret := .database.secret | default .values.secret -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef: { name: {{ $secret }}, key: {{ .database.urlKey }} }
- name: DATABASE_PASSWORD
  valueFrom:
    secretKeyRef: { name: {{ $secret }}, key: {{ .database.passwordKey }}, optional: true }
{{- if .values.databaseCa.key }}
- name: DATABASE_CA_FILE
  value: /app/certs/ca.pem
{{- else if .values.databaseCa.secret }}
{{- fail "databaseCa.secret needs databaseCa.key, such as ca.crt" }}
{{- end }}
{{- with .values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Where the program finds the database's authority: it may read only below its own folder. */}}
{{- define "trainer-assignment.mounts" -}}
{{- if or .Values.databaseCa.key .Values.extraVolumeMounts }}
volumeMounts:
  {{- if .Values.databaseCa.key }}
  - { name: database-ca, mountPath: /app/certs, readOnly: true }
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "trainer-assignment.volumes" -}}
{{- if or .Values.databaseCa.key .Values.extraVolumes }}
volumes:
  {{- if .Values.databaseCa.key }}
  - name: database-ca
    secret:
      secretName: {{ .Values.databaseCa.secret | default .Values.secret }}
      items: [{ key: {{ .Values.databaseCa.key }}, path: ca.pem }]
  {{- end }}
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}
