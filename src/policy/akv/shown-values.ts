import type { JsonValue } from '../../core/json.js';
import type { ReleaseValue } from './policy-tree.js';

/** Characters of a value in a sentence. */
const IN_A_SENTENCE = 128;
/** Characters of a claim that an explanation repeats, so that many conditions on a long claim stay small. */
const IN_AN_EXPLANATION = 1024;

/** A value of a policy as JSON writes it, cut where it is long. */
export function shownValue(value: ReleaseValue): string {
  return typeof value === 'string' && value.length > IN_A_SENTENCE
    ? `${JSON.stringify(value.slice(0, IN_A_SENTENCE))}…`
    : JSON.stringify(value);
}

/** A claim as an explanation repeats it, and what is left out of it. */
export function shownClaim(value: Exclude<JsonValue, null>): {
  readonly value: JsonValue;
  readonly note: string | null;
} {
  if (Array.isArray(value)) return { value: null, note: `a list of ${value.length}, which is not repeated` };
  if (typeof value === 'object') return { value: null, note: 'an object, which is not repeated' };
  if (typeof value !== 'string' || value.length <= IN_AN_EXPLANATION) return { value, note: null };
  return {
    value: value.slice(0, IN_AN_EXPLANATION),
    note: `the first ${IN_AN_EXPLANATION} of ${value.length} characters`,
  };
}
