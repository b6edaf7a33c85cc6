import type { JsonObject } from '../../core/json.js';
import { claimAt } from './claim-value.js';
import { type Comparison, compareValues } from './compare-values.js';
import { maaClaim } from './maa-claims.js';
import type { ClaimCondition, Condition, ReleasePolicy } from './policy-tree.js';

/**
 * Whether some token about the same TEE could meet a release policy, by claims that are not all of a token, such as those
 * of `maaView`. The issuer is left open, and so are claims that are not there: an instance can issue claims of its own.
 * False only where claims that are there, and that no instance decides, rule every entry out.
 */
export function couldBeMet({ authorities }: ReleasePolicy, claims: JsonObject, comparison: Comparison): boolean {
  const could = (condition: Condition): boolean => {
    if (condition.kind === 'claim') return couldHold(condition, claims, comparison);
    const { kind, conditions } = condition;
    return kind === 'allOf' ? conditions.every(could) : conditions.some(could);
  };
  return authorities.some(({ group }) => could(group));
}

function couldHold(condition: ClaimCondition, claims: JsonObject, comparison: Comparison): boolean {
  // Of a claim that is there: with false, no token meets it.
  if (condition.operator === 'exists') return compareValues(condition, true, comparison).met;
  const found = claimAt(claims, condition.claim);
  if (found.absent !== null || maaClaim(condition.claim) === undefined || isOfItsTime(condition.claim)) return true;
  return compareValues(condition, found.value, comparison).met;
}

/** The paravisor writes the time of each request, so that another token about the same TEE has another value. */
function isOfItsTime(claim: string): boolean {
  return claim.endsWith('x-ms-runtime.vm-configuration.current-time');
}
