import type { Policy } from '../document/policy-document.js';

/** The comment at the head of a learned policy. */
export interface LearnedHeader {
  /** The policy that the evidence was appraised under. */
  readonly from: Pick<Policy, 'id' | 'version' | 'sha256'>;
  /**
   * Whether that policy pins reference values or machines itself. Without the policy, its values cannot be told apart.
   */
  readonly fromPins: boolean;
  /** Whether machines are learned. */
  readonly chips: boolean;
  /** Codes that the user accepted and the evidence needed. */
  readonly accepted: readonly string[];
  /** Codes of other warnings in the decisions on the evidence. */
  readonly warnings: readonly string[];
  /** One line for each time that the policy was learned or widened, with the evidence. */
  readonly history: readonly string[];
}

const FIRST = 'Written by veritee policy learn';
const FROM = /^# from ([a-z0-9-]+) version ([0-9]+), sha256 ([0-9a-f]{64})$/;
const PINS = 'which pins reference values or machines of its own';
const CHIPS = 'machines are learned, because --chips asked for them';
const ACCEPTED = /^# accepted ([a-z0-9_]+) \(--accept\)$/;
const WARNING = /^# with the warning ([a-z0-9_]+)$/;
const HISTORY = /^# ((?:learned|widened) at .*)$/;

/** Lines of the comment, without the comment sign. */
export function headerLines({ from, fromPins, chips, accepted, warnings, history }: LearnedHeader): readonly string[] {
  return [
    `${FIRST}. Review it: these machines decided what is listed here.`,
    `from ${from.id} version ${from.version}, sha256 ${from.sha256}`,
    ...(fromPins ? [PINS] : []),
    ...(chips ? [CHIPS] : []),
    ...accepted.map((code) => `accepted ${code} (--accept)`),
    ...warnings.map((code) => `with the warning ${code}`),
    ...history,
  ];
}

/** Parses the head of a policy text; null if `policy learn` did not write the text. */
export function readHeader(text: string): LearnedHeader | null {
  const lines = text.split(/\r?\n/);
  const end = lines.findIndex((line) => !line.startsWith('#'));
  const head = lines.slice(0, end < 0 ? lines.length : end);
  const found = head.map((line) => FROM.exec(line)).find((match) => match !== null);
  if (head[0]?.startsWith(`# ${FIRST}`) !== true || found === undefined) return null;
  const [, id = '', version = '', sha256 = ''] = found;
  return {
    from: { id, version: Number(version), sha256 },
    fromPins: head.includes(`# ${PINS}`),
    chips: head.includes(`# ${CHIPS}`),
    accepted: head.flatMap((line) => ACCEPTED.exec(line)?.[1] ?? []),
    warnings: head.flatMap((line) => WARNING.exec(line)?.[1] ?? []),
    history: head.flatMap((line) => HISTORY.exec(line)?.[1] ?? []),
  };
}

/** Whether `policy learn` wrote the text of a policy or test. */
export function isLearned(text: string): boolean {
  return text.startsWith(`# ${FIRST}`);
}

/** Returns the head of the test of a learned policy. */
export const TESTS_HEADER = [
  `${FIRST}, with the policy: which claims it is met by, and that each value counts.`,
  'These cases are written anew each time. Cases of other names, which you add, are kept.',
];
