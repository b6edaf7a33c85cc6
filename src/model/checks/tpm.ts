import type { CheckRows, Finding } from './row.js';
import { pcrs, reference } from './words.js';

export const TPM_CHECKS = {
  tpm_signature: {
    holds: 'the attestation key of this vTPM signed the quote',
    fails: 'the attestation key of this vTPM did not sign the quote, or the quote was changed afterwards',
    underlies: 'vtpm',
    remedy:
      'The caller should send quote, certified key and HCL report of the same VM (in tpm evidence, the AK certificate), with what is signed and its signature as the vTPM returned them.',
  },
  tpm_weak_signature: {
    holds: 'the quote signature uses a strong hash',
    fails: 'the quote is signed with SHA-1',
    underlies: 'vtpm',
    remedy: 'The guest should sign with SHA-256 as the hash of the signature.',
  },
  tpm_magic: {
    holds: 'the structure was made by a TPM',
    fails: 'the structure was not made by a TPM',
    underlies: 'vtpm',
    remedy: 'The caller should send the TPMS_ATTEST that the TPM returned, without a size prefix.',
  },
  tpm_not_quote: {
    holds: 'the structure is a quote',
    fails: 'the TPM signed the structure, but it is not a quote',
    underlies: 'vtpm',
    remedy:
      'The guest should use TPM2_Quote for its quote, because no other TPM attestation covers PCRs, and TPM2_Certify for a key.',
  },
  tpm_weak_bank: {
    holds: 'the quote has SHA-256 PCR values, and an event log has their digests',
    fails: 'the quote has no SHA-256 PCR value, or an event log has no SHA-256 digests',
    underlies: 'vtpm',
    remedy: 'The guest should quote PCRs of the SHA-256 bank, and send an event log with SHA-256 digests.',
  },
  tpm_pcr_selection: {
    holds: 'the PCR values sent are exactly those that the signed selection names',
    fails: 'the PCR values sent are not exactly those that the signed selection names',
    underlies: 'vtpm',
    remedy: 'The caller should send the values of exactly the PCRs that the guest selected for its quote.',
  },
  tpm_pcr_digest: {
    holds: 'the PCR values hash to the signed digest',
    fails: 'the PCR values are not those that were quoted: they do not hash to the signed digest',
    underlies: 'vtpm',
    remedy:
      'The guest should make a new quote and read the PCR values again, because a PCR was extended in between or a value was changed.',
  },
  tpm_pcr_not_quoted: {
    holds: 'the quote covers every PCR that the policy names',
    fails: 'the quote does not cover every PCR that the policy names',
    trust: { guest: { executables: 33 } },
    remedy: ({ expected }) => `The guest should quote the PCRs that the policy needs as well: ${pcrs(expected)}.`,
  },
  tpm_pcr: {
    holds: 'firmware measured into the PCRs that it always extends, and PCRs are among the reference values',
    fails: 'a PCR that firmware always extends is zero, or a PCR is not among the reference values',
    trust: { guest: { executables: 33 } },
    remedy: (finding) =>
      finding.policy === null
        ? "The guest's owner should check its firmware, because a PCR that firmware always extends is zero."
        : reference(finding),
  },
  tpm_reset: {
    holds: 'the reset counters of the vTPM are not lower than those allowed before',
    fails: 'a reset counter of the vTPM is lower than one allowed before',
    remedy: resetRemedy,
  },
} satisfies CheckRows;

function resetRemedy({ result, expected }: Finding): string {
  if (result === 'unavailable')
    return 'The operator should find out from the log why the memory of reset counters cannot be used, and repair its folder.';
  if (result === 'warn')
    return 'The caller should leave out the verification time, because resets are compared today only.';
  if (expected === null) return 'The caller should send evidence with a quote of a vTPM.';
  return "The caller should send a new quote, and if that is denied as well, the guest's owner should find out who restored an older state of the vTPM.";
}
