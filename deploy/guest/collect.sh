#!/bin/sh
# Collects the evidence of the guest that it runs in, for a guest without Node. It writes raw files into a new folder.
#
#   sudo sh collect.sh --nonce N [--pcrs LIST] [--ak-certificate] [--no-event-log] [FOLDER]
#
# FOLDER is "evidence" by default. Copy it out of the guest, then: veritee request FOLDER --nonce N
# The script verifies nothing, and binds no key. docs/guest.md lists the error codes and what to do.
set -eu
umask 077
export LC_ALL=C

# Where the guest has its devices, logs and services.
device=/dev/tpmrm0
tsm=/sys/kernel/config/tsm/report
lock=/run/veritee-collect.lock
metadata=http://169.254.169.254
firmware_log=/sys/kernel/security/tpm0/binary_bios_measurements
system_log=/run/log/systemd/tpm2-measure.log
ccel_log=/sys/firmware/acpi/tables/data/CCEL

# Objects of the vTPM of an Azure VM.
report_index=0x01400001
user_data_index=0x01400002
certificate_index=0x01c101d0
attestation_key=0x81000003

# What is to be undone at the end.
entry=''
entered=''
locked=''
restore=''
# Whether there is a report or a quote, so that the folder stays.
complete=''

main() {
  read_options "$@"
  require_tools awk base64 cat grep head id ls mkdir od rm rmdir sleep tail tr wc
  check_nonce
  check_pcrs
  trap finish EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [ -z "${TPM2TOOLS_TCTI:-}" ] && [ ! -e "$device" ] && [ -d "$tsm" ]; then
    kind=firmware
    enter_new_folder
  else
    require_tpm
    take_lock
    enter_new_folder
    find_kind
  fi
  if [ "$kind" = firmware ]; then collect_from_firmware; else collect_from_tpm; fi
}

fail() {
  printf '%s\n' "$1: $2" >&2
  exit 1
}

warn() {
  printf '%s\n' "warning: $1" >&2
}

read_options() {
  nonce='' pcrs=0-23 with_certificate='' with_logs=yes folder=''
  while [ $# -gt 0 ]; do
    case $1 in
      --nonce | --pcrs)
        [ $# -gt 1 ] || fail usage "$1 needs a value"
        if [ "$1" = --nonce ]; then nonce=$2; else pcrs=$2; fi
        shift
        ;;
      --ak-certificate) with_certificate=yes ;;
      --no-event-log) with_logs='' ;;
      -*) fail usage "$1 is not an option: --nonce N [--pcrs LIST] [--ak-certificate] [--no-event-log] [FOLDER]" ;;
      *)
        [ -z "$folder" ] || fail usage 'expected one folder'
        folder=$1
        ;;
    esac
    shift
  done
  [ -n "$nonce" ] || fail usage 'the option --nonce is missing'
  folder=${folder:-evidence}
}

require_tools() {
  missing=''
  for tool in "$@"; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing${missing:+, }$tool"
  done
  [ -z "$missing" ] || fail tools_missing "not on the PATH: $missing"
}

# Checks the nonce as a service does. A value that could bind a key of somebody else is refused.
check_nonce() {
  nonce=${nonce%=}
  nonce=${nonce%=}
  case $nonce in
    *[!A-Za-z0-9_+/-]*) fail nonce 'the nonce is not base64url' ;;
  esac
  case $((${#nonce} % 4)) in
    0) padding='' ;;
    2) padding='==' ;;
    3) padding='=' ;;
    *) fail nonce 'the nonce is not base64url' ;;
  esac
  nonce_hex=$(nonce_bytes | hex)
  nonce_length=$((${#nonce_hex} / 2))
  if [ "$nonce_length" -lt 8 ] || [ "$nonce_length" -gt 64 ]; then
    fail nonce "the nonce is $nonce_length bytes, expected 8 to 64"
  fi
  case $nonce_hex in
    7665726974656531*) fail nonce 'the nonce starts with veritee1, which is reserved for values that bind a key' ;;
    0a61737b0e754c910af72d704d60b1ff35a813d403215559da7dd46e597f6081) fail nonce 'the nonce is the SHA-256 of azure-cleanroom, which is published' ;;
  esac
}

nonce_bytes() {
  printf '%s' "$nonce$padding" | tr '_-' '/+' | base64 -d
}

