import type { PolicyProblem } from '../document/policy-problem.js';
import { isGuid } from './lint-text.js';
import { maaClaim } from './maa-claims.js';
import type { ClaimCondition, Condition, ConditionGroup } from './policy-tree.js';
import { shownValue } from './shown-values.js';

/**
 * Reports GUIDs that are compared in one case only. Some hosts write them in upper case and others in lower case, and
 * tokens repeat the host's spelling.
 */
export function lintGuidCase(group: ConditionGroup): readonly PolicyProblem[] {
  return group.conditions.flatMap((each) => (each.kind === 'claim' ? lintGuid(each, group) : lintGuidCase(each)));
}

/** The remedy for `notEquals`. Removing the condition would accept the excluded VM from every host. */
const BOTH_CASES = 'Write the GUID in upper case and in lower case, both within allOf, as the message says.';

function lintGuid(condition: ClaimCondition, { kind, conditions }: ConditionGroup): readonly PolicyProblem[] {
  const { claim, operator, value, pointer } = condition;
  if (maaClaim(claim)?.form !== 'guid' || typeof value !== 'string' || !isGuid(value)) return [];
  if (operator !== 'equals' && operator !== 'notEquals') return [];
  const cases = [value.toUpperCase(), value.toLowerCase()];
  // A GUID of digits only has no case.
  if (cases[0] === cases[1]) return [];
  const together = operator === 'equals' ? 'anyOf' : 'allOf';
  if (kind === together && cases.every((each) => conditions.some((other) => asks(other, condition, each)))) return [];
  const both = `write ${cases.map((each) => shownValue(each)).join(' and ')} within ${together}`;
  const message = `${claim} is compared letter by letter, and hosts write it in upper case or in lower case: ${both}`;
  return operator === 'equals'
    ? [{ code: 'akv_never', pointer, message, severity: 'warning' }]
    : [{ code: 'akv_always', pointer, message, remedy: BOTH_CASES }];
}

function asks(other: Condition, { claim, operator }: ClaimCondition, value: string): boolean {
  return other.kind === 'claim' && other.claim === claim && other.operator === operator && other.value === value;
}
