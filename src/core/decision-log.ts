import type { Decision, Outcome } from './decision.js';
import type { AskedRelease, ReleaseAttempt, ReleaseKind, ReleaseResult } from './key-release-record.js';
import type { Caller, VerifyRequest } from './request.js';

/**
 * The kinds of records in the decision log. `withdrawn`: a decision that was stored too late, and whose answer never left.
 * `unrecorded`: how many decisions, none of them an allow, could not be stored. `pruned`: of what the content is dropped.
 * `reloaded`: what a reload took over, with digests of the configuration and of the roots that count from then on.
 * `release-attempt`: a key is about to be asked for, and nothing was handed out before. `release-result`: what came of it.
 */
export type RecordKind =
  | 'started'
  | 'decision'
  | 'withdrawn'
  | ReleaseKind
  | 'unrecorded'
  | 'keys'
  | 'policies'
  | 'policies_refused'
  | 'reloaded'
  | 'pruned'
  | 'stopped';

/** Place of a record: one chain for each process that writes. */
export interface RecordPosition {
  /** UUID of the chain. */
  readonly chain: string;
  /** From 0, without gaps. */
  readonly seq: number;
}

/** The last record of a chain, or a signed one. */
export interface ChainEnd extends RecordPosition {
  /** Record hash, hex. */
  readonly hash: string;
}

/** The hash of the record before the first one of a chain. */
export const NO_RECORD = '0'.repeat(64);

/** A record as a store has it. Digests are SHA-256 in lower-case hex. */
export interface LogRecord extends ChainEnd {
  /** Hash of the record before; `NO_RECORD` for the first. */
  readonly previous: string;
  /** Digest of salt and content. */
  readonly contentSha256: string;
  /** 32 random bytes; null once content is dropped. */
  readonly salt: Uint8Array | null;
  /** JSON in canonical form (RFC 8785); null once dropped. */
  readonly content: string | null;
}

/** By what a decision is found. Each member follows from the content of its record. */
export interface DecisionEntry {
  readonly decisionId: string;
  readonly tenant: string;
  readonly outcome: Outcome;
  /** Ids. */
  readonly policies: readonly string[];
  /** The members for lists, JSON. */
  readonly summary: string;
}

/** By what records of a release are found: the decision by which a key is released. */
export interface ReleaseEntry {
  readonly decisionId: string;
  readonly kind: ReleaseKind;
}