# Writes the nonce and zeros, 64 bytes: report data of the firmware, user data of the paravisor.
padded_nonce() {
  nonce_bytes
  head -c $((64 - nonce_length)) /dev/zero
}

hex() {
  od -An -v -tx1 | tr -d ' \n'
}

# Expands a list such as 0-7,11 into the numbers that tpm2_quote takes.
check_pcrs() {
  case $pcrs in
    *[!0-9,-]*) pcrs='' ;;
  esac
  pcrs=$(printf '%s\n' "$pcrs" | awk -F, '
    {
      if (NF == 0) exit 1
      for (i = 1; i <= NF; i++) {
        if ($i !~ /^[0-9][0-9]?(-[0-9][0-9]?)?$/) exit 1
        count = split($i, ends, "-")
        from = ends[1] + 0
        to = ends[count] + 0
        if (from > to || to > 23) exit 1
        for (pcr = from; pcr <= to; pcr++) if (listed[pcr]++) exit 1
      }
      for (pcr = 0; pcr < 24; pcr++) if (listed[pcr]) { printf "%s%d", comma, pcr; comma = "," }
    }') || fail pcrs 'expected PCRs from 0 to 23, each once, such as 0-7,11'
}

# Undoes what the script changed, whatever happened.
finish() {
  status=$?
  trap - EXIT
  trap '' HUP INT TERM
  put_back_user_data || {
    status=1
    warn "NV index $user_data_index could not be put back as it was"
  }
  if [ -n "$entry" ]; then rmdir "$entry" || status=1; fi
  if [ -n "$entered" ]; then rm -f public.txt before.bin user-data.bin; fi
  # Without a report or quote the rest is of no use, and a second run needs the name of the folder.
  if [ -n "$entered" ] && [ -z "$complete" ]; then
    rm -f hcl.bin ak.der quote.msg quote.sig pcrs.bin report.bin certs.bin td-quote.bin
    cd "$OLDPWD" && rmdir "$folder"
  fi
  if [ -n "$locked" ]; then rm -f "$lock"; fi
  exit "$status"
}

# In a folder of somebody else, they could have put another in its place meanwhile, with links in it for root to write to.
enter_new_folder() {
  mkdir "$folder" || fail output_file "$folder must not exist yet"
  cd -P "$folder"
  # shellcheck disable=SC2012
  set -- "$(ls -nd .)" "$(ls -A)"
  # shellcheck disable=SC2086
  set -- "$2" $1
  case ${2-},${4-},$1 in
    drwx--[-S]---*,"$(id -u)",) entered=yes ;;
    *) fail output_file "$folder was replaced by another while this ran" ;;
  esac
}

# Copies a log as far as a service accepts it. Files of the kernel have no size: whether one is empty shows once it was copied.
copy_log() {
  [ -n "$with_logs" ] || return 1
  if [ ! -e "$1" ]; then
    why='there is no such file'
  elif ! head -c 1048577 "$1" >"$2" 2>/dev/null; then
    why='cannot be read'
  elif [ ! -s "$2" ]; then
    why='is empty'
  elif [ "$(wc -c <"$2")" -gt 1048576 ]; then
    why='has more than 1048576 bytes'
  else
    return 0
  fi
  rm -f "$2"
  warn "$1: $why, so the evidence has no $3"
  return 1
}

# --- SEV-SNP or TDX without a paravisor: configfs-tsm of the kernel.

collect_from_firmware() {
  [ -w "$tsm" ] || fail permission "$tsm cannot be written"
  mkdir "$tsm/veritee-$$" || fail tsm_failed "$tsm gives no entry"
  entry=$tsm/veritee-$$
  padded_nonce >user-data.bin
  generation=$(cat "$entry/generation")
  # In one write: each write is a report data of its own.
  cat user-data.bin >"$entry/inblob" || fail tsm_failed 'configfs-tsm rejects the report data'
  provider=$(cat "$entry/provider")
  case $provider in
    sev_guest) report=report.bin ;;
    tdx_guest) report=td-quote.bin ;;
    *) fail not_confidential "the TEE is $provider, expected sev_guest or tdx_guest" ;;
  esac
  cat "$entry/outblob" >"$report" || :
  [ -s "$report" ] || fail tsm_failed 'configfs-tsm gives no report'
  if [ "$provider" = sev_guest ]; then
    cat "$entry/auxblob" >certs.bin 2>/dev/null || :
    [ -s certs.bin ] || rm -f certs.bin
  fi
  # Another count means that another process wrote to the entry, so the report may be about other data.
  [ "$(cat "$entry/generation")" -eq $((generation + 1)) ] || fail tsm_failed 'another process wrote to the entry'
  complete=yes
  if [ "$provider" = tdx_guest ]; then copy_log "$ccel_log" ccel.bin CCEL || :; fi
}

