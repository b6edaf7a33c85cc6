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
const WORST: readonly (LineState | null)[] = [null, 'pass', 'warn', 'fail'];

/** The text of a policy, with the lines that decided, by the checks of the decision. */
export function readPolicyLines(id: string, text: string, checks: readonly Decided[]): ReadPolicy {
  const read = readYaml(text);
  const texts = text.replace(/\n$/, '').split('\n');
  const marks = texts.map(() => ({ state: null as LineState | null, checks: new Set<string>() }));
  const byDefault = new Set<string>();
  for (const { check, state } of deciding(id, checks)) {
    const lines = linesBehind(check, read, texts);
    if (lines === null) byDefault.add(check.id);
    for (const line of lines ?? []) {
      const mark = marks[line - 1];
      if (mark === undefined) continue;
      mark.state = WORST[Math.max(WORST.indexOf(mark.state), WORST.indexOf(state))] ?? null;
      if (line === lines?.[0]) mark.checks.add(check.id);
    }
  }
  return {
    lines: texts.map((line, index) => ({
      number: index + 1,
      text: line,
      state: marks[index]?.state ?? null,
      checks: [...(marks[index]?.checks ?? [])],
    })),
    byDefault: [...byDefault],
  };
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
  const begin = texts[first - 1] ?? '';
  if (!/:\s*([|>][-+0-9]*)?\s*(#.*)?$/.test(begin) && !/^\s*-\s/.test(begin)) return first;
  const depth = begin.search(/\S/);
  let last = first;
  for (let line = first + 1; line <= texts.length; line += 1) {
    const text = texts[line - 1] ?? '';
    if (text.trim() === '') continue;
    const isItem = /^\s*-\s/.test(text) && !/^\s*-\s/.test(begin);
    if (text.search(/\S/) < depth + (isItem ? 0 : 1)) break;
    last = line;
  }
  return last;
}
