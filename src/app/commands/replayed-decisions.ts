import type { ListedDecisions } from '../../cli/decision-list.js';
import type { Output } from '../../cli/output.js';
import { progressBar } from '../../cli/progress-bar.js';
import { noDecisionNamed } from '../../cli/recorded-decision.js';
import { type Compared, replayReport, showReplay } from '../../cli/replay-report.js';
import type { LogReader, RecordedDecision } from '../../core/decision-log.js';
import type { JsonObject } from '../../core/json.js';
import { quotedName } from '../../core/names-in-messages.js';
import { findRecorded } from '../../log/find-recorded.js';
import type { Policy } from '../../policy/document/policy-document.js';
import type { Replay } from '../../replay/replay-decision.js';
import { decisionIdsOf, replayEach, whyNotJudged } from '../../replay/replay-decisions.js';
import { noSuchDecision } from '../../workbench/recorded-decisions.js';

export const OF_ITS_OWN_ID = '--policy judges decisions that were made under the id of its own text';

/** How results are shown. */
interface Shown {
  readonly output: Output;
  readonly compared: Compared;
  readonly signal: AbortSignal;
  /**
   * The reason for selecting decisions under that policy, for the error if there are none; null if no policy is named.
   */
  readonly why: string | null;
}

export async function reportAll(
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
  // The error explains why no decision was replayed.
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
 * Replays one decision. If it cannot be replayed, the error is not a usage error. A replay of many decisions counts it instead.
 *
 * @throws {UsageError} if there is no decision with this id
 * @throws {Error} if it cannot be replayed, or was not made under the policy to try
 */
export async function replayOne(
  store: LogReader,
  decisionId: string,
  policy: Policy | null,
  judge: (decisionId: string) => Promise<Replay>,
  output: Output,
): Promise<number> {
  if ((await findRecorded(store, decisionId)) === null) throw noDecisionNamed();
  const outcome = await judge(decisionId).catch(whyNotJudged);
  if ('why' in outcome) throw new Error(outcome.detail);
  // The tried policy was not used, so equal outcomes would prove nothing about it.
  if (policy !== null && !policyIdsOf(outcome).includes(policy.id)) {
    throw new Error(`the decision was not made under ${policy.id}; ${OF_ITS_OWN_ID}`);
  }
  return showReplay(outcome, output);
}

function policyIdsOf({ replayed }: Replay): readonly unknown[] {
  return (replayed['policies'] as readonly JsonObject[]).map(({ id }) => id);
}

/** @throws {RefusedError} `not_found` */
export async function recordOf(store: LogReader, decisionId: string): Promise<RecordedDecision> {
  const found = await findRecorded(store, decisionId);
  if (found !== null) return found;
  throw noSuchDecision();
}
