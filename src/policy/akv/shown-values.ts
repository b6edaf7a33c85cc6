import type { JsonValue } from '../../core/json.js';
import type { ReleaseValue } from './policy-tree.js';

/** Maximum characters of a value in a sentence. */
const IN_A_SENTENCE = 128;
/** Maximum characters of a claim in an explanation, since many conditions can be on one long claim. */
const IN_AN_EXPLANATION = 1024;

/** Formats a value of a policy as JSON, truncated if it is long. */
export function shownValue(value: ReleaseValue): string {
  return typeof value === 'string' && value.length > IN_A_SENTENCE
    ? `${JSON.stringify(value.slice(0, IN_A_SENTENCE))}…`
    : JSON.stringify(value);
}

/** Formats a claim for an explanation, and says if it is truncated. */
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
