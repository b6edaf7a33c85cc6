import type { JsonValue } from './json.js';

/**
 * The result of one part of a rule. `undefined`: it rests on a claim that is absent, which makes the rule not met;
 * `not reached`: it was not looked at, as the branch of a conditional that was not chosen.
 */
export interface ExplainedPart {
  /** The part as it stands in the policy. */
  readonly text: string;
  readonly state: 'value' | 'undefined' | 'not reached';
  /** Null where there is no value. */
  readonly value: JsonValue;
  /** The note about it: the absent claim, or the normalisation that made two values equal. */
  readonly note: string | null;
  readonly parts: readonly ExplainedPart[];
}