# --- A VM with a vTPM: tpm2-tools.

collect_from_tpm() {
  [ "$nonce_length" -le 50 ] || fail nonce_length "the nonce is $nonce_length bytes, a TPM quote holds 50"
  require_attestation_key
  read_certificate
  case $kind in
    snp | tdx) read_fresh_report ;;
    tpm) rm -f hcl.bin ;;
  esac
  quote
  complete=yes
  if copy_log "$firmware_log" eventlog.bin 'event log' && [ -e "$system_log" ]; then
    copy_log "$system_log" cel.json 'CEL of the system' || :
  fi
  case $kind in
    snp) ask thim.json -H Metadata:true "$metadata/metadata/THIM/amd/certification" ;;
    tdx)
      # The TDREPORT follows the header of the HCL report.
      report=$(head -c 1056 hcl.bin | tail -c 1024 | base64 | tr -d '\n=' | tr '+/' '-_')
      ask td-quote.json -H Content-Type:application/json -d "{\"report\":\"$report\"}" "$metadata/acc/tdquote"
      ;;
  esac
}

require_tpm() {
  if [ -z "${TPM2TOOLS_TCTI:-}" ]; then
    [ -e "$device" ] || fail no_tpm "there is no $device"
    { [ -r "$device" ] && [ -w "$device" ]; } || fail permission "this user may not open $device"
    export TPM2TOOLS_TCTI="device:$device"
  fi
  require_tools tpm2_nvreadpublic tpm2_getcap tpm2_nvread tpm2_nvwrite tpm2_nvdefine tpm2_nvundefine tpm2_quote
}

# Runs a tool, whose output is that of the function. Of its complaints, only the last error is its own.
tool() {
  if { said=$("$@" 2>&1 >&3); } 3>&1; then return 0; fi
  tool_failed "$1"
}

tool_failed() {
  code=tool_failed
  if printf '%s\n' "$said" | grep -iq 'permission denied'; then code=permission; fi
  fail "$code" "$1 failed${said:+: $(printf '%s\n' "$said" | tail -n 1)}"
}

# Finds the kind of machine: the report of the paravisor decides, then a firmware that gives reports, then the certificate.
find_kind() {
  tool tpm2_nvreadpublic >public.txt
  kind=tpm
  if [ -n "$(nv_size "$report_index")" ]; then
    tool tpm2_nvread -C o "$report_index" >hcl.bin
    # HCLA
    [ "$(head -c 4 hcl.bin | hex)" = 48434c41 ] ||
      fail report_malformed "NV index $report_index: the signature is not HCLA"
    number=$(od -An -tu1 -j1224 -N1 hcl.bin | tr -d ' ')
    case $number in
      2) kind=snp ;;
      3) kind=tpm ;;
      4) kind=tdx ;;
      *) fail not_confidential "the HCL report is of type $number" ;;
    esac
  elif [ -d "$tsm" ]; then
    kind=firmware
  elif [ -z "$(nv_size "$certificate_index")" ]; then
    fail not_confidential "the TPM has neither an HCL report ($report_index) nor an AK certificate"
  fi
  case $kind in
    snp | tdx) require_tools curl ;;
  esac
}

# Two collectors would mix their nonces in the user data. A lock of a process that is gone is taken over.
take_lock() {
  [ -w "${lock%/*}" ] || fail permission "$lock cannot be written"
  if ! write_lock; then
    holder=$(cat "$lock" 2>/dev/null || :)
    case $holder in
      '' | 0* | *[!0-9]*) fail locked "$lock is no lock of a collector" ;;
    esac
    [ ! -d "/proc/$holder" ] || fail locked "$lock is held by process $holder"
    rm -f "$lock"
    write_lock || fail locked "$lock is held by another collector"
  fi
  locked=yes
}

write_lock() {
  (set -C && printf '%s\n' "$$" >"$lock") 2>/dev/null
}

