import type { CheckId } from '../core/codes.js';
import { groupedBy } from '../core/grouped.js';
import { isObject, type JsonValue } from '../core/json.js';
import type { Schemas } from '../wire/schema-check.js';
import { type Output, printable, RESULT_COLOUR, styledFor } from './output.js';
import { ruleLines } from './rule-text.js';
import { labelledLines, wrappedLines } from './wrapped-lines.js';

type Node = Schemas['ExplanationNode'];
type Result = NonNullable<Node['result']>;

export interface ExplanationView extends Pick<Output, 'inColour'> {
  /** Whether to show passed checks, every part of every rule, and complete values and digests. */
  readonly everything: boolean;
}

const STEP = 2;
/** Indentation of the lines about a check. */
const INSIDE = 3 * STEP;

/** Longer values are shown complete only with `everything`. */
const SHOWN_CHARACTERS = 400;

/** Digits of a digest that distinguish it. */
const SHOWN_DIGITS = 16;

/** The worst first, so that the operator sees it. */
const ORDER: readonly (Result | undefined)[] = [
  'fail',
  'unavailable',
  'warn',
  'skipped',
  'pass',
  'not_configured',
  undefined,
];

/** Results that the operator must look at. */
const AGAINST: ReadonlySet<Result | undefined> = new Set(['fail', 'unavailable', 'warn']);

/**
 * Formats an explanation as text, one step a line. Failures come first, with compared values, the remedy
 * and the parts of rules; a group of passed checks is one line. The root of the tree, which has the
 * outcome, has no line: the caller has already shown the outcome.
 */
export function explanationText(root: Node, view: ExplanationView): string {
  const text = new ExplanationText(view, root.result !== 'pass');
  return inOrder(root.parts ?? [])
    .map((group) => text.group(group))
    .flatMap((lines, index, all) => (index > 0 && isApart(lines, all[index - 1]) ? ['', ...lines] : lines))
    .map((line) => `${line}\n`)
    .join('');
}

function inOrder(nodes: readonly Node[]): readonly Node[] {
  return nodes.toSorted((a, b) => ORDER.indexOf(a.result) - ORDER.indexOf(b.result));
}

/** Whether blank lines separate a group. Groups of one line are not separated. */
function isApart(lines: readonly string[], before: readonly string[] = []): boolean {
  return lines.length > 1 || before.length > 1;
}

class ExplanationText {
  readonly #view: ExplanationView;
  /** Whether something failed: then the text omits lines of minor interest. */
  readonly #isRefused: boolean;
  readonly #styled: ReturnType<typeof styledFor>;

  constructor(view: ExplanationView, isRefused: boolean) {
    this.#view = view;
    this.#isRefused = isRefused;
    this.#styled = styledFor(view);
  }

