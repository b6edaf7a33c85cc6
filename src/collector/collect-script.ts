import { encodeBase64Url } from '../formats/base64.js';
import { hex } from '../model/bytes.js';
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

# Runs a tool, whose output is that of the function. Of what it complains of, only the last error is its own.
tool() {
  if { said=$("$@" 2>&1 >&3); } 3>&1; then return 0; fi
  tool_failed "$1"
}

tool_failed() {
  code=tool_failed
  if printf '%s\\n' "$said" | grep -iq 'permission denied'; then code=permission; fi
  fail "$code" "$1 failed\${said:+: $(printf '%s\\n' "$said" | tail -n 1)}"
}

put_back() {
  case $restore in
    undefine) tpm2_nvundefine -C o ${userData} ;;
    write) tpm2_nvwrite -C o -i before.bin ${userData} ;;
  esac
}

finish() {
  status=$?
  trap - EXIT
  trap '' HUP INT TERM
  put_back || {
    status=1
    printf '%s\\n' 'warning: NV index ${userData} could not be put back as it was' >&2
  }
  if [ -n "$entered" ]; then rm -f public.txt before.bin user-data.bin; fi
  # Without a quote the rest is of no use, and a second run needs the name of the folder.
  if [ -n "$entered" ] && [ -z "$quoted" ]; then
    rm -f ${[hcl, akCertificate].map(({ name }) => name).join(' ')} ${Object.values(QUOTE_FILES).join(' ')}
    cd "$OLDPWD" && rmdir "$folder"
  fi
  if [ -n "$locked" ]; then rm -f "$lock"; fi
  exit "$status"
}

require_tool() {
  command -v "$1" >/dev/null 2>&1 || fail tools_missing "$1 is not on the PATH"
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

if [ -z "\${TPM2TOOLS_TCTI:-}" ]; then
  [ -e "$device" ] || fail no_tpm "there is no $device"
  { [ -r "$device" ] && [ -w "$device" ]; } || fail permission "this user may not open $device"
  export TPM2TOOLS_TCTI="device:$device"
fi
for tool in tpm2_nvreadpublic tpm2_getcap tpm2_nvread tpm2_nvwrite tpm2_nvdefine tpm2_nvundefine tpm2_quote awk grep od; do
  require_tool "$tool"
done
[ -w "\${lock%/*}" ] || fail permission "$lock cannot be written"

trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
if ! (set -C && printf '%s\\n' "$$" >"$lock") 2>/dev/null; then
  holder=$(cat "$lock" 2>/dev/null || true)
  case $holder in
    '' | 0* | *[!0-9]*) fail locked "$lock is no lock of a collector" ;;
  esac
  [ ! -d "/proc/$holder" ] || fail locked "$lock is held by process $holder"
  rm -f "$lock"
  (set -C && printf '%s\\n' "$$" >"$lock") 2>/dev/null || fail locked "$lock is held by another collector"
fi
locked=yes
mkdir "$folder" || fail output_file "$folder must not exist yet"
cd -P "$folder"
# In a folder of somebody else, they could have put another in its place meanwhile, with links in it for root to write to.
set -- $(ls -nd .) "$(ls -A)"
case \${1-},\${3-},\${10-} in
  drwx--[-S]---*,"$(id -u)",) ;;
  *) fail output_file "$folder was replaced by another while this ran" ;;
esac
entered=yes

tool tpm2_nvreadpublic >public.txt
kind=3
if [ -n "$(nv_size ${shortName(AZURE_TPM.hclReport)})" ]; then
  tool tpm2_nvread -C o ${report} >${hcl.name}
  # HCLA
  [ "$(od -An -tx1 -N4 ${hcl.name} | tr -d ' ')" = 48434c41 ] ||
    fail report_malformed 'NV index ${report}: the signature is not HCLA'
  kind=$(od -An -tu1 -j1224 -N1 ${hcl.name} | tr -d ' ')
elif [ -z "$(nv_size ${shortName(AZURE_TPM.akCertificate)})" ]; then
  fail not_confidential '${NOTHING_OF_AZURE}'
fi
case $kind in
  2 | 4) require_tool curl ;;
  3) ;;
  *) fail not_confidential "the HCL report is of type $kind" ;;
esac
handles=$(tool tpm2_getcap handles-persistent)
printf '%s\\n' "$handles" | grep -iq ${handle(AZURE_TPM.ak)} ||
  fail ak_absent 'the TPM has no attestation key at ${handle(AZURE_TPM.ak)}'

