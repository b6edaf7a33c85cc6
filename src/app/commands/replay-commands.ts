import { type ListedDecisions, listedDecisions } from '../../cli/decision-list.js';
import type { ListDecisionsOptions, ReplayActions, ReplayOptions } from '../../cli/decisions-commands.js';
import { Notes, type Output } from '../../cli/output.js';
import { type PolicyDiffActions, policyDiff, requireSince } from '../../cli/policy-diff-command.js';
import { progressBar } from '../../cli/progress-bar.js';
import { noDecisionNamed } from '../../cli/recorded-decision.js';
import {
  type Compared,
  RECORDED_AND_REPLAYED,
  replayReport,
  replayTime,
  requireWhich,
  showReplay,
} from '../../cli/replay-report.js';
import type { LogReader, RecordedDecision } from '../../core/decision-log.js';
import type { JsonObject } from '../../core/json.js';
import { quotedName } from '../../core/names-in-messages.js';
import type { Log } from '../../core/ports.js';
import { findRecorded } from '../../log/find-recorded.js';
import { policyDifferences } from '../../policy/document/policy-differences.js';
import type { Policy } from '../../policy/document/policy-document.js';
import type { Replay, ReplayDecision } from '../../replay/replay-decision.js';
import { decisionIdsOf, replayEach, whyNotJudged } from '../../replay/replay-decisions.js';
import { readPolicySet } from '../../stores/policy-files.js';
import { noSuchDecision } from '../../workbench/recorded-decisions.js';
import type { Replaced } from '../container.js';
import { commandLineLog, configurationOf, outputOf } from './command-line-io.js';
import { commandLineVerification } from './command-line-verification.js';
import { namedPolicy } from './named-policy.js';
import { readingLog } from './open-log.js';
import { policySources } from './policy-sources.js';
import { untilSignal } from './until-signal.js';

/**
 * `veritee replay` and `veritee policy diff`: no server is needed, and one may be running.
 * @param replaced values in the place of registrations, for a lab
 */
export function replayCommands(replaced: Replaced = {}) {
  return {
    replay: async (decisionId, options) => {
      requireWhich(decisionId, options);
      const asked = listedDecisions(given(options));
      const output = outputOf(options);
      return withKeptDecisions(options, replaced, output, async ({ store, again, policy }, signal) => {
        const instead = policy === null ? [] : [policy];
        const judge = async (id: string) => again.replay(await recordOf(store, id), replayTime(options), instead);
        if (decisionId !== undefined) return replayOne(store, decisionId, policy, judge, output);
        const which = { ...asked, policy: policy?.id ?? null };
        const why = policy === null ? null : OF_ITS_OWN_ID;
        return reportAll(store, which, judge, { output, signal, compared: RECORDED_AND_REPLAYED, why });
      });
    },
    diffPolicies: async (before, after, options) => {
      requireSince(options);
      const asked = listedDecisions(given(options));
      const configuration = await configurationOf(options);
      const { set: known } = await readPolicySet(policySources(configuration));
      const named = (policy: string) => namedPolicy('policy diff', policy, known, configuration);
      const [old, young] = [await named(before), await named(after)];
      const output = outputOf(options);
      const show = () => policyDiff({ old, new: young, members: policyDifferences(old, young) }, output);
      if (options.since === undefined) return show();
      return withKeptDecisions(options, replaced, output, ({ store, again }, signal) => {
        show();
        const both = [old, { ...young, id: old.id }] as const;
        const judge = async (id: string) => again.compareUnder(await recordOf(store, id), both);
        const why = 'decisions that were made under the id of <old> are judged';
        return reportAll(store, { ...asked, policy: old.id }, judge, { output, signal, compared: ['old', 'new'], why });
      });
    },
  } satisfies ReplayActions & PolicyDiffActions;
}

const OF_ITS_OWN_ID = '--policy judges decisions that were made under the id of its own text';

/** The dependencies of a replay. */
interface KeptDecisions {
  readonly store: LogReader;
  readonly again: ReplayDecision;
  /** The value of `--policy`; null if absent. */
  readonly policy: Policy | null;
}

