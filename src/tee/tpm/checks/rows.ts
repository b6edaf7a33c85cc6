import type { CheckRows } from '../../../core/checks/row.js';

export const TPM_CHECKS = {
  tpm_signature: {
    holds: 'the attestation key of this vTPM signed the quote',
    fails: 'the attestation key of this vTPM did not sign the quote, or the quote was changed afterwards',
    underlies: 'vtpm',
  },
  tpm_weak_signature: {
    holds: 'the quote signature uses a strong hash',
    fails: 'the quote is signed with SHA-1',
    underlies: 'vtpm',
  },
  tpm_magic: {
    holds: 'the structure was made by a TPM',
    fails: 'the structure was not made by a TPM',
    underlies: 'vtpm',
  },
  tpm_not_quote: {
    holds: 'the structure is a quote',
    fails: 'the TPM signed the structure, but it is not a quote',
    underlies: 'vtpm',
  },
  tpm_weak_bank: {
    holds: 'the quote has SHA-256 PCR values, and an event log has their digests',
    fails: 'the quote has no SHA-256 PCR value, or an event log has no SHA-256 digests',
    underlies: 'vtpm',
  },
  tpm_pcr_selection: {
    holds: 'the PCR values sent are exactly those that the signed selection names',
    fails: 'the PCR values sent are not exactly those that the signed selection names',
    underlies: 'vtpm',
  },
  tpm_pcr_digest: {
    holds: 'the PCR values hash to the signed digest',
    fails: 'the PCR values are not those that were quoted: they do not hash to the signed digest',
    underlies: 'vtpm',
  },
  tpm_pcr_not_quoted: {
    holds: 'the quote covers every PCR that the policy names',
    fails: 'the quote does not cover every PCR that the policy names',
    trust: { guest: { executables: 33 } },
    members: ['require.tpm.quotedPcrs', 'referenceValues[].tpm', 'referenceValues[].tdx.boot'],
  },
  tpm_pcr: {
    holds: 'firmware measured into the PCRs that it always extends, and PCRs are among the reference values',
    fails: 'a PCR that firmware always extends is zero, or a PCR is not among the reference values',
    trust: { guest: { executables: 33 } },
    members: ['referenceValues[].tpm'],
  },
  tpm_reset: {
    holds: 'the reset counters of the vTPM are not lower than those allowed before',
    fails: 'a reset counter of the vTPM is lower than one allowed before',
    members: ['require.tpm.trackResets'],
  },
} satisfies CheckRows;

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly tpm: typeof TPM_CHECKS;
  }
}