if ${withCertificate ? '' : '[ "$kind" = 3 ] && '}nv_written ${shortName(AZURE_TPM.akCertificate)}; then
  tool tpm2_nvread -C o ${certificate} >${akCertificate.name}
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
        said=$(tpm2_nvdefine -C o -s ${USER_DATA_LENGTH} -a 'ownerread|ownerwrite' ${userData} 2>&1 >/dev/null) || {
          restore=
          tool_failed tpm2_nvdefine
        }
        ;;
      ${USER_DATA_LENGTH})
        if nv_written ${shortName(AZURE_TPM.userData)}; then
          tool tpm2_nvread -C o ${userData} >before.bin
        else
          head -c ${USER_DATA_LENGTH} /dev/zero >before.bin
        fi
        restore='write'
        ;;
      *) fail nv_unusable 'NV index ${userData} does not have ${USER_DATA_LENGTH} bytes' ;;
    esac
    tool tpm2_nvwrite -C o -i user-data.bin ${userData}
    stale=yes
    for _ in 1 2 3; do
      sleep 3
      tool tpm2_nvread -C o ${report} >${hcl.name}
      # Reports of 2022 have no user data, or zeros: what that means is for the verifier.
      if grep -aiq ${padded} ${hcl.name} ||
        ! grep -aiq '"user-data":"[0-9a-f]*[1-9a-f]' ${hcl.name}; then
        stale=
        break
      fi
    done
    [ -z "$stale" ] || fail report_stale 'the report does not hold the nonce after 3 readings'
    ;;
  3) rm -f ${hcl.name} ;;
esac

attempt=1
# The tool compares the digests of the quote and of the PCRs that it reads afterwards.
until said=$(tpm2_quote ${quoteArguments(pcrs, x).join(' ')} 2>&1 >/dev/null); do
  printf '%s\\n' "$said" | grep -iq 'PCR composite' || tool_failed tpm2_quote
  [ "$attempt" -lt 5 ] || fail quote_unstable 'a PCR was extended during each of 5 quotes'
  attempt=$((attempt + 1))
done
quoted=yes
${withLogs ? copyLogs(logs) : ''}
# Asks the metadata service, and keeps its answer in a file. A redirect is not followed.
ask() {
  answer=$1
  shift
  code=$(curl --disable --silent --show-error --fail --noproxy '*' --max-time 5 --max-filesize 65536 \\
    --output "$answer" --write-out '%{http_code}' "$@") || code='none'
  if [ "$code" != 200 ]; then
    rm -f "$answer"
    fail metadata_unreachable 'the metadata service gave no answer of status 200'
  fi
}

case $kind in
  2) ask ${certification.name} -H Metadata:true "$metadata/metadata/THIM/amd/certification" ;;
  4)
    report=$(head -c 1056 ${hcl.name} | tail -c 1024 | base64 | tr -d '\\n=' | tr '+/' '-_')
    ask ${tdQuoteAnswer.name} -H Content-Type:application/json -d "{\\"report\\":\\"$report\\"}" "$metadata/acc/tdquote"
    ;;
esac
`;
}

/** A file of the kernel says that it has no size: whether a log is empty shows once it was copied. */
function copyLogs({ firmware, system }: ScriptPlaces['logs']): string {
  const { eventLog, systemLog } = EVIDENCE_FILES;
  return `
# Copies a log as far as a service takes it, or says why not. Without one the evidence says nothing of the boot.
copy_log() {
  if [ ! -e "$1" ]; then
    why='there is no such file'
  elif ! head -c ${eventLog.maximumBytes + 1} "$1" >"$2" 2>/dev/null; then
    why='cannot be read'
  elif [ ! -s "$2" ]; then
    why='is empty'
  elif [ "$(wc -c <"$2")" -gt ${eventLog.maximumBytes} ]; then
    why='has more than ${eventLog.maximumBytes} bytes'
  else
    return 0
  fi
  rm -f "$2"
  printf '%s\\n' "warning: $1: $why, so the evidence has no $3" >&2
  return 1
}

if copy_log ${firmware} ${eventLog.name} 'event log' &&
  [ -e ${system} ]; then
  copy_log ${system} ${systemLog.name} 'CEL of the system' || :
fi
`;
}

/** As tpm2_nvreadpublic writes it. */
function shortName(index: number): string {
  return `0x${index.toString(16)}`;
}
