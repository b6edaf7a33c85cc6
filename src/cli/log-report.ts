import { type ChainReport, type LogProblem, type LogReport, signedUpTo } from '../core/log-report.js';
import { EXIT_CODE, type Output, printable, styledFor } from './output.js';

/** A question that a verification cannot answer, with the reason. */
export interface NotKnown {
  readonly code: 'cut_end' | 'unsigned' | 'unsigned_end' | 'named_only' | 'own_keys' | 'beginning' | 'later_version';
  /** One sentence as message, in lower case, without period. */
  readonly detail: string;
  /** The subject: chains, or thumbprints of keys. */
  readonly about: readonly string[];
}

/**
 * Shows the findings of a log verification, and its open questions.
 * @returns the exit code: 0 without problems, else 2
 */
export function logReport(report: LogReport, output: Output): number {
  const { problems, chains, ...counts } = report;
  const notKnown = whatIsNotKnown(report);
  const json = { ...counts, problems, chains, notKnown };
  output.write(output.asTable ? reportTable(report, notKnown, output) : `${JSON.stringify(json, null, 2)}\n`);
  return problems.length === 0 ? EXIT_CODE.allow : EXIT_CODE.deny;
}

export function whatIsNotKnown({ chains, keptHeads, ownWord, later }: LogReport): readonly NotKnown[] {
  const ids = (which: readonly ChainReport[]) => which.map(({ chain }) => chain);
  // The signature of a key that only the log names proves nothing.
  const unsigned = ids(chains.filter(({ vouchedFor }) => vouchedFor === null || ownWord.length > 0));
  const behind = ids(chains.filter(({ seq, vouchedFor }) => vouchedFor !== null && vouchedFor < seq));
  const named = ids(chains.filter((chain) => (chain.vouchedFor ?? -1) > signedUpTo(chain)));
  const first = ids(chains.filter(({ beginsLog }) => beginsLog));
  const uncovered = ids(chains.filter(({ seq, keptHead }) => keptHead !== seq));
  const cutEnd: NotKnown =
    keptHeads === 0
      ? { code: 'cut_end', detail: WITHOUT_HEADS, about: [] }
      : { code: 'cut_end', detail: BEHIND_HEADS, about: uncovered };
  const others: readonly NotKnown[] = [
    { code: 'unsigned', detail: UNSIGNED, about: unsigned },
    { code: 'unsigned_end', detail: UNSIGNED_END, about: behind },
    { code: 'named_only', detail: NAMED_ONLY, about: named },
    { code: 'own_keys', detail: OWN_KEYS, about: ownWord },
    { code: 'beginning', detail: BEGINNING, about: first },
    { code: 'later_version', detail: LATER_VERSION, about: later },
  ];
  return [cutEnd, ...others.filter(({ about }) => about.length > 0)];
}

const WITHOUT_HEADS = 'without kept heads (--heads), neither a truncated end nor a restored older file is detected';
const BEHIND_HEADS =
  'a truncation after the last kept head of a chain is not detected; listed are chains with records behind it, or without one';
const UNSIGNED =
  'no head by a known key covers these chains: anyone with write access to the store can have written them';
const UNSIGNED_END =
  'records after the last signed head of these chains are not authenticated (normal while a service runs): anyone with write access to the store can have added them';
const NAMED_ONLY =
  'no signed head covers the last records of these chains; the first record of a later process lists their last hash, so what was changed or added behind their own heads before that record is not detected: compare with saved heads (--heads)';
const OWN_KEYS =
  'only the log itself names these signing keys: compare them with the kid of the keys that the service publishes, or pass those keys as --keys';
const BEGINNING =
  'these chains reference no earlier chain: they are the first of a log, or the earlier chains were deleted';
const LATER_VERSION =
  'these chains have what a later version of veritee wrote: its hashes are verified, and that version, or a later one, verifies the rest';

function reportTable(report: LogReport, notKnown: readonly NotKnown[], output: Output): string {
  const { problems, chains, records, decisions, heads, objects, keptHeads } = report;
  const styled = styledFor(output);
  const verdict =
    problems.length === 0
      ? styled(['bold', 'green'], 'nothing is wrong')
      : styled(['bold', 'red'], `wrong: ${problems.length}`);
  return [
    verdict,
    '',
    ...problems.flatMap((problem) => problemLines(problem, styled)),
    ...chains.flatMap(chainLines),
    `${records} records, ${decisions} decisions with their content, ${heads} signed heads, ${objects} kept objects, ${keptHeads} kept heads`,
    '',
    ...notKnownLines(notKnown, styled),
    '',
  ].join('\n');
}

/** Lines about open questions, also of an import. */
export function notKnownLines(notKnown: readonly NotKnown[], styled: ReturnType<typeof styledFor>): readonly string[] {
  return notKnown.flatMap(({ code, detail, about }) => [
    `${styled('yellow', 'not known')}  ${code}: ${detail}`,
    ...about.map((each) => `           ${printable(each)}`),
  ]);
}

/** Lines about problems, also of an import. */
export function problemLines(
  { code, chain, seq, decisionId, detail }: LogProblem,
  styled: ReturnType<typeof styledFor>,
): readonly string[] {
  const place = [
    ...(seq === null ? [] : [`record ${seq}`]),
    ...(chain === null ? [] : [`of chain ${printable(chain)}`]),
    ...(decisionId === null ? [] : [`(decision ${printable(decisionId)})`]),
  ];
  return [`${styled('red', code)}  ${place.join(' ')}`.trimEnd(), `    ${printable(detail)}`, ''];
}

function chainLines({
  chain,
  seq,
  from,
  until,
  pruned,
  lastHead,
  keptHead,
  vouchedFor,
  beginsLog,
}: ChainReport): readonly string[] {
  const times = from === null || until === null ? 'no content left' : `${printable(from)} to ${printable(until)}`;
  return [
    `chain ${printable(chain)}  ${times}`,
    `    records up to ${seq}, signed ${upTo(lastHead)}, kept heads ${upTo(keptHead)}, vouched for ${upTo(vouchedFor)}, without content: ${pruned}${beginsLog ? '; it began the log' : ''}`,
    '',
  ];
}

function upTo(seq: number | null): string {
  return seq === null ? 'nowhere' : `up to ${seq}`;
}