# Prints the lines that the TPM has about an NV index: none if it is not defined. The tool leaves out the leading zero.
nv_public() {
  awk -v name="0x${1#0x0}:" '/^0x/ { found = ($0 == name) } found' public.txt
}

nv_size() {
  nv_public "$1" | awk '$1 == "size:" { print $2 }'
}

# Whether an NV index was ever written: reading it is an error until then.
nv_written() {
  nv_public "$1" | grep -q '|written'
}

require_attestation_key() {
  handles=$(tool tpm2_getcap handles-persistent)
  printf '%s\n' "$handles" | grep -iq "$attestation_key" ||
    fail ak_absent "the TPM has no attestation key at $attestation_key"
}

# Trusted Launch needs the certificate; a confidential VM has it where it is asked for.
read_certificate() {
  if { [ -n "$with_certificate" ] || [ "$kind" = tpm ]; } && nv_written "$certificate_index"; then
    tool tpm2_nvread -C o "$certificate_index" >ak.der
    # A certificate in DER starts with 30; an index without one has zeros.
    [ "$(head -c 1 ak.der | hex)" = 30 ] || rm ak.der
  fi
  [ "$kind" != tpm ] || [ -e ak.der ] || fail nv_absent "NV index $certificate_index holds no AK certificate"
}

# Writes the nonce where the paravisor looks for it, and reads the report until it has the nonce.
read_fresh_report() {
  padded_nonce >user-data.bin
  save_user_data
  tool tpm2_nvwrite -C o -i user-data.bin "$user_data_index"
  for _ in 1 2 3; do
    # The paravisor makes a report at most once in 2 s.
    sleep 3
    tool tpm2_nvread -C o "$report_index" >hcl.bin
    if ! is_stale; then return 0; fi
  done
  fail report_stale 'the report does not hold the nonce after 3 readings'
}

# Reports of 2022 have no user data, or zeros: the verifier decides what that means. Busybox has no class for printable letters.
is_stale() {
  held=$(tr -cd '\040-\176' <hcl.bin | tr A-F a-f)
  case $held in
    *"$(hex <user-data.bin)"*) return 1 ;;
  esac
  printf '%s\n' "$held" | grep -q '"user-data":"[0-9a-f]*[1-9a-f]'
}

save_user_data() {
  case $(nv_size "$user_data_index") in
    '')
      # Before the index is defined, so that a signal in between leaves none behind.
      restore='undefine'
      said=$(tpm2_nvdefine -C o -s 64 -a 'ownerread|ownerwrite' "$user_data_index" 2>&1 >/dev/null) || {
        restore=''
        tool_failed tpm2_nvdefine
      }
      ;;
    64)
      if nv_written "$user_data_index"; then
        tool tpm2_nvread -C o "$user_data_index" >before.bin
      else
        head -c 64 /dev/zero >before.bin
      fi
      restore='write'
      ;;
    *) fail nv_unusable "NV index $user_data_index does not have 64 bytes" ;;
  esac
}

put_back_user_data() {
  case $restore in
    undefine) tpm2_nvundefine -C o "$user_data_index" ;;
    write) tpm2_nvwrite -C o -i before.bin "$user_data_index" ;;
  esac
}

# The tool compares the quote with the PCRs that it reads afterwards, and fails if one was extended in between.
quote() {
  attempt=1
  until said=$(tpm2_quote -c "$attestation_key" -l "sha256:$pcrs" -q "$nonce_hex" -g sha256 \
    -m quote.msg -s quote.sig -f tss -o pcrs.bin -F values 2>&1 >/dev/null); do
    printf '%s\n' "$said" | grep -iq 'PCR composite' || tool_failed tpm2_quote
    [ "$attempt" -lt 5 ] || fail quote_unstable 'a PCR was extended during each of 5 quotes'
    attempt=$((attempt + 1))
  done
}

# Asks the metadata service of the host, and keeps the answer in a file. A redirect is not followed.
ask() {
  answer=$1
  shift
  code=$(curl --disable --silent --show-error --fail --noproxy '*' --max-time 5 --max-filesize 65536 \
    --output "$answer" --write-out '%{http_code}' "$@") || code=none
  if [ "$code" != 200 ]; then
    rm -f "$answer"
    fail metadata_unreachable 'the metadata service gave no answer of status 200'
  fi
}

main "$@"
