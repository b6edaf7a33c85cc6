import type { DecisionQuery, LogStore } from '../core/decision-log.js';
import { FormatError, RefusedError } from '../core/errors.js';
import { ChangedDecisionError } from '../core/recorded-decision.js';
import { MomentaryDecisionError, type Replay } from './replay-decision.js';

/**
 * Why a decision was not judged again: it depended on the moment; something that it rested on, or its record, is not kept as it
 * was; or its request is refused today, as one is whose policy is not there any more.
 */
export type NotReplayed = 'momentary' | 'not_kept' | 'refused';

/** One of many decisions. */
export interface ReplayedDecision {
  readonly decisionId: string;
  /** The result of the replay, or the reason why there is none. */
  readonly outcome: Replay | { readonly why: NotReplayed; readonly detail: string };
}

/** Decisions that are asked for at once. */
const PAGE_LENGTH = 500;

/** Ids of all decisions that are looked for, the oldest first. */
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

/** Decisions that are judged at the same time: while one waits for the store or a signature, another goes on. */
const AT_ONCE = 4;

/**
 * Judges decisions again, and yields what came of each, in their order.
 * @param judge rejects for one that cannot be judged again. An error that is none of a decision (`whyNotJudged`) ends the whole.
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
 * Why a decision was not judged again.
 * @throws {unknown} the error, where it is none of a decision
 */
export function whyNotJudged(error: unknown): { readonly why: NotReplayed; readonly detail: string } {
  if (error instanceof MomentaryDecisionError) return { why: 'momentary', detail: error.message };
  // One that was found may be older by now than decisions are kept.
  if (error instanceof RefusedError && ['evidence_not_kept', 'not_found'].includes(error.code)) {
    return { why: 'not_kept', detail: error.message };
  }
  // The rest can be judged all the same.
  if (error instanceof ChangedDecisionError) return { why: 'not_kept', detail: error.message };
  if (error instanceof FormatError) return { why: 'refused', detail: error.message };
  throw error;
}
