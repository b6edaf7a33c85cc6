import type { Outcome } from '../core/decision.js';
import { quotedName } from '../core/names-in-messages.js';
import { type Replay, type ReplayTime, speaks } from '../replay/replay-decision.js';
import type { NotReplayed, ReplayedDecision } from '../replay/replay-decisions.js';
import type { ReplayOptions } from './decisions-commands.js';
import { UsageError } from './input.js';
import { EXIT_CODE, OUTCOME_COLOUR, type Output, printable, shownValue, styledFor } from './output.js';
import type { Progress } from './progress-bar.js';
import { WITHDRAWN } from './recorded-decision.js';

/** The two sides of the comparison: `recorded` and `replayed`, or two policies. */
export type Compared = readonly [before: string, after: string];

export const RECORDED_AND_REPLAYED: Compared = ['recorded', 'replayed'];

/** Decisions that changed in the same way, for the same reasons. */
interface Change {
  readonly outcomes: readonly [string, string];
  /** Reasons that were added, and those that were removed. */
  readonly reasons: readonly string[];
  count: number;
  /** The first of these decisions. */
  readonly examples: string[];
}

interface Counts {
  judged: number;
  equal: number;
  /** Number of decisions with another outcome. */
  flips: number;
  /** Number of decisions with the same outcome, but other relevant differences. */
  differ: number;
  /** Number of replayed decisions that were withdrawn, so that no client received them. */
  withdrawn: number;
  readonly notJudged: Record<NotReplayed, number>;
}

const EXAMPLES = 3;

/**
 * Shows the result of a replay: a line of JSON for each changed decision, and a summary; on a terminal,
 * the number of each kind.
 *
 * @param total the number of decisions
 * @returns the exit code: 0 if all are unchanged, 2 if one changed, 3 if none was replayed, or one could not be replayed. A decision
 *   that depended on the moment does not count
 */
export async function replayReport(
  results: AsyncIterable<ReplayedDecision>,
  total: number,
  compared: Compared,
  output: Output,
  progress: Progress,
): Promise<number> {
  const report = new Report(compared, output);
  progress.start(total);
  try {
    for await (const result of results) {
      report.take(result);
      progress.advance();
    }
  } finally {
    progress.end();
  }
  return report.end();
}

