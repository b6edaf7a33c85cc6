# What both recipes have in common; they source it. It asks the service, and leaves in $scratch:
#   answer.json    an answer that says allow
#   receipt        its receipt, and in claims.json what that says
# Nothing of an answer is ever run, or expanded a second time.
set -euo pipefail
umask 077

readonly command_given=$#

# With a command, every failure is 125: the command has exit codes of its own.
fail() {
  local code=$1
  printf 'gate: %s\n' "$2" >&2
  ((command_given == 0)) || code=125
  exit "$code"
}

# Logs of pipelines obey `##` anywhere in a line and `::` at its beginning. Neither may be in what others wrote. What counts as
# white space in front of `::` is the runner's choice, so it is everything but visible ASCII.
without_commands() {
  LC_ALL=C sed -u -e 's/\r/\n/g' -e 's/##/#\\u0023/g' -e 's/^\([^!-~]*\):\(:\)/\1\\u003a\2/Mg'
}

# A member of an answer, on one line and not long.
shown() {
  jq -c "$1" "$2" 2>/dev/null | head -c 500 | without_commands
}

need() {
  [[ -n ${!1:-} ]] || fail 1 "$1 is not set"
}

for name in VERITEE_URL VERITEE_AUDIENCE VERITEE_ISSUER VERITEE_POLICY VERITEE_POLICY_SHA256 VERITEE_EVIDENCE_TYPE VERITEE_COLLECT; do
  need "$name"
done
for program in curl jq base64 timeout; do
  command -v "$program" >/dev/null || fail 1 "$program is not installed"
done

readonly tenant=${VERITEE_TENANT:-default}
readonly seconds=${VERITEE_TIMEOUT:-60}
[[ $seconds =~ ^[1-9][0-9]{0,2}$ ]] || fail 1 'VERITEE_TIMEOUT is no number of seconds from 1 to 999'

scratch=$(mktemp -d)

# Whatever a program failed with, that is no exit code of this recipe.
finish() {
  local code=$?
  rm -rf "$scratch"
  ((code <= 3)) || code=3
  ((code == 0 || command_given == 0)) || code=125
  exit "$code"
}
trap finish EXIT

# The key goes from a file to a file: arguments can be read by everybody on the machine.
write_headers() {
  printf 'content-type: application/json\naccept: application/json\n' >"$scratch/headers"
  [[ -n ${VERITEE_API_KEY_FILE:-} ]] || return 0
  local key
  # Of $(<FILE) bash ends by itself where it cannot read the file.
  key=$(cat -- "$VERITEE_API_KEY_FILE") || fail 1 'VERITEE_API_KEY_FILE cannot be read'
  [[ $key =~ ^[[:graph:]]+$ ]] || fail 1 'VERITEE_API_KEY_FILE holds no API key'
  printf 'authorization: Bearer %s\n' "$key" >>"$scratch/headers"
}

