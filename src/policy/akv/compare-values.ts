import type { JsonValue } from '../../core/json.js';
import { isOrdered } from '../orderings.js';
import type { ClaimCondition, Operator, ReleaseValue } from './policy-tree.js';
import { shownValue } from './shown-values.js';

/** `strict`: types must agree. `compatible`: also what Key Vault evidently takes as equal. */
export type Comparison = 'strict' | 'compatible';

/** Whether a condition is met by a claim that is there. */
export interface ComparedValue {
  readonly met: boolean;
  /** The values that count as equal, if the condition would not be met otherwise; else null. */
  readonly normalisation: string | null;
  /** Why values that look alike, or cannot be compared, do not meet the condition; else null. */
  readonly note: string | null;
}

/** How JavaScript and JSON write a number that no reader takes for another one. */
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** The number that a text is the canonical decimal form of: `0` and `-1.5`, not `00`, `1.0` or `1e3`; else null. */
export function canonicalNumber(text: string): number | null {
  return DECIMAL.test(text) && String(Number(text)) === text ? Number(text) : null;
}

/** A text of a policy as the boolean or number that it stands for; null where it stands for none of that type. */
export function readTextAs(type: 'boolean' | 'number', value: ReleaseValue): boolean | number | null {
  if (typeof value !== 'string') return null;
  if (type === 'number') return canonicalNumber(value);
  return value === 'true' || value === 'false' ? value === 'true' : null;
}

/**
 * Compares the value of a condition with a claim. Values of different types meet no operator, `notEquals` among them:
 * what cannot be compared must not release a key. Only a text of the policy is ever read as another type, never a text
 * of the token.
 */
export function compareValues(
  { operator, value }: Pick<ClaimCondition, 'operator' | 'value'>,
  claim: Exclude<JsonValue, null>,
  comparison: Comparison,
): ComparedValue {
  if (meets(operator, value, claim)) return { met: true, normalisation: null, note: null };
  const type = operator === 'exists' ? 'boolean' : typeof claim;
  const read = type === 'boolean' || type === 'number' ? readTextAs(type, value) : null;
  if (read === null || !meets(operator, read, claim)) return notMet(typesDiffer(operator, value, claim));
  if (comparison === 'strict') {
    return notMet(`the policy has the text ${shownValue(value)}: comparison compatible reads it as a ${type}`);
  }
  return { met: true, normalisation: `the text ${shownValue(value)} of the policy is read as a ${type}`, note: null };
}

function notMet(note: string | null): ComparedValue {
  return { met: false, normalisation: null, note };
}

function meets(operator: Operator, value: ReleaseValue, claim: Exclude<JsonValue, null>): boolean {
  if (operator === 'exists') return value === true;
  if (typeof value !== typeof claim) return false;
  if (operator === 'equals') return value === claim;
  if (operator === 'notEquals') return value !== claim;
  return typeof value === 'number' && typeof claim === 'number' && isOrdered(ORDERINGS[operator], claim, value);
}

const ORDERINGS = { less: '<', lessOrEquals: '<=', greater: '>', greaterOrEquals: '>=' } as const;

function typesDiffer(operator: Operator, value: ReleaseValue, claim: Exclude<JsonValue, null>): string | null {
  if (operator === 'exists') return 'exists with false is never met';
  const ofClaim = typeName(claim);
  const ofPolicy = typeName(value);
  return ofClaim === ofPolicy ? null : `the claim is ${ofClaim} and the value of the policy ${ofPolicy}`;
}

function typeName(value: Exclude<JsonValue, null>): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
