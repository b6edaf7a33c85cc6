import type { JsonObject } from '../../core/json.js';
import { claimAt } from './claim-value.js';
import { type Comparison, compareValues } from './compare-values.js';
import { maaClaim } from './maa-claims.js';
import type { ClaimCondition, Condition, ReleasePolicy } from './policy-tree.js';

/**
 * Whether some token about the same TEE could meet a release policy, given only a part of its claims, such as
 * `maaView`. The issuer and absent claims count as possible, because an instance can issue claims of its own. Returns
 * false only if the present claims, which no instance decides, exclude every entry.
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
  // The claim is present, so `exists: true` is met. `exists: false` is never met.
  if (condition.operator === 'exists') return compareValues(condition, true, comparison).met;
  const found = claimAt(claims, condition.claim);
  if (found.absent !== null || maaClaim(condition.claim) === undefined || isOfItsTime(condition.claim)) return true;
  return compareValues(condition, found.value, comparison).met;
}

/** Whether a claim changes with each request: the paravisor writes the time of the request. */
function isOfItsTime(claim: string): boolean {
  return claim.endsWith('x-ms-runtime.vm-configuration.current-time');
}
