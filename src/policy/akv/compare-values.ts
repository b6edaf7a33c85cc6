import type { JsonValue } from '../../core/json.js';
import { isOrdered } from '../orderings.js';
import type { ClaimCondition, Operator, ReleaseValue } from './policy-tree.js';
import { shownValue } from './shown-values.js';

/** `strict`: types must agree. `compatible`: also accepts values that Key Vault evidently treats as equal. */
export type Comparison = 'strict' | 'compatible';

/** Whether a claim that is present meets a condition. */
export interface ComparedValue {
  readonly met: boolean;
  /** The values that compatible comparison treated as equal, if the condition needs it; else null. */
  readonly normalisation: string | null;
  /** The reason why similar or incomparable values do not meet the condition; else null. */
  readonly note: string | null;
}

/** Canonical decimal form of a number, as JavaScript and JSON write it. */
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** Parses a number in canonical decimal form: `0` and `-1.5`, not `00`, `1.0` or `1e3`. Null for any other text. */
export function canonicalNumber(text: string): number | null {
  return DECIMAL.test(text) && String(Number(text)) === text ? Number(text) : null;
}

/** Reads a string in a policy as a boolean or number; null if it does not represent one. */
export function readTextAs(type: 'boolean' | 'number', value: ReleaseValue): boolean | number | null {
  if (typeof value !== 'string') return null;
  if (type === 'number') return canonicalNumber(value);
  return value === 'true' || value === 'false' ? value === 'true' : null;
}

/**
 * Compares the value of a condition with a claim. Values of different types meet no operator, not even `notEquals`,
 * because a comparison that is not possible must not release a key. Only a string in the policy is read as another
 * type, never a string in the token.
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
