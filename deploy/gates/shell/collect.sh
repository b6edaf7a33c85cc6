#!/usr/bin/env bash
# Collects the evidence of the VM that this runs in. Of another one: exec ssh vm veritee collect --nonce="$VERITEE_NONCE"
set -euo pipefail
exec veritee collect --nonce="$VERITEE_NONCE"
