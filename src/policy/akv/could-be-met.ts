import type { JsonObject } from '../../model/json.js';
import { claimAt } from './claim-value.js';
import { type Comparison, compareValues } from './compare-values.js';
import type { Condition, ReleasePolicy } from './policy-tree.js';

/**
 * Whether some token about the same TEE could meet a release policy, by claims of which some are known to be left out. The
 * issuer is left open. False only where what the claims say rules every entry out.
 *
 * @param leftOut paths of claims that a token has and these claims have not
 */
export function couldBeMet(
  { authorities }: ReleasePolicy,
  claims: JsonObject,
  leftOut: ReadonlySet<string>,
  comparison: Comparison,
): boolean {
  const could = (condition: Condition): boolean => {
    if (condition.kind !== 'claim') {
      const { kind, conditions } = condition;
      return kind === 'allOf' ? conditions.every(could) : conditions.some(could);
    }
    const found = claimAt(claims, condition.claim);
    if (found.absent === null) return compareValues(condition, found.value, comparison).met;
    return isLeftOut(condition.claim, leftOut);
  };
  return authorities.some(({ group }) => could(group));
}

/** A claim is left out by its own path, or by that of an object around it. */
function isLeftOut(claim: string, leftOut: ReadonlySet<string>): boolean {
  const names = claim.split('.');
  return names.some((_, index) => leftOut.has(names.slice(0, index + 1).join('.')));
}
