import { pathOf } from '../core/json.js';
import { readYaml, type YamlText } from '../schema/yaml.js';
import { type DecidingCheck, membersBehind, valueAt } from './policy-members.js';

/** The worst result of the checks that a line of a policy decided. */
export type LineState = 'fail' | 'warn' | 'pass';

export interface PolicyLine {
  readonly number: number;
  readonly text: string;
  /** Null if it decided no check. */
  readonly state: LineState | null;
  /** Checks that it decided, only on the first line of a member. */
  readonly checks: readonly string[];
}

export interface ReadPolicy {
  readonly lines: readonly PolicyLine[];
  /** Checks with the default result, for which the policy has no member. */
  readonly byDefault: readonly string[];
}

/** The members of a check that this module reads. */
interface Decided extends DecidingCheck {
  readonly result: string;
}

const STATES: { readonly [result: string]: LineState } = {
  fail: 'fail',
  unavailable: 'fail',
  warn: 'warn',
  pass: 'pass',
};
const WORST: readonly LineState[] = ['pass', 'warn', 'fail'];

/** A decision, and the policy whose lines are shown. */
interface DecidedBy {
  readonly id: string;
  /** The verification time. */
  readonly at: string;
  readonly checks: readonly Decided[];
}

/** The text of a policy, with the deciding lines for each check of the decision. */
export function readPolicyLines(text: string, { id, at, checks }: DecidedBy): ReadPolicy {
  const read = readYaml(text);
  const texts = text.replace(/\n$/, '').split('\n');
  const states = new Map<number, LineState>();
  const named = new Map<number, Set<string>>();
  const byDefault = new Set<string>();
  for (const { check, state } of deciding(id, checks)) {
    const lines = linesBehind(check, read, at);
    if (lines === null) byDefault.add(check.id);
    for (const [index, line] of (lines ?? []).entries()) {
      states.set(line, worst(state, states.get(line)));
      if (lines?.[index - 1] !== line - 1) named.set(line, (named.get(line) ?? new Set()).add(check.id));
    }
  }
  return {
    lines: texts.map((line, index) => ({
      number: index + 1,
      text: line,
      state: states.get(index + 1) ?? null,
      checks: [...(named.get(index + 1) ?? [])],
    })),
    byDefault: [...byDefault],
  };
}

function worst(one: LineState, other: LineState = 'pass'): LineState {
  return WORST.indexOf(one) > WORST.indexOf(other) ? one : other;
}

/** Line of a place in a policy; null if the text is unreadable, or the place is the whole text. */
export function lineOfPointer(text: string, pointer: string): number | null {
  return readYaml(text).lineOf(pathOf(pointer));
}

/** The policy's own checks that ran, and failures of verifiers, which a policy can tolerate. */
function deciding(
  id: string,
  checks: readonly Decided[],
): readonly { readonly check: Decided; readonly state: LineState }[] {
  return checks.flatMap((check) => {
    const state = STATES[check.result];
    if (state === undefined || (check.policy !== null && check.policy !== id)) return [];
    return check.policy === null && state === 'pass' ? [] : [{ check, state }];
  });
}

/** The lines of the members that decided a check; null if the policy has none of them. */
function linesBehind(check: Decided, { value, linesOf }: YamlText, at: string): readonly number[] | null {
  const pointers = membersBehind(check, value, at);
  // A failure of a verifier affects every policy, unless a member tolerates it.
  if (pointers.length === 0) return check.policy === null ? [] : null;
  return pointers.flatMap((pointer) => {
    const [first, end] = linesOf(pathOf(pointer)) ?? [1, 0];
    // The decision does not name the item of a list.
    const last = Array.isArray(valueAt(value, pointer)) ? first : end;
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