async function withKeptDecisions(
  options: { readonly config?: string; readonly policy?: string },
  replaced: Replaced,
  output: Output,
  work: (kept: KeptDecisions, signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const notes = new Notes();
  const log: Log = output.asTable ? notes : commandLineLog();
  const configuration = await configurationOf(options);
  const told = (signal: string) => void process.stderr.write(`${signal}: ended before all decisions were judged\n`);
  try {
    return await readingLog(options, async (store) => {
      const named = options.policy ?? null;
      const values = { ...replaced, decisions: store };
      const verification = await commandLineVerification(configuration, named, log, '--policy', values);
      try {
        const { app, policy } = verification;
        return await untilSignal((signal) => work({ store, again: app.replays, policy }, signal), told);
      } finally {
        await verification.close();
      }
    });
  } finally {
    notes.release((text) => process.stderr.write(text));
  }
}

/** How results are shown. */
interface Shown {
  readonly output: Output;
  readonly compared: Compared;
  readonly signal: AbortSignal;
  /** Why decisions under that policy are judged, for those who find none; null where none is named. */
  readonly why: string | null;
}

/** The options that select decisions: a policy is known only once its file is read. */
function given({ since, tenant }: ReplayOptions): ListDecisionsOptions {
  return { ...(since === undefined ? {} : { since }), ...(tenant === undefined ? {} : { tenant }) };
}

async function reportAll(
  store: LogReader,
  { since, tenant, policy }: ListedDecisions,
  judge: (decisionId: string) => Promise<Replay>,
  { output, compared, signal, why }: Shown,
): Promise<number> {
  const query = { since, tenant, policy, decision: null };
  const ids = await decisionIdsOf(store, query);
  const results = replayEach(ids, (id) => {
    signal.throwIfAborted();
    return judge(id);
  });
  const exitCode = await replayReport(results, ids.length, compared, output, progressBar(process.stderr));
  // Else nobody would know why none was judged.
  if (ids.length === 0) throw new Error(`${noneRecorded(query)}${why === null ? '' : `; ${why}`}`);
  return exitCode;
}

function noneRecorded({ since, tenant, policy }: Pick<ListedDecisions, 'since' | 'tenant' | 'policy'>): string {
  return [
    'no decision',
    ...(policy === null ? [] : [`under ${policy}`]),
    ...(since === null ? [] : [`since ${since.toISOString()}`]),
    ...(tenant === null ? [] : [`of tenant ${quotedName(tenant)}`]),
    'is recorded',
  ].join(' ');
}

/**
 * Of one decision there is no other to judge: that it cannot be is no usage error, as it is none where it is one of many.
 *
 * @throws {UsageError} where there is none of this id
 * @throws {Error} why it cannot be judged again, or that the policy to be tried is none of its own
 */
async function replayOne(
  store: LogReader,
  decisionId: string,
  policy: Policy | null,
  judge: (decisionId: string) => Promise<Replay>,
  output: Output,
): Promise<number> {
  if ((await findRecorded(store, decisionId)) === null) throw noDecisionNamed();
  const outcome = await judge(decisionId).catch(whyNotJudged);
  if ('why' in outcome) throw new Error(outcome.detail);
  // Nothing was tried then: that both are equal would say something of a policy that nobody consulted.
  if (policy !== null && !policyIdsOf(outcome).includes(policy.id)) {
    throw new Error(`the decision was not made under ${policy.id}; ${OF_ITS_OWN_ID}`);
  }
  return showReplay(outcome, output);
}

function policyIdsOf({ replayed }: Replay): readonly unknown[] {
  return (replayed['policies'] as readonly JsonObject[]).map(({ id }) => id);
}

/** @throws {RefusedError} `not_found` */
async function recordOf(store: LogReader, decisionId: string): Promise<RecordedDecision> {
  const found = await findRecorded(store, decisionId);
  if (found !== null) return found;
  throw noSuchDecision();
}
