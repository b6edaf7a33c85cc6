import { hex } from '../crypto/digest.js';
import { encodeBase64Url } from '../formats/base64.js';
import type { CollectRequest, GuestPlaces } from './collect.js';
import { EVIDENCE_FILES } from './evidence-files.js';
import {
  AZURE_TPM,
  handle,
  NOTHING_OF_AZURE,
  QUOTE_FILES,
  quoteArguments,
  requireFits,
  USER_DATA_LENGTH,
} from './guest-tpm.js';
import { TPM_DEVICE } from './tool-run.js';

type ScriptPlaces = Pick<GuestPlaces, 'tpm' | 'lock' | 'metadata' | 'logs'>;

type ScriptRequest = Pick<CollectRequest, 'nonce' | 'pcrs' | 'akCertificate' | 'eventLog'>;

/**
 * What `collect` does, as a POSIX shell script for a guest without Node: it writes the raw files of the evidence into a
 * folder, from which `veritee request` makes a body. A key is never bound by it: a script that others make could bind theirs.
 * It is for guests with a vTPM alone.
 *
 * @throws {CollectError} `nonce_length` for a nonce that no TPM quote holds
 */
export function collectScript(
  { nonce, pcrs, akCertificate: withCertificate, eventLog: withLogs }: ScriptRequest,
  places: ScriptPlaces,
): string {
  requireFits(nonce);
  const { logs } = places;
  const { hcl, akCertificate, certification, tdQuoteAnswer } = EVIDENCE_FILES;
  const x = hex(nonce);
  const padded = x.padEnd(USER_DATA_LENGTH * 2, '0');
  const octal = [...Buffer.from(padded, 'hex')].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  const [report, userData, certificate] = [AZURE_TPM.hclReport, AZURE_TPM.userData, AZURE_TPM.akCertificate].map(
    handle,
  );
  return `#!/bin/sh
# Collects evidence of an Azure VM with tpm2-tools 5. Run it as root in the guest: sh collect.sh [FOLDER]
# Then, wherever veritee is: veritee request FOLDER --nonce ${encodeBase64Url(nonce)}
set -eu
umask 077
export LC_ALL=C
folder=\${1:-evidence}
device=${places.tpm ?? TPM_DEVICE}
lock=${places.lock}
metadata=${places.metadata}
restore=
locked=
entered=
quoted=

fail() {
  printf '%s\\n' "$1: $2" >&2
  exit 1
}

finish() {
  status=$?
  trap - EXIT
  trap '' HUP INT TERM
  case $restore in
    undefine) tpm2_nvundefine -C o ${userData} || status=1 ;;
    write) tpm2_nvwrite -C o -i before.bin ${userData} || status=1 ;;
  esac
  if [ -n "$entered" ]; then rm -f public.txt before.bin user-data.bin; fi
  # Without a quote the rest is of no use, and a second run needs the name of the folder.
  if [ -n "$entered" ] && [ -z "$quoted" ]; then
    rm -f ${[hcl, akCertificate].map(({ name }) => name).join(' ')} ${Object.values(QUOTE_FILES).join(' ')}
    cd "$OLDPWD" && rmdir "$folder"
  fi
  if [ -n "$locked" ]; then rm -f "$lock"; fi
  exit "$status"
}

# Whether an NV index was ever written: reading it is an error until then.
nv_written() {
  nv_public "$1" | grep -q '|written'
}

# Prints the lines that the TPM has about an NV index: none where it is not defined.
nv_public() {
  awk -v name="$1:" '/^0x/ { found = ($0 == name) } found' public.txt
}

nv_size() {
  nv_public "$1" | awk '$1 == "size:" { print $2 }'
}

for tool in tpm2_getcap tpm2_nvreadpublic tpm2_nvread tpm2_nvwrite tpm2_nvdefine tpm2_nvundefine tpm2_quote awk grep od; do
  command -v "$tool" >/dev/null 2>&1 || fail tools_missing "$tool is not on the PATH"
done
if [ -z "\${TPM2TOOLS_TCTI:-}" ]; then
  [ -e "$device" ] || fail no_tpm "there is no $device"
  { [ -r "$device" ] && [ -w "$device" ]; } || fail permission "this user may not open $device"
  export TPM2TOOLS_TCTI="device:$device"
fi
[ -w "\${lock%/*}" ] || fail permission "$lock cannot be written"

trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
if ! (set -C && printf '%s\\n' "$$" >"$lock") 2>/dev/null; then
  holder=$(cat "$lock" 2>/dev/null || true)
  case $holder in
    '' | *[!0-9]*) fail locked "$lock is no lock of a collector" ;;
  esac
  [ ! -d "/proc/$holder" ] || fail locked "$lock is held by process $holder"
  rm -f "$lock"
  (set -C && printf '%s\\n' "$$" >"$lock") 2>/dev/null || fail locked "$lock is held by another collector"
fi
locked=yes
mkdir "$folder" || fail output_file "$folder must not exist yet"
cd "$folder"
entered=yes

tpm2_nvreadpublic >public.txt
kind=3
if [ -n "$(nv_size ${shortName(AZURE_TPM.hclReport)})" ]; then
  tpm2_nvread -C o ${report} >${hcl.name}
  kind=$(od -An -tu1 -j1224 -N1 ${hcl.name} | tr -d ' ')
elif [ -z "$(nv_size ${shortName(AZURE_TPM.akCertificate)})" ]; then
  fail not_confidential '${NOTHING_OF_AZURE}'
fi
case $kind in
  2 | 3 | 4) ;;
  *) fail not_confidential "the HCL report is of type $kind" ;;
esac
tpm2_getcap handles-persistent | grep -q ${handle(AZURE_TPM.ak)} ||
  fail ak_absent 'the TPM has no attestation key at ${handle(AZURE_TPM.ak)}'

if ${withCertificate ? '' : '[ "$kind" = 3 ] && '}nv_written ${shortName(AZURE_TPM.akCertificate)}; then
  tpm2_nvread -C o ${certificate} >${akCertificate.name}
  # A certificate in DER begins so; an index without one has zeros.
  if [ "$(od -An -tx1 -N1 ${akCertificate.name} | tr -d ' ')" != 30 ]; then rm ${akCertificate.name}; fi
fi
[ "$kind" != 3 ] || [ -e ${akCertificate.name} ] || fail nv_absent 'NV index ${certificate} holds no AK certificate'

case $kind in
  2 | 4)
    printf '${octal}' >user-data.bin
    case $(nv_size ${shortName(AZURE_TPM.userData)}) in
      '')
        restore='undefine'
        tpm2_nvdefine -C o -s ${USER_DATA_LENGTH} -a 'ownerread|ownerwrite' ${userData} >/dev/null
        ;;
      ${USER_DATA_LENGTH})
        if nv_written ${shortName(AZURE_TPM.userData)}; then
          tpm2_nvread -C o ${userData} >before.bin
        else
          head -c ${USER_DATA_LENGTH} /dev/zero >before.bin
        fi
        restore='write'
        ;;
      *) fail nv_unusable 'NV index ${userData} does not have ${USER_DATA_LENGTH} bytes' ;;
    esac
    tpm2_nvwrite -C o -i user-data.bin ${userData}
    for _ in 1 2 3; do
      sleep 3
      tpm2_nvread -C o ${report} >${hcl.name}
      # Reports of 2022 have no user data: what that means is for the verifier.
      if grep -aiq ${padded} ${hcl.name}; then break; fi
    done
    ;;
  3) rm -f ${hcl.name} ;;
esac

attempt=1
until tpm2_quote ${quoteArguments(pcrs, x).join(' ')} >/dev/null; do
  [ "$attempt" -lt 5 ] || fail quote_unstable 'tpm2_quote gave no quote'
  attempt=$((attempt + 1))
done
quoted=yes
${withLogs ? copyLogs(logs) : ''}
ask() {
  curl --disable --silent --show-error --fail --noproxy '*' --max-time 5 --max-filesize 65536 "$@"
}

case $kind in
  2)
    ask -H Metadata:true "$metadata/metadata/THIM/amd/certification" >${certification.name} ||
      fail metadata_unreachable 'no answer of the metadata service'
    ;;
  4)
    report=$(head -c 1056 ${hcl.name} | tail -c 1024 | base64 | tr -d '\\n=' | tr '+/' '-_')
    ask -H Content-Type:application/json -d "{\\"report\\":\\"$report\\"}" "$metadata/acc/tdquote" >${tdQuoteAnswer.name} ||
      fail metadata_unreachable 'no answer of the metadata service'
    ;;
esac
`;
}

function copyLogs({ firmware, system }: ScriptPlaces['logs']): string {
  return `
if [ -r ${firmware} ]; then
  cat ${firmware} >${EVIDENCE_FILES.eventLog.name}
  if [ -r ${system} ]; then cat ${system} >${EVIDENCE_FILES.systemLog.name}; fi
fi
`;
}

/** As tpm2_nvreadpublic writes it. */
function shortName(index: number): string {
  return `0x${index.toString(16)}`;
}
