import type { ChainEnd } from './decision-log.js';

/** The problems of a decision log. */
type LogProblemCode =
  | 'record_changed'
  | 'record_missing'
  | 'record_order'
  | 'content_changed'
  | 'content_missing'
  | 'prune_contradicted'
  | 'chain_missing'
  | 'chain_unsigned'
  | 'head_unverified'
  | 'head_mismatch'
  | 'index_mismatch'
  | 'release_decision_missing'
  | 'release_not_allowed'
  | 'release_attempt_missing'
  | 'release_order'
  | 'release_repeated'
  | 'object_missing'
  | 'object_changed';

/** One problem, with its place. */
export interface LogProblem {
  readonly code: LogProblemCode;
  /** Null if it concerns no chain. */
  readonly chain: string | null;
  readonly seq: number | null;
  /** Id of the decision of the record; null if there is none, or it is unreadable. */
  readonly decisionId: string | null;
  /** One sentence as message: lower case, no period. */
  readonly detail: string;
}

/** The state of a chain. */
export interface ChainReport extends ChainEnd {
  /** Times of the first and the last record with content. */
  readonly from: string | null;
  readonly until: string | null;
  /** Whether the chain names no earlier one: it is the first, or earlier chains are gone. */
  readonly beginsLog: boolean;
  /** Records without content, of which only the hash is left. */
  readonly pruned: number;
  /** The last record with a signed head in the log; null if there is none. Later records could be rewritten. */
  readonly lastHead: number | null;
  /** The last record with a head that was kept elsewhere; null if there is none. Later records could be removed unnoticed. */
  readonly keptHead: number | null;
  /**
   * The last record that a signed head covers: a head of this chain, or of a chain whose signed records name the end of this
   * one; null if there is none.
   */
  readonly vouchedFor: number | null;
}

/** The last record of a chain with a signed head, in the log or kept elsewhere; -1 if there is none. */
export function signedUpTo({ lastHead, keptHead }: Pick<ChainReport, 'lastHead' | 'keptHead'>): number {
  return Math.max(lastHead ?? -1, keptHead ?? -1);
}

export interface LogReport {
  readonly problems: readonly LogProblem[];
  readonly chains: readonly ChainReport[];
  readonly records: number;
  readonly decisions: number;
  readonly heads: number;
  /** Kept objects. */
  readonly objects: number;
  /** Number of heads that were kept elsewhere. */
  readonly keptHeads: number;
  /** Thumbprints of signing keys of heads that only the log itself names. */
  readonly ownWord: readonly string[];
  /** Chains with records or kept objects of a later version of veritee. Their hashes and digests are verified. */
  readonly later: readonly string[];
}
