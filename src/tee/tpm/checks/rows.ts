import type { CheckRows, Finding } from '../../../core/checks/row.js';
import {
  faultsOf,
  inBrackets,
  isJsonList,
  pcrs,
  policyOf,
  reference,
  value,
  without,
} from '../../../core/checks/words.js';
import { isObject, type JsonValue } from '../../../core/json.js';

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
    remedy: ({ expected, actual }) =>
      `The caller should send the TPMS_ATTEST that the TPM returned, without a size prefix: it begins with ${value(expected, '0xff544347')}${value(actual, '') === '' ? '' : `, and this one with ${value(actual, '')}`}.`,
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
    remedy: ({ about, actual }) =>
      about.includes('eventLog')
        ? `The guest should send an event log with SHA-256 digests, because this one has ${value(actual, 'none')} alone.`
        : 'The guest should quote PCRs of the SHA-256 bank, because values of another bank are not judged.',
  },
  tpm_pcr_selection: {
    holds: 'the PCR values sent are exactly those that the signed selection names',
    fails: 'the PCR values sent are not exactly those that the signed selection names',
    underlies: 'vtpm',
    remedy: (finding) =>
      `The caller should send the values of exactly the PCRs that the guest selected for its quote${inBrackets(finding)}.`,
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
    members: ['require.tpm.quotedPcrs', 'referenceValues[].tpm', 'referenceValues[].tdx.boot'],
    remedy: notQuoted,
  },
  tpm_pcr: {
    holds: 'firmware measured into the PCRs that it always extends, and PCRs are among the reference values',
    fails: 'a PCR that firmware always extends is zero, or a PCR is not among the reference values',
    trust: { guest: { executables: 33 } },
    members: ['referenceValues[].tpm'],
    remedy: (finding) =>
      finding.policy === null
        ? `The guest's owner should check its firmware, because it measured nothing into ${isJsonList(finding.actual) ? pcrs(finding.actual, 'PCR 0 or 7') : 'PCR 0 or 7'}, which firmware always extends.`
        : reference(finding),
  },
  tpm_reset: {
    holds: 'the reset counters of the vTPM are not lower than those allowed before',
    fails: 'a reset counter of the vTPM is lower than one allowed before',
    members: ['require.tpm.trackResets'],
    remedy: resetRemedy,
  },
} satisfies CheckRows;

/** The values that have to be quoted as well: of a list of indices, those that were not. */
function notQuoted(finding: Finding): string {
  const { expected, actual, about, setting } = finding;
  const policy = policyOf(finding);
  const missing = pcrs(without(expected, actual), faultsOf(finding, 'the PCRs'));
  const because = `because ${setting ?? 'require.tpm.quotedPcrs'} of ${policy} needs them`;
  return about === '/evidence'
    ? `The caller should send evidence with a quote of a vTPM over ${missing}, ${because}.`
    : `The guest should quote ${missing} as well, ${because}.`;
}

function resetRemedy(finding: Finding): string {
  const { result, expected, actual } = finding;
  if (result === 'unavailable')
    return 'The operator should find out from the log why the memory of reset counters (tpm-resets in the data directory, and the store that replicas share) cannot be used, and repair it.';
  if (result === 'warn')
    return 'The caller should leave out the verification time, because resets are compared today only.';
  if (expected === null) {
    return `The caller should send evidence with a quote of a vTPM, because ${policyOf(finding)} tracks its resets.`;
  }
  const low = ['resetCount', 'restartCount'].find((counter) => countOf(actual, counter) !== countOf(expected, counter));
  const because =
    low === undefined
      ? ''
      : `, because ${low} is ${countOf(actual, low)}, and ${countOf(expected, low)} was allowed before`;
  return `The guest should make a new quote, and if that is denied as well, the guest's owner should find out who restored an older state of the vTPM${because}.`;
}

function countOf(counts: JsonValue, counter: string): string {
  return isObject(counts) ? value(counts[counter], 'unknown') : 'unknown';
}

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly tpm: typeof TPM_CHECKS;
  }
}
