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

/** One thing that is wrong, and where. */
export interface LogProblem {
  readonly code: LogProblemCode;
  /** Null where it is about no chain. */
  readonly chain: string | null;
  readonly seq: number | null;
  /** Of the decision that the record is of; null where there is none, or it cannot be told. */
  readonly decisionId: string | null;
  /** One sentence for people. Lower case, no period. */
  readonly detail: string;
}

/** A chain as it was found. */
export interface ChainReport extends ChainEnd {
  /** Of the first and the last record that still has its content. */
  readonly from: string | null;
  readonly until: string | null;
  /** The chain names no earlier one: it is the first, or what was before is gone. */
  readonly beginsLog: boolean;
  /** Records of which only the hash is left. */
  readonly pruned: number;
  /** The last record that a signed head of the log is of; null where there is none. What follows could be written anew. */
  readonly lastHead: number | null;
  /** The last record that a head is of that somebody kept; null where there is none. What follows could be cut off unseen. */
  readonly keptHead: number | null;
  /**
   * The last record that a signed head vouches for: one of this chain, or of a chain whose signed records name the end of this
   * one; null where there is none.
   */
  readonly vouchedFor: number | null;
}

/** The last record of a chain that a signed head is of, in the log or kept elsewhere; -1 where there is none. */
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
  /** Of the heads that somebody kept. */
  readonly keptHeads: number;
  /** Thumbprints of keys that signed heads, and that nothing but the log itself names. */
  readonly ownWord: readonly string[];
  /** Chains with records, or kept objects, that a later version of veritee wrote. Their hashes and digests are verified. */
  readonly later: readonly string[];
}
