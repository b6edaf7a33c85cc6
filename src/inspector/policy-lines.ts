import { readYaml, type YamlText } from '../schema/yaml.js';
import { memberBehind, type PolicyCheck, pathOf } from './policy-members.js';

/** What came of the checks that a line of a policy decided, the worst of them. */
export type LineState = 'fail' | 'warn' | 'pass';

export interface PolicyLine {
  readonly number: number;
  readonly text: string;
  /** Null where it decided nothing. */
  readonly state: LineState | null;
  /** Checks that it decided; on the first line of a member alone. */
  readonly checks: readonly string[];
}

export interface ReadPolicy {
  readonly lines: readonly PolicyLine[];
  /** Checks that came out as they do where the policy says nothing. */
  readonly byDefault: readonly string[];
}

/** What is read of a check of a decision. */
interface Decided extends PolicyCheck {
  readonly result: string;
  readonly policy: string | null;
}

const STATES: { readonly [result: string]: LineState } = {
  fail: 'fail',
  unavailable: 'fail',
  warn: 'warn',
  pass: 'pass',
};
const WORST: readonly LineState[] = ['pass', 'warn', 'fail'];

/** The text of a policy, with the lines that decided, by the checks of the decision. */
export function readPolicyLines(id: string, text: string, checks: readonly Decided[]): ReadPolicy {
  const read = readYaml(text);
  const texts = text.replace(/\n$/, '').split('\n');
  const states = new Map<number, LineState>();
  const named = new Map<number, Set<string>>();
  const byDefault = new Set<string>();
  for (const { check, state } of deciding(id, checks)) {
    const lines = linesBehind(check, read, texts);
    if (lines === null) byDefault.add(check.id);
    for (const [index, line] of (lines ?? []).entries()) {
      states.set(line, worst(state, states.get(line)));
      if (index === 0) named.set(line, (named.get(line) ?? new Set()).add(check.id));
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

/** Line of a place in a policy; null where the text cannot be read, or the place is all of it. */
export function lineOfPointer(text: string, pointer: string): number | null {
  return readYaml(text).lineOf(pathOf(pointer));
}

/** The policy's own checks that were made, and what verifiers found wrong: a policy can tolerate that. */
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

/** The lines of the member that made a check come out as it did; null where no line did. */
function linesBehind(check: Decided, { value, lineOf }: YamlText, texts: readonly string[]): readonly number[] | null {
  const pointer = memberBehind(check, value);
  if (pointer === null) return check.policy === null ? [] : null;
  const first = lineOf(pathOf(pointer));
  if (first === null) return [];
  return Array.from({ length: lastOfBlock(first, texts) - first + 1 }, (_, index) => first + index);
}

/** A block goes on while its lines are indented more than its first, or are items of a list of the same depth. */
function lastOfBlock(first: number, texts: readonly string[]): number {
  const [begin = '', ...rest] = texts.slice(first - 1);
  const isItem = LIST_ITEM.test(begin);
  if (!isItem && !OPENS_BLOCK.test(begin)) return first;
  const depth = begin.search(/\S/);
  const belongs = (text: string) => {
    const indent = text.search(/\S/);
    return indent < 0 || indent > depth || (indent === depth && !isItem && LIST_ITEM.test(text));
  };
  const end = rest.findIndex((text) => !belongs(text));
  const block = end < 0 ? rest : rest.slice(0, end);
  return first + block.findLastIndex((text) => text.trim() !== '') + 1;
}

const LIST_ITEM = /^\s*-\s/;
const OPENS_BLOCK = /:\s*([|>][-+0-9]*)?\s*(#.*)?$/;