  group(group: Node): readonly string[] {
    const { text, result, parts = [] } = group;
    if (result === undefined) return [printable(text), ...parts.flatMap((part) => this.#plain(part, STEP))];
    const head = `${this.#result(result)}  ${printable(text)}${counted(parts)}`;
    if (this.#view.everything) return [head, ...parts.flatMap((part) => this.#check(part))];
    const against = inOrder(parts.filter((part) => AGAINST.has(part.result)));
    if (against.length === 0) return [head, ...this.#skipped(parts)];
    const passed = parts.filter((part) => part.result === 'pass').map(passingName);
    return [
      head,
      ...against.flatMap((part) => this.#check(part)),
      ...(passed.length === 0 ? [] : this.#listed('pass', [...new Set(passed)].join(', '))),
      ...this.#skipped(parts),
    ];
  }

  /** One line for each reason. */
  #skipped(parts: readonly Node[]): readonly string[] {
    if (!this.#isRefused) return [];
    const skipped = parts.filter(({ result }) => result === 'skipped');
    const reasons = groupedBy(skipped, ({ note }) => note ?? '');
    return [...reasons].flatMap(([reason, those]) => {
      const ids = those.length > 3 ? `${those.length} checks` : those.map(({ text }) => text).join(', ');
      return this.#listed('skipped', `${ids}: ${reason}`);
    });
  }

  #listed(result: Result, text: string): readonly string[] {
    const [first = '', ...others] = wrappedLines(`${result}  ${printable(text)}`, STEP, STEP + 4);
    return [first.replace(result, this.#result(result)), ...others];
  }

  #check(node: Node): readonly string[] {
    const { text, result, about = '', note } = node;
    const place = about === '' ? '' : `  at ${printable(about)}`;
    const isBrief = result === 'warn' && this.#isRefused && !this.#view.everything;
    return [
      `${' '.repeat(STEP)}${result === undefined ? '' : `${this.#result(result)}  `}${printable(text)}${place}`,
      ...(note === undefined ? [] : wrappedLines(printable(note), INSIDE, INSIDE)),
      ...(isBrief ? [] : this.#inside(node)),
    ];
  }

  /** Compared values, remedy, and rule. */
  #inside({ result, expected, actual, remedy, parts = [] }: Node): readonly string[] {
    return [
      ...(expected === undefined ? [] : labelledLines('expected', this.#value(expected), INSIDE)),
      ...(actual === undefined ? [] : labelledLines('actual', this.#value(actual), INSIDE)),
      ...(remedy === undefined || !AGAINST.has(result) ? [] : labelledLines('remedy', printable(remedy), INSIDE)),
      ...(parts.length === 0 ? [] : [`${' '.repeat(INSIDE)}rule`]),
      ...parts.flatMap((part) => ruleLines(asPart(part), INSIDE + STEP, true)),
    ];
  }

  /** Lines about anything but a check: an endorsement, or a fact about several checks. */
  #plain({ text, note, parts = [] }: Node, indent: number): readonly string[] {
    const said = note === undefined ? '' : `  ${printable(this.#view.everything ? note : withShortDigests(note))}`;
    return [
      ...wrappedLines(`${printable(text)}${said}`, indent, indent + STEP * 2),
      ...parts.flatMap((part) => this.#plain(part, indent + STEP)),
    ];
  }

  #value(value: unknown): string {
    const text = printable(typeof value === 'string' ? value : spaced((value ?? null) as JsonValue));
    if (this.#view.everything || text.length <= SHOWN_CHARACTERS) return text;
    return `${text.slice(0, SHOWN_CHARACTERS)}… (${text.length} characters)`;
  }

  #result(result: Result): string {
    return this.#styled(RESULT_COLOUR[result], result);
  }
}

/** All rules have one check id. The name of a passed rule distinguishes it from a failed one. */
function passingName({ text, expected }: Node): string {
  return text === RULE && typeof expected === 'string' ? `rule ${expected}` : text;
}

const RULE: CheckId = 'rule_not_met';

/** The number of checks by result, if none has its own line. */
function counted(parts: readonly Node[]): string {
  const counts = ORDER.flatMap((result) => {
    const count = parts.filter((part) => part.result === result).length;
    return count === 0 || result === undefined ? [] : [`${count} ${WORDS[result]}`];
  });
  return counts.length === 0 ? '' : `  (${counts.join(', ')})`;
}

const WORDS: { readonly [result in Result]: string } = {
  fail: 'fail',
  unavailable: 'unavailable',
  warn: 'warn',
  skipped: 'skipped',
  pass: 'pass',
  not_configured: 'not asked for',
};

/** Converts a node of a rule to a part of a rule. */
function asPart({ text, state, value, note, parts = [] }: Node): Parameters<typeof ruleLines>[0] {
  return {
    text,
    state: state ?? 'value',
    value: (value ?? null) as JsonValue,
    note: note ?? null,
    parts: parts.map(asPart),
  };
}

/** JSON with spaces between members, at which lines can break. */
function spaced(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${spaced(member)}`)
    .join(', ')}}`;
}

function withShortDigests(text: string): string {
  return text.replaceAll(/\b[\da-f]{64}\b/g, (digest) => `${digest.slice(0, SHOWN_DIGITS)}…`);
}
