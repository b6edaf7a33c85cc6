#!/bin/sh
# Makes what the services of compose.yaml have to keep secret, once. Containers read the files under users of their own, so the
# folder is what keeps others out.
set -eu
folder="$(dirname "$0")/../secrets"
if [ -e "$folder" ]; then
  echo "$folder is there: nothing was made" >&2
  exit 1
fi
mkdir -m 700 "$folder"
cd "$folder"

head -c 32 /dev/urandom > challenges-key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out receipts-key 2>/dev/null
openssl rand -hex 24 > store-owner-password
openssl rand -hex 24 > store-password

key="$(openssl rand -hex 32)"
printf '%s\n' "$key" > api-key
cat > caller.env <<CALLER
VERITEE__CALLERS__GATE__API_KEY_SHA256=$(printf %s "$key" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
VERITEE__CALLERS__GATE__EXPIRES=$(date -u -d '+365 days' +%F 2>/dev/null || date -u -v+365d +%F)
CALLER
chmod 444 challenges-key receipts-key store-owner-password store-password
chmod 400 api-key caller.env
echo "made in deploy/secrets; the API key of the caller is in deploy/secrets/api-key"
