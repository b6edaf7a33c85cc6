import type { Checks } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import { hasVtpm, placeOf } from '../../core/evidence-traits.js';
import { registerNames } from '../../core/register-names.js';
import type { Policy } from '../document/policy-document.js';
import type { AppraisalTopic, Findings } from './appraisal-topic.js';
import { appraiseResets, tracksResets } from './vtpm-resets.js';

/**
 * Further requirements for the vTPM quote. Evidence without a vTPM does not pass; otherwise it would bypass the
 * requirements.
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
 * Requires PCRs in the signed selection. The guest chooses the selection, and an omitted PCR can have any value. A base
 * check rejects values that do not match the selection.
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
