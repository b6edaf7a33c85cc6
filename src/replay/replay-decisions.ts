import type { DecisionQuery, LogStore } from '../core/decision-log.js';
import { FormatError, RefusedError } from '../core/errors.js';
import { ChangedDecisionError } from '../core/recorded-decision.js';
import { MomentaryDecisionError, type Replay } from './replay-decision.js';

/**
 * Why a decision was not replayed. It depended on the moment, an input or its record is missing or was changed,
 * or its request is rejected today. For example, its policy no longer exists.
 */
export type NotReplayed = 'momentary' | 'not_kept' | 'refused';

/** One of several replayed decisions. */
export interface ReplayedDecision {
  readonly decisionId: string;
  /** The result of the replay, or the reason why there is none. */
  readonly outcome: Replay | { readonly why: NotReplayed; readonly detail: string };
}

/** Decisions in one read. */
const PAGE_LENGTH = 500;

/** Ids of all matching decisions, the oldest first. */
export async function decisionIdsOf(
  store: Pick<LogStore, 'list'>,
  query: Omit<DecisionQuery, 'cursor' | 'limit'>,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: readonly { readonly decisionId: string }[] = await store.list({ ...query, cursor, limit: PAGE_LENGTH });
    ids.push(...page.map(({ decisionId }) => decisionId));
    cursor = page.at(-1)?.decisionId ?? null;
    if (cursor === null) return ids.reverse();
  }
}

/** Concurrent replays: while one waits for the store or a signature, another continues. */
const AT_ONCE = 4;

/**
 * Replays decisions, and yields their results in order.
 * @param judge rejects for a decision that cannot be replayed. Any other error (`whyNotJudged`) ends the whole replay.
 */
export async function* replayEach(
  decisionIds: readonly string[],
  judge: (decisionId: string) => Promise<Replay>,
): AsyncGenerator<ReplayedDecision> {
  for (let first = 0; first < decisionIds.length; first += AT_ONCE) {
    const ids = decisionIds.slice(first, first + AT_ONCE);
    const outcomes = await Promise.all(ids.map((decisionId) => judge(decisionId).catch(whyNotJudged)));
    for (const [index, decisionId] of ids.entries()) {
      yield { decisionId, outcome: outcomes[index] as ReplayedDecision['outcome'] };
    }
  }
}

/**
 * Returns why a decision was not replayed.
 * @throws {unknown} the error, if it does not concern the decision
 */
export function whyNotJudged(error: unknown): { readonly why: NotReplayed; readonly detail: string } {
  if (error instanceof MomentaryDecisionError) return { why: 'momentary', detail: error.message };
  // The retention of a found decision may have ended meanwhile.
  if (error instanceof RefusedError && ['evidence_not_kept', 'not_found'].includes(error.code)) {
    return { why: 'not_kept', detail: error.message };
  }
  // The other decisions can still be replayed.
  if (error instanceof ChangedDecisionError) return { why: 'not_kept', detail: error.message };
  if (error instanceof FormatError) return { why: 'refused', detail: error.message };
  throw error;
}
