{{- define "veritee.name" -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "veritee.selector" -}}
app.kubernetes.io/name: veritee
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "veritee.labels" -}}
{{ include "veritee.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "veritee.image" -}}
{{- $image := .Values.image -}}
{{- if not $image.repository }}{{ fail "image.repository is empty: build the image, push it to a registry of yours, and name it" }}{{ end -}}
{{- if contains "@" $image.repository }}{{ fail (printf "image.repository is %s: put what follows the @ into image.digest" $image.repository) }}{{ end -}}
{{- if contains ":" (base $image.repository) }}{{ fail (printf "image.repository is %s: put the tag, which follows the colon, into image.tag" $image.repository) }}{{ end -}}
{{- if not (regexMatch "^(sha256:[0-9a-f]{64})?$" $image.digest) }}{{ fail (printf "image.digest is %s: write sha256: and 64 hex digits in lower case" $image.digest) }}{{ end -}}
{{- if $image.digest }}{{ printf "%s@%s" $image.repository $image.digest }}{{ else }}{{ printf "%s:%s" $image.repository ($image.tag | default .Chart.AppVersion) }}{{ end -}}
{{- end }}

{{/* How probes and scrapes reach the management port. */}}
{{- define "veritee.scheme" -}}
{{ ternary "HTTP" "HTTPS" .Values.tls.terminatedElsewhere }}
{{- end }}

{{- define "veritee.hasReplicas" -}}
{{ if or .Values.autoscaling.enabled (gt (int .Values.replicas) 1) }}yes{{ end }}
{{- end }}

{{/* What the chart has to know of veritee.yaml. */}}
{{- define "veritee.config" -}}
{{- $config := fromYaml .Values.config -}}
{{- if hasKey $config "Error" }}{{ fail (printf "config is no YAML with keys: %s" $config.Error) }}{{ end -}}
{{- range $section := list "azure" "callers" "challenges" "decisions" "listen" "policies" "receipts" "stores" }}
{{- if and (hasKey $config $section) (not (kindIs "map" (get $config $section))) }}{{ fail (printf "config has %s without keys below it: indent what belongs to it, or take it out" $section) }}{{ end -}}
{{- end }}
{{- range $name, $caller := $config.callers }}
{{- if not (kindIs "map" $caller) }}{{ fail (printf "config has callers.%s without keys below it: say how it is recognised and what it may do, or take it out (docs/callers.md)" $name) }}{{ end -}}
{{- end }}
{{- toJson $config }}
{{- end }}

{{/* Whether a used challenge is known to every replica: whether the stores are in a database. */}}
{{- define "veritee.isShared" -}}
{{- $url := dig "stores" "url" "" (include "veritee.config" . | fromJson) | toString -}}
{{ if hasPrefix "postgres://" (get .Values.env "VERITEE__STORES__URL" | default $url) }}yes{{ end }}
{{- end }}

{{/* Whether a caller is recognised by keys that the cluster gives only to service accounts. */}}
{{- define "veritee.needsToken" -}}
{{- range $name, $caller := (include "veritee.config" . | fromJson).callers }}
{{- with $caller.kubernetes }}
{{- if not (kindIs "map" .) }}{{ fail (printf "config has callers.%s.kubernetes without keys below it: say which service accounts it is (docs/callers.md)" $name) }}{{ end -}}
{{- if hasPrefix "/var/run/secrets/kubernetes.io/serviceaccount/" (.tokenFile | default "" | toString) }}yes{{ end -}}
{{- end }}
{{- end }}
{{- end }}

{{/* Whether the metadata service of the host is asked: 169.254.169.254. */}}
{{- define "veritee.needsLinkLocal" -}}
{{ if or .Values.egress.metadataService (contains "//169.254.169.254" (dig "azure" "thim" "" (include "veritee.config" . | fromJson) | toString)) }}yes{{ end }}
{{- end }}

{{- define "veritee.refuseSet" -}}
{{- $config := include "veritee.config" . | fromJson -}}
{{- $paths := list "listen.host" "listen.port" "listen.tls.cert" "listen.tls.key" "listen.management" "policies.directory" -}}
{{- if .Values.challengeKey.existingSecret }}{{ $paths = append $paths "challenges.key" }}{{ end -}}
{{- range $path := $paths }}
{{- $found := $config -}}
{{- range splitList "." $path }}{{ if kindIs "map" $found }}{{ $found = get $found . }}{{ else }}{{ $found = "" }}{{ end }}{{ end }}
{{- if not (eq (toString $found) "") }}{{ fail (printf "config has %s, which the chart sets: take it out" $path) }}{{ end }}
{{- end }}
{{- end }}

{{/* Refuses replicas that the service would not start, since they would not know each other's challenges and receipts. */}}
{{- define "veritee.decidedOfReplicas" -}}
{{- if include "veritee.hasReplicas" . }}
{{- $config := include "veritee.config" . | fromJson -}}
{{- if not (or .Values.challengeKey.existingSecret (dig "challenges" "key" "" $config) (hasKey .Values.env "VERITEE__CHALLENGES__KEY")) }}{{ fail "more than one replica, and challengeKey.existingSecret is empty: name a Secret with the 32 bytes that all of them make challenges with (docs/deployment.md)" }}{{ end }}
{{- $receiptKey := dig "receipts" "key" "ephemeral" $config | default "ephemeral" | toString -}}
{{- if eq (get .Values.env "VERITEE__RECEIPTS__KEY" | default $receiptKey) "ephemeral" }}{{ fail "more than one replica, and config has no receipts.key: name a key that all of them sign receipts with, such as /etc/veritee/secrets/receipts/key.pem of a Secret in secrets.receipts (docs/deployment.md)" }}{{ end }}
{{- end }}
{{- end }}

{{/* Refuses files below folders that are not there: each folder is a Secret of `secrets`. */}}
{{- define "veritee.mountedSecrets" -}}
{{- $named := printf "%s %s" (include "veritee.config" .) (toJson .Values.env) -}}
{{- range regexFindAll "/etc/veritee/secrets/[A-Za-z0-9._-]+" $named -1 }}
{{- if not (hasKey $.Values.secrets (base .)) }}{{ fail (printf "config or env names a file below %s, which is not mounted: name its Secret in secrets.%s.existingSecret" . (base .)) }}{{ end -}}
{{- end }}
{{- end }}

{{/* Refuses what would leave a decision to nobody. */}}
{{- define "veritee.decided" -}}
{{- include "veritee.refuseSet" . }}
{{- if not (include "veritee.config" . | fromJson).callers }}{{ fail "config has no callers: say who may call (docs/callers.md)" }}{{ end }}
{{- if and (not .Values.tls.existingSecret) (not .Values.tls.terminatedElsewhere) }}{{ fail "tls.existingSecret is empty: name a Secret with tls.crt and tls.key, or set tls.terminatedElsewhere, where a mesh ends TLS in each pod" }}{{ end }}
{{- if and .Values.tls.existingSecret .Values.tls.terminatedElsewhere }}{{ fail "tls.existingSecret and tls.terminatedElsewhere exclude each other" }}{{ end }}
{{- if kindIs "invalid" .Values.egress.cidrs }}{{ fail "egress.cidrs is not set: list the address ranges that the service may contact, or [] for none (docs/deployment.md)" }}{{ end }}
{{- range .Values.egress.cidrs }}{{ include "veritee.range" . }}{{ end }}
{{- if and (include "veritee.hasReplicas" .) (not (include "veritee.isShared" .)) }}{{ fail "more than one replica: each would accept a challenge once more, so set stores.url of config to a database that they share (docs/stores.md)" }}{{ end }}
{{- include "veritee.decidedOfReplicas" . }}
{{- include "veritee.mountedSecrets" . }}
{{- if lt (int .Values.terminationGracePeriodSeconds) (add (int .Values.preStopSeconds) 20 | int) }}{{ fail "terminationGracePeriodSeconds is less than preStopSeconds and 20 seconds: open requests would be cut off" }}{{ end }}
{{- if and .Values.ciliumNetworkPolicy.enabled (not .Values.ciliumNetworkPolicy.hosts) }}{{ fail "ciliumNetworkPolicy.hosts is empty: list the hosts that the service may contact (docs/hardening.md, The network)" }}{{ end }}
{{- if and .Values.serviceMonitor.enabled (not .Values.tls.terminatedElsewhere) (not .Values.serviceMonitor.serverName) }}{{ fail "serviceMonitor.serverName is empty: it is the name in the certificate of tls.existingSecret, which a scrape by address cannot know" }}{{ end }}
{{- if and .Values.serviceMonitor.enabled (not .Values.serviceMonitor.credentials.existingSecret) }}{{ fail "serviceMonitor.credentials.existingSecret is empty: metrics need the API key of a caller with the role metrics" }}{{ end }}
{{- if and .Values.serviceMonitor.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.metricsFrom) }}{{ fail "networkPolicy.metricsFrom is empty, so the NetworkPolicy keeps out the Prometheus that serviceMonitor is for: name the namespace that it runs in, such as [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: monitoring } } }]" }}{{ end }}
{{- end }}

{{/* What the chart sets of the configuration, as variables, which win over veritee.yaml. */}}
{{- define "veritee.environment" -}}
{{- $set := dict "LISTEN__HOST" .Values.bindAddress "LISTEN__PORT" "8443" "POLICIES__DIRECTORY" "/etc/veritee/policies" -}}
{{- $management := dict "host" .Values.bindAddress "port" (int .Values.management.port) "metrics" "callers" -}}
{{- if not .Values.tls.terminatedElsewhere }}
{{- $set = merge $set (dict "LISTEN__TLS__CERT" "/etc/veritee/tls/tls.crt" "LISTEN__TLS__KEY" "/etc/veritee/tls/tls.key") }}
{{- $_ := set $management "tls" (dict "cert" "/etc/veritee/tls/tls.crt" "key" "/etc/veritee/tls/tls.key") }}
{{- end }}
{{- $_ := set $set "LISTEN__MANAGEMENT" (toJson $management) }}
{{- with .Values.challengeKey }}
{{- if .existingSecret }}{{ $_ := set $set "CHALLENGES__KEY" (printf "/etc/veritee/challenges/%s" .key) }}{{ end }}
{{- end }}
{{- $variables := deepCopy .Values.env -}}
{{- range $key, $value := $set }}
{{- $name := printf "VERITEE__%s" $key }}
{{- if hasKey $variables $name }}{{ fail (printf "env has %s, which the chart sets: take it out" $name) }}{{ end }}
{{- $_ := set $variables $name $value }}
{{- end }}
{{- range $name, $value := $variables }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{/* Refuses what is no address range that a rule may name: of version 6, all of it, or global or unique local addresses. */}}
{{- define "veritee.range" -}}
{{- $byte := "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])" -}}
{{- $range4 := printf "^(%s\\.){3}%s/(3[0-2]|[12]?[0-9])$" $byte $byte -}}
{{- $range6 := "^(::/0|(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}):[0-9a-f:]+/([7-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))$" -}}
{{- if not (or (regexMatch $range4 .) (regexMatch $range6 .)) }}{{ fail (printf "egress.cidrs has %s: write address ranges with their length, such as 203.0.113.0/24, or 203.0.113.7/32 for one address; of version 6, ::/0 or global or unique local ones in lower case. Names of hosts are not possible" .) }}{{ end -}}
{{- end }}

{{/*
Exceptions of an address range, so that it never opens link-local addresses, where the metadata service of a cloud is, nor the
platform service of Azure. Both are in ranges of at most 16 bits here: 169.254.0.0/16, and 168.63.0.0/16 around 168.63.129.16.
*/}}
{{- define "veritee.except" -}}
{{- include "veritee.range" . }}
{{- $cidr := . -}}
{{- $length := last (splitList "/" $cidr) | int -}}
{{- if contains ":" $cidr }}
{{- if eq $length 0 }}
except: [fe80::/10]
{{- end }}
{{- else }}
{{- $parts := splitList "." $cidr -}}
{{- $first := add (mul (index $parts 0 | int) 256) (index $parts 1 | int) -}}
{{- $size := 1 -}}
{{- range until (int (max 0 (sub 16 $length))) }}{{ $size = mul $size 2 }}{{ end -}}
{{- $except := list -}}
{{- range $block, $net := dict "43518" "169.254.0.0/16" "43071" "168.63.129.16/32" }}
{{- if eq (div $first $size) (div (int $block) $size) }}
{{- if gt $length 16 }}{{ fail (printf "egress.cidrs has %s, which is at an address of the host or cloud (%s): only egress.metadataService and azure.thim open one" $cidr $net) }}{{ end }}
{{- if and (eq $length 16) (eq $block "43518") }}{{ fail (printf "egress.cidrs has %s, which is link-local: only egress.metadataService and azure.thim open an address of it" $cidr) }}{{ end }}
{{- $except = append $except $net }}
{{- end }}
{{- end }}
{{- with $except }}
except: {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}