# https, or http to this machine.
protocols_of() {
  if [[ $1 =~ ^https://[^@?#[:space:]]+$ ]]; then
    printf '=https'
  elif [[ $1 =~ ^http://(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?(/[^@?#[:space:]]*)?$ ]]; then
    printf '=http'
  else
    fail 1 'VERITEE_URL and VERITEE_ISSUER have to be https URLs'
  fi
}

# exchange URL FILE [curl options]: whatever is no JSON object under status 200 is a failure. No redirect is followed, no more
# than 4 MiB are kept, and no file of the user's changes what curl does.
exchange() {
  local url=$1 file=$2 protocols said
  shift 2
  protocols=$(protocols_of "$url")
  said=$(
    ulimit -f 4096
    exec curl --disable --silent --show-error --proto "$protocols" --max-time "$seconds" --output "$file" \
      --write-out '%{http_code} %{content_type}' "$@" --url "$url" 2> >(without_commands >&2)
  ) || fail 3 "no whole answer came from $url"
  if [[ ${said%% *} == 400 ]]; then fail 1 "the service finds the request malformed: $(shown .code "$file")"; fi
  [[ ${said%% *} == 200 ]] || fail 3 "$url answered ${said%% *}"
  [[ ${said#* } =~ ^application/([a-z.+-]+\+)?json(\;.*)?$ ]] || fail 3 "the answer of $url is not JSON by its media type"
  jq -e -s 'length == 1 and (.[0] | type == "object")' "$file" >/dev/null 2>&1 || fail 3 "the answer of $url is no JSON object"
}

post() {
  exchange "${VERITEE_URL%/}$1" "$3" --header "@$scratch/headers" --data-binary "@$2"
}

# decode TEXT FILE: base64url without padding, in the one spelling of its bytes.
decode() {
  local text=$1 padded
  [[ $text =~ ^[A-Za-z0-9_-]+$ ]] || return 1
  padded=$(tr -- '-_' '+/' <<<"$text")
  while ((${#padded} % 4 != 0)); do padded+='='; done
  base64 -d <<<"$padded" >"$2" 2>/dev/null || return 1
  [[ $(base64 -w0 "$2" | tr -- '+/' '-_' | tr -d '=') == "$text" ]]
}

# One object in which no member stands twice, at any depth: of two, jq takes the last without a word.
is_object() {
  jq -e -s 'length == 1 and (.[0] | type == "object")' "$1" >/dev/null 2>&1 || return 1
  jq -e -n --stream '[inputs | if length == 2 then .[0] else .[0][:-1] end | tojson] | length == (unique | length)' \
    "$1" >/dev/null 2>&1
}

# A challenge for exactly what is asked for, and evidence that is made for it.
ask() {
  begun=$(date +%s)
  jq -n --arg audience "$VERITEE_AUDIENCE" --arg policy "$VERITEE_POLICY" --arg type "$VERITEE_EVIDENCE_TYPE" \
    '{$audience, $policy, evidenceType: $type}' >"$scratch/scope.json"
  post /challenges "$scratch/scope.json" "$scratch/challenge.json"
  nonce=$(jq -r '.nonce | strings' "$scratch/challenge.json")
  [[ $nonce =~ ^[A-Za-z0-9_-]{11,86}$ ]] || fail 3 'the service gave out no nonce'

  (
    ulimit -f 16384
    unset VERITEE_API_KEY_FILE
    VERITEE_NONCE=$nonce exec timeout "$seconds" "$VERITEE_COLLECT"
  ) >"$scratch/collected.json" 2> >(without_commands >&2) || fail 3 'the program of VERITEE_COLLECT failed'
  jq --arg nonce "$nonce" --arg audience "$VERITEE_AUDIENCE" --arg policy "$VERITEE_POLICY" \
    'if has("at") then error("at") else . + {$nonce, $audience, $policy} end' \
    "$scratch/collected.json" >"$scratch/body.json" 2>/dev/null || fail 1 'what VERITEE_COLLECT printed is no /verify body about now'

  post /verify "$scratch/body.json" "$scratch/answer.json"
}

# The decision of the answer, which has to be about now.
require_allow() {
  local decision
  decision=$(jq -r '.decision | strings' "$scratch/answer.json")
  case $decision in
    allow) ;;
    deny) fail 2 "the decision is deny: $(shown .reasons "$scratch/answer.json")" ;;
    indeterminate) fail 3 "the decision is indeterminate: $(shown .reasons "$scratch/answer.json")" ;;
    *) fail 3 'the answer has no decision that is known' ;;
  esac
  jq -e '.historical == false' "$scratch/answer.json" >/dev/null || fail 2 'the decision is about the past'
}

# Step 1 of docs/receipts.md, and its header.
take_apart() {
  local more
  receipt=$(jq -r '.receipt | strings' "$scratch/answer.json")
  IFS=. read -r header payload signature more <<<"$receipt"
  [[ -n ${signature:-} && -z ${more:-} && $receipt == "$header.$payload.$signature" ]] || fail 3 'the answer has no receipt in three parts'
  decode "$header" "$scratch/header.json" && is_object "$scratch/header.json" || fail 3 'the header of the receipt is malformed'
  decode "$payload" "$scratch/claims.json" && is_object "$scratch/claims.json" || fail 3 'the payload of the receipt is malformed'
  decode "$signature" "$scratch/signature" || fail 3 'the signature of the receipt is malformed'
}

# One claim: what has to hold, in jq, and what is said where it does not.
claim() {
  jq -e --arg issuer "$VERITEE_ISSUER" --arg audience "$VERITEE_AUDIENCE" --arg nonce "$nonce" --arg tenant "$tenant" \
    --arg policy "$VERITEE_POLICY" --arg sha256 "$VERITEE_POLICY_SHA256" --arg type "$VERITEE_EVIDENCE_TYPE" \
    --argjson now "$(date +%s)" --argjson begun "$begun" "$1" "$scratch/claims.json" >/dev/null 2>&1 || fail 3 "$2"
}

# Steps 5 to 12 of docs/receipts.md. Without step 4 they say what the answer is about, and nothing vouches for it.
require_claims() {
  claim '.iss == $issuer' 'the receipt is of another issuer'
  claim '.aud == $audience' 'the receipt is for somebody else'
  claim '.eat_nonce == $nonce' 'the receipt is of another request'
  claim '[.iat, .nbf, .exp] | all(type == "number" and floor == .)' 'the receipt lacks its times'
  claim '.exp > $now and .nbf <= $now + 60 and .exp - .iat <= 300' 'the receipt is not of now'
  # Whoever answers in the place of the service could repeat a challenge and an answer of a while ago.
  claim '.iat >= $begun - 60' 'the receipt was issued before it was asked for'
  claim '.eat_profile == "tag:github.com,2023:veraison/ear"' 'the receipt is of another profile'
  claim '.sub == $tenant + ":" + $policy' 'the receipt is of another policy or tenant'
  claim '.policies | length == 1 and .[0].id == $policy and .[0].sha256 == $sha256' \
    "the receipt is of another policy, or of another text of it: $(shown '[.policies[]? | "\(.id)@sha256:\(.sha256)"]' "$scratch/claims.json"), not $VERITEE_POLICY@sha256:$VERITEE_POLICY_SHA256"
  claim '.evidence.type == $type' 'the receipt is about other evidence'
  claim '.decision == "allow"' 'the receipt does not say allow'
  claim '.submods | type == "object" and all(.[]; .["ear.status"] | IN("none", "affirming", "warning", "contraindicated"))' \
    'the receipt does not say what was appraised'
}

# Runs the command of an allow, where there is one.
let_go() {
  VERITEE_DECISION_ID=$(jq -r '.jti | strings' "$scratch/claims.json")
  VERITEE_NONCE=$nonce
  export VERITEE_DECISION_ID VERITEE_NONCE
  unset VERITEE_API_KEY_FILE
  rm -rf "$scratch"
  if (($# > 0)); then
    command -v -- "$1" >/dev/null || fail 1 'the command is not there'
    exec "$@"
  fi
}
