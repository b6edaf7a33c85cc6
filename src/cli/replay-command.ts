import type { Command } from 'commander';
import { quotedName } from '../model/names-in-messages.js';
import type { Replay, ReplayTime } from '../service/replay-decision.js';
import { UsageError } from './input.js';
import { EXIT_CODE, OUTCOME_COLOUR, type Output, printable, shownValue, styledFor } from './output.js';
import { WITHDRAWN } from './recorded-decision.js';

const REPLAY_HELP = `
Only decisions of which the evidence is kept (decisions.keepEvidence: full) can be judged again. As it was then: by the
request, policies, endorsements and tokens that the decision rested on, at its time, with the verifiers of this version. The
exit code is 0 if all came out as recorded, 1 usage, 2 if one came out otherwise, 3 if one could not be judged, or none was.
Decisions that depended on the moment (deadline, internal_error) are passed over.`;

export interface ReplayOptions {
  readonly since?: string;
  readonly tenant?: string;
  readonly policy?: string;
  readonly now?: boolean;
  readonly config?: string;
  readonly json?: boolean;
}

export interface ReplayActions {
  replay(decisionId: string | undefined, options: ReplayOptions): Promise<number>;
}

/** Adds `veritee replay`. */
export function addReplayCommand(
  program: Command,
  config: readonly [string, string],
  actions: ReplayActions,
  done: (exitCode: number) => void,
): void {
  program
    .command('replay')
    .description('judge recorded decisions again, and show which come out otherwise')
    .argument('[id]', 'one decision; without it, those of --since')
    .option('--since <time>', 'all decisions from this time on, RFC 3339 in UTC')
    .option('--tenant <name>', 'only those of this tenant')
    .option('--policy <id or file>', 'judge decisions under the policy of this id by this text')
    .option('--now', 'judge by the policies, endorsements and the time of now')
    .option(...config)
    .option('--json', 'write JSON on a terminal too')
    .addHelpText('after', REPLAY_HELP)
    .action(async (id, options) => done(await actions.replay(id, options)));
}

/** @throws {UsageError} where it is not said which decisions are meant, or it is said twice */
export function requireWhich(decisionId: string | undefined, { since, tenant }: ReplayOptions): void {
  if (decisionId === undefined && since === undefined) {
    throw new UsageError(['name a decision, or a time with --since', 'veritee decisions list shows the decisions']);
  }
  const [option] = [...(since === undefined ? [] : ['--since']), ...(tenant === undefined ? [] : ['--tenant'])];
  if (decisionId === undefined || option === undefined) return;
  throw new UsageError([`${option} and the decision ${quotedName(decisionId)} do not go together: leave one out`]);
}

/** How decisions are judged again. */
export function replayTime({ now }: ReplayOptions): ReplayTime {
  return now === true ? 'now' : 'then';
}

/**
 * Shows one decision that was judged again.
 * @returns the exit code: 0 where it came out as recorded, else 2
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
