import type { Checks } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import { hasVtpm, placeOf } from '../../core/evidence-traits.js';
import { registerNames } from '../../core/register-names.js';
import type { Policy } from '../document/policy-document.js';
import type { AppraisalTopic, Findings } from './appraisal-topic.js';
import { appraiseResets, tracksResets } from './vtpm-resets.js';

/**
 * The further requirements for the vTPM quote. Evidence without a vTPM does not pass: it
 * must not be a way around what the policy asks of the vTPM.
 */
export const tpmRequirements: AppraisalTopic = {
  needs: (policy, evidenceType) => {
    const isAsked = quotedPcrsOf(policy).length > 0 || tracksResets(policy);
    return isAsked && hasVtpm(evidenceType) ? ['tpm'] : [];
  },
  required: (policy) => {
    const ids: CheckId[] = [];
    if (quotedPcrsOf(policy).length > 0) ids.push('tpm_pcr_not_quoted');
    if (tracksResets(policy)) ids.push('tpm_reset');
    return ids;
  },
  appraise: (policy, { evidenceType, verification, resets }, checks) => {
    const asked = quotedPcrsOf(policy);
    const quote = hasVtpm(evidenceType) ? checks.at(placeOf('tpm', evidenceType)) : checks;
    if (asked.length > 0) appraiseSelection(asked, verification, quote);
    if (tracksResets(policy)) appraiseResets(verification, resets, quote);
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
  { claims: { tpm }, selectedPcrs }: Findings,
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
        : `the quote does not cover ${registerNames('PCR', missing)}`,
  });
}
