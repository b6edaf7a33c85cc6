import type { Check } from '../../model/check.js';
import type { CheckId } from '../../model/codes.js';
import { isObject, type JsonObject, type JsonValue } from '../../model/json.js';

/** What can be done about a finding: one sentence, or one that is filled with what the check compared. */
export type Remedy = string | ((check: Check) => string);

/** Remedies of some checks. All parts together have every check: the compiler sees to it where they are joined. */
export type Remedies = { readonly [id in CheckId]?: Remedy };

/** Longer values are not repeated in a sentence: `actual` has them whole. */
const LONGEST_VALUE = 128;

export const COLLATERAL = 'or leave the collateral out so that the service fetches it';

export const reference: Remedy = ({ actual }) =>
  `The operator should add ${value(actual, 'the value')} to the reference values of the policy if it is meant to be accepted.`;

export function filled(remedy: Remedy, check: Check): string {
  return typeof remedy === 'string' ? remedy : remedy(check);
}

/** Components of a TCB and the versions that are needed. Part and TCB say which one is meant. */
export function components(needed: JsonValue): string {
  if (isEmpty(needed)) return 'the minimum of the policy';
  const { part: _, tcb: __, ...versions } = needed as JsonObject;
  return Object.entries(versions)
    .map(([component, version]) => `${component} ${value(version, '')}`)
    .join(', ');
}

export function isEmpty(value: JsonValue): boolean {
  return !isObject(value) || Object.keys(value).length === 0;
}

/** A value as part of a sentence; other words where there is none, or it is too long to repeat. */
export function value(shown: JsonValue | undefined, otherwise: string): string {
  if (shown === undefined || shown === null) return otherwise;
  const text = textOf(shown);
  return text === '' || text.length > LONGEST_VALUE ? otherwise : text;
}

function textOf(shown: JsonValue): string {
  if (typeof shown === 'string') return shown;
  return Array.isArray(shown) ? shown.map(textOf).join(', ') : JSON.stringify(shown);
}
