import type { Check } from '../../model/check.js';
import { isObject, type JsonValue } from '../../model/json.js';
import { filled, type Remedies, reference, value } from './words.js';

const AS_READ = 'byte for byte as the guest read it';

export const GUEST_REMEDIES = {
  hardware_missing: 'The caller should send the hardware report of the guest beside its vTPM quote.',
  hcl_binding:
    'The caller should send report and runtime data byte for byte as the guest read them, from one and the same moment.',
  hcl_duplicate: `The caller should send the runtime data ${AS_READ}, because genuine runtime data has no member twice.`,
  hcl_claims: `The caller should send the runtime data ${AS_READ}, because it does not have the form that the paravisor writes.`,
  hcl_ak_missing:
    'The caller should send the runtime data of an Azure confidential VM, which names the attestation key of its vTPM as HCLAkPub.',
  hcl_ak_weak:
    "The guest's owner should create the VM anew, because vTPMs of Azure have RSA keys of 2048 bits or more.",
  hcl_ak_mismatch: 'The caller should send the AK certificate of this VM (NV index 0x01C101D0), or none.',
  ak_cert_untrusted:
    'The caller should send akChain whole, up to the Azure Virtual TPM root, or the operator should list the root in tpm.roots if it is another.',
  hcl_paravisor: paravisor,
  hcl_reference: reference,
  tpm_signature:
    'The caller should send quote and HCL report of one and the same VM, with message and signature as the vTPM returned them.',
  tpm_weak_signature: 'The guest should make its quote with SHA-256 as the hash of the signature.',
  tpm_magic: 'The caller should send the TPMS_ATTEST that TPM2_Quote returned, without a size prefix.',
  tpm_not_quote: 'The guest should use TPM2_Quote, because no other attestation of a TPM speaks of PCRs.',
  tpm_weak_bank: 'The guest should quote PCRs of the SHA-256 bank.',
  tpm_pcr_selection: 'The caller should send the values of exactly the PCRs that the guest selected for its quote.',
  tpm_pcr_digest:
    'The guest should make quote and PCR values anew, because a PCR was extended in between or a value was changed.',
  tpm_pcr_not_quoted: ({ expected }) =>
    `The guest should quote the PCRs that the policy names as well: ${value(expected, 'the detail lists them')}.`,
  tpm_pcr: (check) =>
    check.policy === null
      ? "The guest's owner should check its firmware, because a PCR that firmware always extends is zero."
      : filled(reference, check),
  tpm_reset:
    'The operator should take trackResets out of the policy, because this version keeps no memory of reset counters.',
  eventlog_replay:
    'The guest should read event log and quote without an event in between, and the caller should send the log whole and unchanged.',
  eventlog_order: 'The caller should send the event log whole and in the order in which the firmware wrote it.',
  eventlog_unverified:
    'The caller should send the event log unchanged, because the data of an event is not what was measured.',
  eventlog_missing: 'The caller should send the event log of the guest, because the policy asks what it booted.',
  secure_boot: "The guest's owner should turn Secure Boot on, or the operator should not require it in the policy.",
  secure_boot_unknown:
    'The caller should send evidence that states Secure Boot, such as runtime claims of a known paravisor or a token of Azure Attestation.',
  hcl_paravisor_unknown: paravisor,
} satisfies Remedies;

/** What was seen of a paravisor, and where an operator who knows it says so. */
function paravisor({ actual }: Check): string {
  const seen = isObject(actual) ? actual : {};
  if (typeof seen['mrtd'] === 'string') {
    return `The operator should add the MRTD ${seen['mrtd']} to azure.paravisors.mrtds if this is a paravisor that Microsoft built, or the caller should send a token of Azure Attestation.`;
  }
  const digest = value(seen['idKeyDigest'], 'of the report');
  return `The operator should add the ID_KEY_DIGEST ${digest}${withFloor(seen['guestSvn'])} to azure.paravisors.idKeyDigests if this is a paravisor that Microsoft signed, or the caller should send a token of Azure Attestation.`;
}

/** The floor that lets this paravisor in: it is compared with the low 16 bits, the upper ones name a branch. */
function withFloor(guestSvn: JsonValue | undefined): string {
  return typeof guestSvn === 'number' ? ` with minGuestSvn ${guestSvn % 0x10000} (GUEST_SVN is ${guestSvn})` : '';
}
