#!/usr/bin/env bash
# gate-receipt.sh [COMMAND ...]: asks the service, verifies the receipt of its answer, and runs the command only on an allow,
# with the receipt in VERITEE_RECEIPT. It needs curl, jq and openssl, and a service that signs with RS256.
# README.md lists the variables.
. "$(dirname -- "${BASH_SOURCE[0]}")/ask.sh"

command -v openssl >/dev/null || fail 1 'openssl is not installed'

# Steps 2 and 3 of docs/receipts.md: the one key of the key set that the header names.
find_key() {
  local keys=${VERITEE_JWKS:-$scratch/jwks.json}
  [[ -n ${VERITEE_JWKS:-} ]] || exchange "${VERITEE_ISSUER%/}/.well-known/jwks.json" "$keys"
  jq -e '.typ == "eat+jwt" and (has("crit") | not) and .alg == "RS256" and (.kid | type == "string")' \
    "$scratch/header.json" >/dev/null || fail 3 'the header of the receipt is not that of an RS256 receipt'
  jq -e --slurpfile header "$scratch/header.json" '[.keys[] | select(.kid == $header[0].kid)] | if length == 1 then .[0] else empty end
    | select(.kty == "RSA" and .alg == "RS256" and (.n | type == "string") and (.e | type == "string"))' \
    "$keys" >"$scratch/key.json" 2>/dev/null || fail 3 'the key set of the issuer does not have the key of the receipt once, as an RSA key for RS256'
}

# hex_of MEMBER: a number of the key, as hex digits alone.
hex_of() {
  decode "$(jq -r ".$1" "$scratch/key.json")" "$scratch/number" || fail 3 'the key of the issuer is malformed'
  od -An -v -tx1 "$scratch/number" | tr -d ' \n'
}

# Step 4: the signature over the first two parts, as they stand in the receipt.
require_signature() {
  local n e
  n=$(hex_of n)
  e=$(hex_of e)
  # 2048 bits; a signature is as long as the modulus.
  ((${#n} >= 512)) && [[ $n != 00* ]] || fail 3 'the key of the issuer is too short'
  [[ $(wc -c <"$scratch/signature") -eq $((${#n} / 2)) ]] || fail 3 'the signature of the receipt has another length'
  printf '%s\n' 'asn1=SEQUENCE:key' '[key]' 'algorithm=SEQUENCE:rsa' 'bits=BITWRAP,SEQUENCE:numbers' \
    '[rsa]' 'id=OID:rsaEncryption' 'none=NULL' '[numbers]' "n=INTEGER:0x$n" "e=INTEGER:0x$e" >"$scratch/key.cnf"
  openssl asn1parse -genconf "$scratch/key.cnf" -noout -out "$scratch/key.der" >/dev/null 2>&1 || fail 3 'the key of the issuer cannot be used'
  printf %s "$header.$payload" >"$scratch/signed"
  openssl dgst -sha256 -keyform DER -verify "$scratch/key.der" -signature "$scratch/signature" "$scratch/signed" \
    >/dev/null 2>&1 || fail 3 'the receipt is not signed by the key of the issuer'
}

write_headers
ask
require_allow
take_apart
find_key
require_signature
require_claims
VERITEE_RECEIPT=$receipt
export VERITEE_RECEIPT
let_go "$@"
