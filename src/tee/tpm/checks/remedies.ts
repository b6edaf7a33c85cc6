import type { Finding, RemediesOf } from '../../../core/checks/row.js';
import { isObject, type JsonValue } from '../../../core/json.js';
import {
  faultsOf,
  inBrackets,
  isJsonList,
  pcrs,
  policyOf,
  reference,
  value,
  without,
} from '../../../core/remedies/words.js';
import type { TPM_CHECKS } from './rows.js';

export const TPM_REMEDIES = {
  tpm_signature:
    'The caller should send quote, certified key and HCL report of the same VM (in tpm evidence, the AK certificate), with what is signed and its signature as the vTPM returned them.',
  tpm_weak_signature: 'The guest should sign with SHA-256 as the hash of the signature.',
  tpm_magic: ({ expected, actual }) =>
    `The caller should send the TPMS_ATTEST that the TPM returned, without a size prefix: it begins with ${value(expected, '0xff544347')}${value(actual, '') === '' ? '' : `, and this one with ${value(actual, '')}`}.`,
  tpm_not_quote:
    'The guest should use TPM2_Quote for its quote, because no other TPM attestation covers PCRs, and TPM2_Certify for a key.',
  tpm_weak_bank: ({ about, actual }) =>
    about.includes('eventLog')
      ? `The guest should send an event log with SHA-256 digests, because this one has ${value(actual, 'none')} alone.`
      : 'The guest should quote PCRs of the SHA-256 bank, because values of another bank are not judged.',
  tpm_pcr_selection: (finding) =>
    `The caller should send the values of exactly the PCRs that the guest selected for its quote${inBrackets(finding)}.`,
  tpm_pcr_digest:
    'The guest should make a new quote and read the PCR values again, because a PCR was extended in between or a value was changed.',
  tpm_pcr_not_quoted: notQuoted,
  tpm_pcr: (finding) =>
    finding.policy === null
      ? `The guest's owner should check its firmware, because it measured nothing into ${isJsonList(finding.actual) ? pcrs(finding.actual, 'PCR 0 or 7') : 'PCR 0 or 7'}, which firmware always extends.`
      : reference(finding),
  tpm_reset: resetRemedy,
} satisfies RemediesOf<typeof TPM_CHECKS>;

/** The values that must also be quoted. For lists of indices, the missing ones. */
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
