{{/* Object names are fixed, not derived from the release: programs in pods and people find the services by them. */}}

{{- define "swe-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: swe-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: swe-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "swe-operator.operatorSelector" -}}
app.kubernetes.io/name: swe-operator
app.kubernetes.io/component: operator
{{- end }}

{{- define "swe-operator.storeSelector" -}}
app.kubernetes.io/name: swe-operator
app.kubernetes.io/component: store
{{- end }}

{{/* image reference of {image, defaultTag} */}}
{{- define "swe-operator.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .defaultTag }}
{{- end -}}
{{- end }}

{{/* What the `restricted` pod security standard asks of a pod and of a container. */}}
{{- define "swe-operator.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "swe-operator.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "swe-operator.serviceAccountUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:swe-operator
{{- end }}

{{/* Pods that the operator created, in any namespace: the only ones with business here. */}}
{{- define "swe-operator.podsOfRuns" -}}
- namespaceSelector: {}
  podSelector:
    matchLabels: {app.kubernetes.io/managed-by: swe-operator}
{{- end }}

{{/* Those of them that talk to the store themselves: sandboxes never do. */}}
{{- define "swe-operator.podsOfPrograms" -}}
- namespaceSelector: {}
  podSelector:
    matchLabels: {app.kubernetes.io/managed-by: swe-operator}
    matchExpressions: [{key: swe-operator.dev/role, operator: NotIn, values: [sandbox]}]
{{- end }}

{{/* The operator's configuration; keys are sorted, so equal values give equal bytes and an equal checksum. */}}
{{- define "swe-operator.config" -}}
{{- $external := .Values.artifacts.external -}}
{{- $embedded := .Values.artifacts.embedded.enabled -}}
{{- if not $embedded -}}
{{- if not $external.endpoint }}{{ fail "artifacts.external.endpoint: set the URL of the S3 service, or set artifacts.embedded.enabled to true" }}{{ end -}}
{{- if not $external.secretRef.name }}{{ fail "artifacts.external.secretRef.name: name a Secret in the operator's namespace with the keys accessKeyId and secretAccessKey" }}{{ end -}}
{{- end -}}
{{- $store := dict "bucket" .Values.artifacts.bucket "region" .Values.artifacts.region -}}
{{- if $embedded -}}
{{- $_ := set $store "endpoint" (printf "http://swe-operator-store.%s.svc:7070" .Release.Namespace) -}}
{{- $_ := set $store "pathStyle" true -}}
{{- $_ := set $store "credentials" (dict "kind" "Embedded" "secretName" "swe-operator-store") -}}
{{- else -}}
{{- $_ := set $store "endpoint" $external.endpoint -}}
{{- $_ := set $store "pathStyle" $external.pathStyle -}}
{{- $_ := set $store "credentials" (dict "kind" "Files" "directory" "/etc/swe-operator-store") -}}
{{- end -}}
{{- $trainer := dict "imagePullPolicy" .Values.trainer.image.pullPolicy "imagePullSecrets" .Values.trainer.imagePullSecrets -}}
{{- $_ := set $trainer "image" (include "swe-operator.image" (dict "image" .Values.trainer.image "defaultTag" .Chart.AppVersion)) -}}
{{- $_ := set $trainer "gpuImage" (include "swe-operator.image" (dict "image" .Values.trainer.gpuImage "defaultTag" .Chart.AppVersion)) -}}
{{- $harness := dict "imagePullPolicy" .Values.harness.image.pullPolicy "imagePullSecrets" .Values.harness.imagePullSecrets -}}
{{- $_ := set $harness "image" (include "swe-operator.image" (dict "image" .Values.harness.image "defaultTag" .Chart.AppVersion)) -}}
{{- $serving := dict "vllmImage" (include "swe-operator.image" (dict "image" .Values.serving.vllmImage "defaultTag" "")) "sglangImage" (include "swe-operator.image" (dict "image" .Values.serving.sglangImage "defaultTag" "")) -}}
{{- $pools := list -}}
{{- range $name, $pool := .Values.pools -}}
{{- if and (kindIs "map" $pool.gpu) (regexMatch "/mig-|[.]shared$" (default "" $pool.gpu.resource)) -}}
{{- fail (printf "pools.%s.gpu.resource: %s is a part of a GPU: NCCL cannot train across slices, and shared GPUs give way in the middle of a step; use whole GPUs, nvidia.com/gpu" $name $pool.gpu.resource) -}}
{{- end -}}
{{- $pools = append $pools (merge (dict "name" $name) $pool) -}}
{{- end -}}
{{- dict "logLevel" .Values.logLevel "watchNamespaces" .Values.watchNamespaces "store" $store "trainer" $trainer "harness" $harness "serving" $serving "pools" $pools "currency" .Values.currency | toPrettyJson -}}
{{- end }}