/** Bytes that a decision rested on. Stored once, whatever number of decisions name them. */
export interface KeptObject {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** A record, and what a store finds it by. */
interface IndexedRecord extends LogRecord {
  /** Of a decision. */
  readonly entry: DecisionEntry | null;
  /** Id of the decision that it withdraws. */
  readonly withdraws: string | null;
  /** Of an attempt to release a key, or of its result. */
  readonly release: ReleaseEntry | null;
}

/** A record to be stored. */
export interface NewRecord extends IndexedRecord {
  readonly salt: Uint8Array;
  readonly content: string;
  /** The inputs for a replay of the decision; empty if evidence is not kept. */
  readonly objects: readonly KeptObject[];
}

/** A record that another store had. */
export interface ImportedRecord extends IndexedRecord {
  /** Digests of what the decision rests on, hex. The bytes may be there, or not. */
  readonly restsOn: readonly string[];
}

/** That a decision rests on a kept object. */
export interface KeptLink {
  /** Place of the decision in its chain. */
  readonly seq: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Whether the bytes are there. */
  readonly isKept: boolean;
}

/** Decisions that are looked for, newest first. Null: all. */
export interface DecisionQuery {
  /** Null on the command line, which looks at those of all tenants. */
  readonly tenant: string | null;
  readonly policy: string | null;
  readonly decision: Outcome | null;
  /** Decided at that time or later. */
  readonly since: Date | null;
  /** Id of a decision: those before it. */
  readonly cursor: string | null;
  readonly limit: number;
}

/** A decision that was found. */
export interface FoundDecision {
  readonly decisionId: string;
  /** JSON. */
  readonly summary: string;
  readonly withdrawn: boolean;
}

/** A decision whose content is dropped: the place of its record. */
export interface PrunedDecision extends RecordPosition {
  readonly decisionId: string;
  /** Place of the last record of its release; its own where there is none. */
  readonly through: number;
}

/** A decision with its record. */
export interface RecordedDecision {
  readonly record: LogRecord;
  readonly tenant: string;
  readonly withdrawn: boolean;
  /** Records of its own chain that the index names as those of its release, in their order. */
  readonly releaseRecords: readonly LogRecord[];
}

/** Index fields of a decision. */
export interface StoredEntry extends DecisionEntry {
  readonly seq: number;
  readonly withdrawn: boolean;
}

/** Index fields of a release record. */
export interface StoredRelease extends ReleaseEntry {
  readonly seq: number;
}

/** A signed end of a chain. */
export interface SignedHead extends RecordPosition {
  /** JWS in compact form, typ `veritee-head+jwt`. */
  readonly jws: string;
}

/** The result of an append of the chains of another store. */
export interface AppendedChains {
  /** Of each chain that both stores have, the first record that this store lacks or has otherwise. Any conflict: nothing was appended. */
  readonly conflicts: readonly RecordPosition[];
  /** Records that were appended. */
  readonly records: number;
  /** Records of chains that were there already. */
  readonly known: number;
  /** Heads that were appended. */
  readonly heads: number;
  /** Kept objects that were added. */
  readonly objects: number;
}

/** Reads records. Every method rejects with `StoreUnavailableError` where the store is out of reach. */
export interface LogReader {
  /** Null where there is no such chain. */
  last(chain: string): Promise<ChainEnd | null>;
  /** The last record of each chain. */
  chains(): Promise<readonly ChainEnd[]>;
  /** Records in the order of chain and place, after that one. */
  records(after: RecordPosition | null, limit: number): Promise<readonly LogRecord[]>;
  /** Signed heads of records of a chain, both ends included. */
  heads(chain: string, from: number, to: number): Promise<readonly SignedHead[]>;
  /** The index fields of decisions, of records of a chain, both ends included. */
  entries(chain: string, from: number, to: number): Promise<readonly StoredEntry[]>;
  /** The index fields of releases, of records of a chain, both ends included. */
  releaseEntries(chain: string, from: number, to: number): Promise<readonly StoredRelease[]>;
  /**
   * How many entries there are of what is no decision and no release of the log, heads of chains that are not there, links of decisions that
   * are not there, and kept objects that no decision is linked to.
   */
  strays(): Promise<number>;
  list(query: DecisionQuery): Promise<readonly FoundDecision[]>;
  find(decisionId: string): Promise<RecordedDecision | null>;
  /** Bytes of that digest (hex); null where they are not kept. */
  object(sha256: string): Promise<Uint8Array | null>;
  /**
   * Kept objects in the order of their digests, after that one: at most so many, and no more once they make up some MiB. Empty
   * where there are no more.
   */
  objects(after: string | null, limit: number): Promise<readonly KeptObject[]>;
  /** The objects of decisions, of records of a chain, both ends included. */
  objectsOf(chain: string, from: number, to: number): Promise<readonly KeptLink[]>;
  /** Ids of decisions that the index dates before that time, oldest first, after that id. */
  prunable(before: Date, after: string | null, limit: number): Promise<readonly string[]>;
}

/** A store of records. Every method rejects with `StoreUnavailableError` where the store is out of reach. */
export interface LogStore extends LogReader {
  /** Whether it can be asked at all, as far as that is known without asking. */
  readonly isReachable: boolean;
  /** Stores all or none, durably. Rejects also where nobody knows which of both has happened. */
  append(records: readonly NewRecord[]): Promise<void>;
  putHead(head: SignedHead): Promise<void>;
  /**
   * Drops salt and content of decisions and of their releases, and what they are found by. Keeps a decision that is not at its
   * place, or that has a record of its release behind `through`.
   *
   * @returns how many decisions
   */
  prune(decisions: readonly PrunedDecision[]): Promise<number>;
  /**
   * Marks that content is dropped now, if the last mark is at least so many milliseconds old. Sets a mark that is missing, or in
   * the future, to now.
   *
   * @returns whether content may be dropped
   */
  claimPruning(now: Date, everyMs: number): Promise<boolean>;
}

/** A decision, and the request that it answers. */
export interface JudgedRequest {
  readonly decision: Decision;
  readonly request: VerifyRequest;
  readonly caller: Pick<Caller, 'principal' | 'tenant'>;
  /** The key to release by it; absent: none. */
  readonly release?: AskedRelease;
  /** All that the decision rested on, where that is kept. */
  readonly inputs?: KeptInputs;
}

/** The inputs for a replay of a decision. */
export interface KeptInputs {
  /** The digest under which it is found, hex. */
  readonly sha256: string;
  readonly objects: readonly KeptObject[];
}

/** Keeps what was decided. */
export interface DecisionRecorder {
  /**
   * Resolves once the decision is stored.
   * @throws {StoreUnavailableError} if it was not stored, or the outcome is unknown
   */
  record(judged: JudgedRequest): Promise<void>;
  /**
   * Resolves once it is stored durably that a key is about to be asked for. Where it rejects, nobody may be asked: what is stored
   * all the same gets a result that says so.
   *
   * @throws {StoreUnavailableError}
   */
  releaseAttempt(attempt: ReleaseAttempt): Promise<void>;
  /**
   * Resolves once it is stored durably what came of an attempt.
   * @throws {StoreUnavailableError} if it was not stored, or the outcome is unknown
   */
  releaseResult(result: ReleaseResult): Promise<void>;
  /** Says that nobody was told of a decision that is, or may be, stored: as soon as it can be stored. Never rejects. */
  withdraw(decisionId: string, because: string): Promise<void>;
  /** Says that the answer to a decision has left as `audit_unavailable` before it was stored: its record may be dropped. */
  answeredUnrecorded(decisionId: string): void;
  /** Counts a decision that leaves without a record: never an allow. */
  leavesUnrecorded(outcome: Outcome): void;
}

/** A store does not answer, or not in a way that can be relied on. The message is for the log. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}
