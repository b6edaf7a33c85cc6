import { isObject, type JsonObject, type JsonValue, jsonPointer } from '../../core/json.js';
import type { Place } from '../../schema/schema.js';
import { isList } from '../../schema/structures.js';
import { refuseUnknown, selectorMeant } from './member-names.js';
import {
  type Condition,
  type ConditionGroup,
  MAX_CONDITIONS,
  MAX_DEPTH,
  SELECTORS,
  type Selector,
} from './policy-tree.js';
import { readClaimCondition } from './read-claim-condition.js';

/** Reads the conditions of one policy, up to the maximum. */
export class ConditionReader {
  readonly #prefix: string;
  #conditions = 0;

  /** @param prefix JSON pointer of the policy in its document */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  pointer(at: Place): string {
    return this.#prefix + jsonPointer(at.path);
  }

  /** Reads the only selector of an object. The caller reads its other members. */
  group(given: JsonObject, at: Place, depth = 1): ConditionGroup | undefined {
    const [kind, other] = SELECTORS.filter((name) => Object.hasOwn(given, name));
    if (other !== undefined) return at.refuse('has allOf and anyOf: write one of them, and the other within it');
    if (kind !== undefined) return this.#conditionsOf(kind, given[kind] ?? null, at, depth);
    // A selector in the wrong case is rejected as an unknown member.
    const isMisspelt = Object.keys(given).some((name) => selectorMeant(name) !== null);
    return isMisspelt ? undefined : at.refuse('needs allOf or anyOf with conditions');
  }

  #conditionsOf(kind: Selector, raw: JsonValue, at: Place, depth: number): ConditionGroup | undefined {
    const list = at.member(kind);
    if (!isList(raw)) return list.refuse('must be a list of conditions');
    if (raw.length === 0) return list.refuse('must not be empty');
    if (depth > MAX_DEPTH) return list.refuse(`is more than ${MAX_DEPTH} levels deep`);
    return list.unlessRefused(() => ({
      kind,
      pointer: this.pointer(at),
      conditions: raw.flatMap((each, index) => this.#condition(each, list.member(index), depth) ?? []),
    }));
  }

  #condition(raw: JsonValue, at: Place, depth: number): Condition | undefined {
    this.#conditions += 1;
    if (this.#conditions > MAX_CONDITIONS) return this.#tooMany(at);
    if (!isObject(raw)) return at.refuse('must be an object with a claim, or with allOf or anyOf');
    if (isClaim(raw)) return readClaimCondition(raw, this.pointer(at), at);
    return at.unlessRefused(() => {
      refuseUnknown(raw, SELECTORS, at);
      return this.group(raw, at, depth + 1);
    });
  }

  /** Records the problem once. Further conditions are not read. */
  #tooMany(at: Place): undefined {
    if (this.#conditions === MAX_CONDITIONS + 1) at.refuse(`is one of more than ${MAX_CONDITIONS} conditions`);
    return undefined;
  }
}

/** Whether an object is meant as a claim condition. An object with neither claim nor selector counts as one. */
function isClaim(given: JsonObject): boolean {
  return Object.hasOwn(given, 'claim') || !Object.keys(given).some((name) => selectorMeant(name) !== null);
}
