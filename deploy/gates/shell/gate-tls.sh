#!/usr/bin/env bash
# gate-tls.sh [COMMAND ...]: asks the service, and runs the command only on an allow. It needs curl and jq.
#
# It trusts TLS only: whoever can answer for VERITEE_URL decides. It reads the receipt to see what the answer is about, and does
# not verify its signature. README.md lists the variables.
. "$(dirname -- "${BASH_SOURCE[0]}")/ask.sh"

write_headers
ask
require_allow
take_apart
require_claims
let_go "$@"