class Report {
  readonly #compared: Compared;
  readonly #output: Output;
  readonly #counts: Counts = {
    judged: 0,
    equal: 0,
    flips: 0,
    differ: 0,
    withdrawn: 0,
    notJudged: { momentary: 0, not_kept: 0, refused: 0 },
  };
  readonly #changes = new Map<string, Change>();
  /** Why decisions could not be replayed, with the first one for each reason. */
  readonly #why = new Map<string, string>();
  readonly #versions = new Set<string>();

  constructor(compared: Compared, output: Output) {
    this.#compared = compared;
    this.#output = output;
  }

  take({ decisionId, outcome }: ReplayedDecision): void {
    const counts = this.#counts;
    if ('why' in outcome) {
      counts.notJudged[outcome.why] += 1;
      if (!this.#why.has(outcome.detail)) this.#why.set(outcome.detail, decisionId);
      return;
    }
    counts.judged += 1;
    if (outcome.withdrawn) counts.withdrawn += 1;
    if (outcome.version.recorded !== outcome.version.running) this.#versions.add(outcome.version.recorded);
    if (outcome.equal) counts.equal += 1;
    else if (outcome.decision.recorded === outcome.decision.replayed) counts.differ += 1;
    else counts.flips += 1;
    if (!outcome.equal) this.#changed(outcome);
  }

  end(): number {
    const { judged, equal, notJudged } = this.#counts;
    const why = [...this.#why].map(([detail, decisionId]) => ({ detail, decisionId }));
    const summary = { ...this.#counts, why, versions: [...this.#versions] };
    this.#output.write(this.#output.asTable ? this.#table() : `${JSON.stringify({ summary })}\n`);
    if (equal < judged) return EXIT_CODE.deny;
    return judged === 0 || notJudged.not_kept + notJudged.refused > 0 ? EXIT_CODE.indeterminate : EXIT_CODE.allow;
  }

  #changed(replay: Replay): void {
    if (!this.#output.asTable) this.#output.write(`${JSON.stringify(changeLine(replay, this.#compared))}\n`);
    const { decision, reasons, checks, decisionId } = replay;
    const came = reasons.replayed.filter((code) => !reasons.recorded.includes(code)).map((code) => `+${code}`);
    const went = reasons.recorded.filter((code) => !reasons.replayed.includes(code)).map((code) => `-${code}`);
    // With the same reasons, shows other checks such as warnings, or only values.
    const speaking = checks.some(speaks) ? checks.filter(speaks) : checks;
    const others = speaking.map(
      ({ id, recorded, replayed }) => `${id}: ${recorded ?? 'none'} to ${replayed ?? 'none'}`,
    );
    const told = [...came, ...went];
    const change: Change = {
      outcomes: [decision.recorded, decision.replayed],
      reasons: told.length > 0 ? told : [...new Set(others)],
      count: 0,
      examples: [],
    };
    const key = JSON.stringify([change.outcomes, change.reasons]);
    const known = this.#changes.get(key) ?? change;
    known.count += 1;
    if (known.examples.length < EXAMPLES) known.examples.push(decisionId);
    this.#changes.set(key, known);
  }

  #table(): string {
    const { judged, equal, flips, differ, withdrawn, notJudged } = this.#counts;
    const styled = styledFor(this.#output);
    const changes = [...this.#changes.values()].sort((one, other) => other.count - one.count);
    const lines = [
      ...changes.flatMap((change) => this.#changeLines(change)),
      `${judged} decisions judged again: ${equal} as before, ${flips} flips, ${differ} that differ otherwise`,
      ...countLine(withdrawn, 'of them withdrawn: answered audit_unavailable'),
      ...countLine(
        notJudged.momentary,
        'not judged again, since they depended on the moment (deadline, internal_error)',
      ),
      ...countLine(
        notJudged.not_kept,
        'not judged again, since what they rested on, or their record, is not kept as it was',
      ),
      ...countLine(notJudged.refused, 'not judged again, since their requests are refused now'),
      ...[...this.#why].map(([detail, decisionId]) => `    ${printable(detail)}, such as ${decisionId}`),
      ...[...this.#versions].map((version) =>
        styled('yellow', `decided by another version: veritee ${printable(version)}`),
      ),
    ];
    return `${lines.join('\n')}\n`;
  }

  #changeLines({ outcomes, reasons, count, examples }: Change): readonly string[] {
    const styled = styledFor(this.#output);
    const [before, after] = outcomes.map((outcome) => styled(OUTCOME_COLOUR[outcome as Outcome], printable(outcome)));
    const why = reasons.length === 0 ? 'values that were compared' : reasons.map(printable).join(', ');
    const more = count > examples.length ? [`    and ${count - examples.length} more`] : [];
    const what = outcomes[0] === outcomes[1] ? `still ${after}` : `${before} -> ${after}`;
    return [`${count} x ${what}  ${why}`, ...examples.map((id) => `    ${id}`), ...more, ''];
  }
}

function countLine(count: number, what: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}

function changeLine({ decisionId, decision, reasons, checks, differences }: Replay, [before, after]: Compared) {
  const both = <T>({ recorded, replayed }: { readonly recorded: T; readonly replayed: T }) => ({
    [before]: recorded,
    [after]: replayed,
  });
  return {
    decisionId,
    decision: both(decision),
    reasons: both(reasons),
    checks: checks.map(({ recorded, replayed, ...check }) => ({ ...check, ...both({ recorded, replayed }) })),
    differences: differences.map(({ pointer, ...values }) => ({ pointer, ...both(values) })),
  };
}

/** @throws {UsageError} if no option selects decisions, or several do */
export function requireWhich(decisionId: string | undefined, { since, tenant }: ReplayOptions): void {
  if (decisionId === undefined && since === undefined) {
    throw new UsageError(['name a decision, or a time with --since', 'veritee decisions list shows the decisions']);
  }
  const [option] = [...(since === undefined ? [] : ['--since']), ...(tenant === undefined ? [] : ['--tenant'])];
  if (decisionId === undefined || option === undefined) return;
  throw new UsageError([`${option} and the decision ${quotedName(decisionId)} do not go together: leave one out`]);
}

/** The verification time of the replay. */
export function replayTime({ now }: ReplayOptions): ReplayTime {
  return now === true ? 'now' : 'then';
}

/**
 * Shows one replayed decision.
 * @returns the exit code: 0 if it is unchanged, else 2
 */
export function showReplay(replay: Replay, output: Output): number {
  output.write(output.asTable ? replayTable(replay, output) : `${JSON.stringify(replay, null, 2)}\n`);
  return replay.equal ? EXIT_CODE.allow : EXIT_CODE.deny;
}

function replayTable(
  { at, equal, withdrawn, decision, version, checks, differences, ...replay }: Replay,
  output: Output,
): string {
  const styled = styledFor(output);
  const outcome = (text: string) => styled(OUTCOME_COLOUR[text as keyof typeof OUTCOME_COLOUR], printable(text));
  const when = at === 'then' ? 'as it was then' : 'as of now';
  const versions =
    version.recorded === version.running
      ? []
      : [styled('yellow', `decided by veritee ${printable(version.recorded)}, judged again by ${version.running}`)];
  return [
    `${equal ? styled(['bold', 'green'], 'equal') : styled(['bold', 'red'], 'differs')}  ${when}  ${replay.decisionId}`,
    `recorded ${outcome(decision.recorded)}, judged again ${outcome(decision.replayed)}`,
    ...(withdrawn ? [styled('red', WITHDRAWN)] : []),
    ...versions,
    ...checks.flatMap(({ id, about, policy, recorded, replayed, detail }) => [
      '',
      `${printable(id)}  ${recorded ?? 'not made'} -> ${replayed ?? 'not made'}  ${printable(about)}${policy === null ? '' : ` under ${printable(policy)}`}`,
      `    ${printable(detail)}`,
    ]),
    ...(differences.length === 0 ? [] : ['']),
    ...differences.map(
      ({ pointer, recorded, replayed }) => `${printable(pointer)}  ${shownValue(recorded)} -> ${shownValue(replayed)}`,
    ),
    ...(replay.differencesOmitted === 0 ? [] : [`and ${replay.differencesOmitted} more`]),
    '',
  ].join('\n');
}
