#!/usr/bin/env bash
# Runs `veritee gate` with what a pipeline says in variables. An empty variable counts as one that is not set. README.md lists
# them. The exit code is that of `veritee gate`, or 125 where a program was to run and did not.
set -euo pipefail

failure=1
[[ -z ${VERITEE_GATE_EXEC:-} ]] || failure=125

fail() {
  printf 'gate: %s\n' "$1" >&2
  exit "$failure"
}

arguments=()

# Adds an option for each line of a variable. A value stands behind the sign of equality: so none of them is an option.
add() {
  local option=$1 name=$2 line
  while IFS= read -r line; do
    line=${line%$'\r'}
    [[ -z $line ]] || arguments+=("$option=$line")
  done <<<"${!name:-}"
}

add --url VERITEE_GATE_URL
add --audience VERITEE_GATE_AUDIENCE
add --policy VERITEE_GATE_POLICY
add --evidence-type VERITEE_GATE_EVIDENCE_TYPE
add --issuer VERITEE_GATE_ISSUER
add --tenant VERITEE_GATE_TENANT
add --jwks VERITEE_GATE_JWKS
add --api-key-file VERITEE_GATE_API_KEY_FILE
add --collect VERITEE_GATE_COLLECT
add --evidence VERITEE_GATE_EVIDENCE
add --nonce VERITEE_GATE_NONCE
add --bound-key VERITEE_GATE_BOUND_KEY
add --timeout VERITEE_GATE_TIMEOUT
[[ -z ${VERITEE_GATE_EXEC:-} ]] || arguments+=(--exec -- "$VERITEE_GATE_EXEC")

if [[ -n ${VERITEE_GATE_PACKAGE:-} ]]; then
  # A name would be looked up in a registry, and whoever owns it there would decide.
  [[ -f $VERITEE_GATE_PACKAGE ]] || fail 'VERITEE_GATE_PACKAGE names no file: give the path of the packed veritee'
  program=(npx --yes "--package=$(cd -- "$(dirname -- "$VERITEE_GATE_PACKAGE")" && pwd)/$(basename -- "$VERITEE_GATE_PACKAGE")" -- veritee)
else
  program=("${VERITEE_GATE_PROGRAM:-veritee}")
fi
command -v -- "${program[0]}" >/dev/null || fail 'veritee is not installed: name it in VERITEE_GATE_PROGRAM, or its package in VERITEE_GATE_PACKAGE'

exec "${program[@]}" gate "${arguments[@]}"
