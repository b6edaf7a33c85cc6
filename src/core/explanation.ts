import type { JsonValue } from './json.js';

/**
 * The result of one part of a rule. `undefined`: it depends on an absent claim, so that the rule is not met;
 * `not reached`: it was not evaluated, such as the other branch of a conditional.
 */
export interface ExplainedPart {
  /** The part as written in the policy. */
  readonly text: string;
  readonly state: 'value' | 'undefined' | 'not reached';
  /** Null if there is no value. */
  readonly value: JsonValue;
  /** The note about it: the absent claim, or the normalisation that made two values equal. */
  readonly note: string | null;
  readonly parts: readonly ExplainedPart[];
}
