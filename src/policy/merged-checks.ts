import type { Check } from '../model/check.js';
import type { PolicyAppraisal } from './appraise.js';

/**
 * The checks of all policies as one list. A base check that a policy left as it is is listed once; where a policy
 * sees it otherwise, also as that policy sees it. Own checks follow, policy by policy.
 */
export function mergeChecks(appraisals: readonly Pick<PolicyAppraisal, 'base' | 'own'>[]): readonly Check[] {
  const [first, ...others] = appraisals;
  if (first === undefined) return [];
  if (others.length === 0) return [...first.base, ...first.own];
  const base = first.base.flatMap((_, index) =>
    mergeBaseCheck(appraisals.flatMap((appraisal) => appraisal.base[index] ?? [])),
  );
  return [...base, ...appraisals.flatMap((appraisal) => appraisal.own)];
}

function mergeBaseCheck(views: readonly Check[]): readonly Check[] {
  const unchanged = views.find((check) => check.policy === null);
  const changed = views.filter((check) => check.policy !== null);
  return unchanged === undefined ? changed : [unchanged, ...changed];
}
