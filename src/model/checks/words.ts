import { isObject, type JsonObject, type JsonValue } from '../json.js';
import { registerNames } from '../register-names.js';
import type { Finding } from './row.js';

/** Longer values are not repeated in a sentence, because `actual` has them. */
const LONGEST_VALUE = 128;

export const COLLATERAL = 'or leave the collateral out so that the service fetches it';

/** What to do about a value that is none of the reference values. Of a list, the detail names what is not among them. */
export function reference({ actual }: Finding): string {
  const shown = Array.isArray(actual) ? 'what the detail lists' : value(actual, 'the value');
  return `The operator should add ${shown} to the reference values of the policy if it is meant to be accepted.`;
}

/** Whether a claim of the boot, which is compared with texts, is what a policy missed: else it is about registers. */
export function isOfBootClaim({ policy, expected }: Finding): boolean {
  return policy !== null && Array.isArray(expected) && expected.some((entry) => typeof entry === 'string');
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

/** Indices of PCRs; where other things are listed, such as values that a policy accepts, the detail has them. */
export function pcrs(shown: JsonValue): string {
  const isList = Array.isArray(shown) && shown.every((index) => typeof index === 'number');
  return isList && shown.length > 0 ? registerNames('PCR', shown) : 'the detail names them';
}

function textOf(shown: JsonValue): string {
  if (typeof shown === 'string') return shown;
  return Array.isArray(shown) ? shown.map(textOf).join(', ') : JSON.stringify(shown);
}
