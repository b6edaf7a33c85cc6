import type { Checks } from '../model/check.js';
import type { CheckId } from '../model/codes.js';
import { hasVtpm, placeOf } from '../model/evidence-traits.js';
import type { Verification } from '../model/verification.js';
import type { AppraisalTopic } from './appraisal-topic.js';
import type { Policy } from './policy-document.js';

/**
 * What the vTPM quote must also show. Evidence without a vTPM shows nothing of it, and does not pass either: it
 * must not be a way around what the policy asks of PCRs. A memory of the vTPM is not kept: it never passes.
 */
export const tpmRequirements: AppraisalTopic = {
  needs: (policy, evidenceType) => (quotedPcrsOf(policy).length > 0 && hasVtpm(evidenceType) ? ['tpm'] : []),
  required: (policy) => {
    const ids: CheckId[] = [];
    if (quotedPcrsOf(policy).length > 0) ids.push('tpm_pcr_not_quoted');
    if (policy.require.tpm?.trackResets === true) ids.push('tpm_reset');
    return ids;
  },
  appraise: (policy, { evidenceType, verification }, checks) => {
    const asked = quotedPcrsOf(policy);
    const quote = checks.at(placeOf('tpm', evidenceType));
    if (asked.length > 0) appraiseSelection(asked, verification, hasVtpm(evidenceType) ? quote : checks);
    if (policy.require.tpm?.trackResets === true) quote.unavailable('tpm_reset', { retryable: false });
  },
};

function quotedPcrsOf({ require: { tpm } }: Policy): readonly number[] {
  return tpm?.quotedPcrs ?? [];
}

/**
 * The guest chooses which PCRs a quote covers: a PCR that it leaves out may have any value. The signed selection
 * says which, also where the values that were sent are others: that is a base check, and denies.
 */
function appraiseSelection(
  asked: readonly number[],
  { claims: { tpm }, selectedPcrs }: Verification,
  checks: Checks,
): void {
  const quoted = selectedPcrs ?? Object.keys(tpm?.pcrs['sha256'] ?? {}).map(Number);
  const missing = asked.filter((index) => !quoted.includes(index));
  checks.require(missing.length === 0, 'tpm_pcr_not_quoted', {
    expected: asked,
    actual: quoted,
    otherwise:
      tpm === undefined
        ? 'the evidence has no quote of a vTPM, and the policy names PCRs that must be quoted'
        : `the quote does not cover PCR ${missing.join(', ')}`,
  });
}
