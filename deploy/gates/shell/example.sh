#!/usr/bin/env bash
set -euo pipefail
export VERITEE_URL=https://veritee.example
export VERITEE_ISSUER=https://veritee.example
export VERITEE_AUDIENCE=https://gate.example
export VERITEE_POLICY=payments
export VERITEE_POLICY_SHA256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
export VERITEE_EVIDENCE_TYPE=az-snp-vtpm
export VERITEE_API_KEY_FILE=/etc/veritee/api-key
export VERITEE_COLLECT=./collect.sh
bash gate-receipt.sh ./release-key.sh
