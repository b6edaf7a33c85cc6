import type { JsonValue } from './json.js';

/**
 * What one part of a rule came to. `undefined`: it rests on a claim that is absent, which makes the rule not met;
 * `not reached`: it was not looked at, as the branch of a conditional that was not chosen.
 */
export interface ExplainedPart {
  /** The part as it stands in the policy. */
  readonly text: string;
  readonly state: 'value' | 'undefined' | 'not reached';
  /** Null where there is no value. */
  readonly value: JsonValue;
  /** What else has to be known: which claim is absent, or which normalisation made two values equal. */
  readonly note: string | null;
  readonly parts: readonly ExplainedPart[];
}
