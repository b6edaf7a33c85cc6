import type { Decision, Outcome } from './decision.js';
import type { AskedRelease, ReleaseAttempt, ReleaseKind, ReleaseResult } from './key-release-record.js';
import type { Caller, VerifyRequest } from './request.js';

/**
 * The kinds of records in the decision log. `withdrawn`: a decision that was stored too late: its answer said `audit_unavailable`.
 * `unrecorded`: the number of decisions, none an allow, that could not be stored. `pruned`: records whose content is dropped.
 * `reloaded`: the result of a reload, with digests of the configuration and of the roots in use from then on.
 * `release-attempt`: stored before a key is requested. `release-result`: the result of that request.
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

/** Position of a record: one chain for each process that writes. */
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

/** The previous hash of the first record of a chain. */
export const NO_RECORD = '0'.repeat(64);

/** A record in a store. Digests are SHA-256 in lower-case hex. */
export interface LogRecord extends ChainEnd {
  /** Hash of the previous record; `NO_RECORD` for the first. */
  readonly previous: string;
  /** Digest of salt and content. */
  readonly contentSha256: string;
  /** 32 random bytes; null once content is dropped. */
  readonly salt: Uint8Array | null;
  /** JSON in canonical form (RFC 8785); null once dropped. */
  readonly content: string | null;
}

/** Index fields of a decision. Each member follows from the content of its record. */
export interface DecisionEntry {
  readonly decisionId: string;
  readonly tenant: string;
  readonly outcome: Outcome;
  /** Ids. */
  readonly policies: readonly string[];
  /** The members for lists, JSON. */
  readonly summary: string;
}

/** Index fields of a release record: the decision by which a key is released. */
export interface ReleaseEntry {
  readonly decisionId: string;
  readonly kind: ReleaseKind;
}

/** Bytes that a decision depends on. Stored once, even if many decisions reference them. */
export interface KeptObject {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** A record with its index fields. */
interface IndexedRecord extends LogRecord {
  /** For a decision. */
  readonly entry: DecisionEntry | null;
  /** Id of the decision that it withdraws. */
  readonly withdraws: string | null;
  /** For an attempt to release a key, or its result. */
  readonly release: ReleaseEntry | null;
}

/** A record to be stored. */
export interface NewRecord extends IndexedRecord {
  readonly salt: Uint8Array;
  readonly content: string;
  /** The inputs for a replay of the decision; empty if evidence is not kept. */
  readonly objects: readonly KeptObject[];
}

/** A record of another store. */
export interface ImportedRecord extends IndexedRecord {
  /** Digests of the decision's inputs, hex. The bytes may be missing. */
  readonly restsOn: readonly string[];
}

/** A reference from a decision to a kept object. */
export interface KeptLink {
  /** Position of the decision in its chain. */
  readonly seq: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Whether the bytes are stored. */
  readonly isKept: boolean;
}

/** A search for decisions, newest first. Null: all. */
export interface DecisionQuery {
  /** Null on the command line, which searches all tenants. */
  readonly tenant: string | null;
  readonly policy: string | null;
  readonly decision: Outcome | null;
  /** Decided at that time or later. */
  readonly since: Date | null;
  /** Id of a decision: the result has earlier ones. */
  readonly cursor: string | null;
  readonly limit: number;
}

/** A decision in a search result. */
export interface FoundDecision {
  readonly decisionId: string;
  /** JSON. */
  readonly summary: string;
  readonly withdrawn: boolean;
}

/** A decision whose content is dropped: the position of its record. */
export interface PrunedDecision extends RecordPosition {
  readonly decisionId: string;
  /** Position of its last release record; its own if there is none. */
  readonly through: number;
}

/** A decision with its record. */
export interface RecordedDecision {
  readonly record: LogRecord;
  readonly tenant: string;
  readonly withdrawn: boolean;
  /** Release records in its chain, according to the index, in their order. */
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
  /** For each chain in both stores, the first record that this store lacks or has in another form. With any, nothing is appended. */
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

/** Reads records. Every method rejects with `StoreUnavailableError` if the store is unreachable. */
export interface LogReader {
  /** Returns null if the chain does not exist. */
  last(chain: string): Promise<ChainEnd | null>;
  /** The last record of each chain. */
  chains(): Promise<readonly ChainEnd[]>;
  /** Records in the order of chain and position, after the given one. */
  records(after: RecordPosition | null, limit: number): Promise<readonly LogRecord[]>;
  /** Signed heads in a range of a chain, both ends included. */
  heads(chain: string, from: number, to: number): Promise<readonly SignedHead[]>;
  /** The index fields of decisions in a range of a chain, both ends included. */
  entries(chain: string, from: number, to: number): Promise<readonly StoredEntry[]>;
  /** The index fields of releases in a range of a chain, both ends included. */
  releaseEntries(chain: string, from: number, to: number): Promise<readonly StoredRelease[]>;
  /**
   * Counts entries without a decision or release in the log, heads of missing chains, links of missing decisions,
   * and kept objects without a link.
   */
  strays(): Promise<number>;
  list(query: DecisionQuery): Promise<readonly FoundDecision[]>;
  find(decisionId: string): Promise<RecordedDecision | null>;
  /** Returns the bytes with a digest (hex); null if they are not stored. */
  object(sha256: string): Promise<Uint8Array | null>;
  /**
   * Returns kept objects in the order of their digests, after the given one. At most `limit`, and no more once they make up some MiB.
   * Empty at the end.
   */
  objects(after: string | null, limit: number): Promise<readonly KeptObject[]>;
  /** The objects of decisions in a range of a chain, both ends included. */
  objectsOf(chain: string, from: number, to: number): Promise<readonly KeptLink[]>;
  /** Ids of decisions with an earlier date in the index, oldest first, after the given id. */
  prunable(before: Date, after: string | null, limit: number): Promise<readonly string[]>;
}

/** A store of records. Every method rejects with `StoreUnavailableError` if the store is unreachable. */
export interface LogStore extends LogReader {
  /** Whether the store is reachable, as far as that is known without a call. */
  readonly isReachable: boolean;
  /** Stores all or none, durably. Also rejects if the outcome is unknown. */
  append(records: readonly NewRecord[]): Promise<void>;
  putHead(head: SignedHead): Promise<void>;
  /**
   * Drops salt, content and index fields of decisions and of their releases. Keeps a decision that is not at its
   * position, or has a release record after `through`.
   *
   * @returns the number of decisions
   */
  prune(decisions: readonly PrunedDecision[]): Promise<number>;
  /**
   * Marks that content is dropped now, if the last mark is at least `everyMs` milliseconds old. Sets a mark that is missing, or in
   * the future, to now.
   *
   * @returns whether content may be dropped
   */
  claimPruning(now: Date, everyMs: number): Promise<boolean>;
}

/** A decision, and the request that it answers. */
export interface DecidedRequest {
  readonly decision: Decision;
  readonly request: VerifyRequest;
  readonly caller: Pick<Caller, 'principal' | 'tenant'>;
  /** The requested key release; absent: none. */
  readonly release?: AskedRelease;
  /** All inputs of the decision, if they are kept. */
  readonly inputs?: KeptInputs;
}

/** The inputs for a replay of a decision. */
export interface KeptInputs {
  /** The digest that identifies them, hex. */
  readonly sha256: string;
  readonly objects: readonly KeptObject[];
}

/** Records decisions. */
export interface DecisionRecorder {
  /**
   * Resolves once the decision is stored.
   * @throws {StoreUnavailableError} if it was not stored, or the outcome is unknown
   */
  record(judged: DecidedRequest): Promise<void>;
  /**
   * Resolves once a release attempt is stored durably. If it rejects, the key must not be requested: an attempt that was
   * stored all the same gets a result that states this.
   *
   * @throws {StoreUnavailableError}
   */
  releaseAttempt(attempt: ReleaseAttempt): Promise<void>;
  /**
   * Resolves once the result of an attempt is stored durably.
   * @throws {StoreUnavailableError} if it was not stored, or the outcome is unknown
   */
  releaseResult(result: ReleaseResult): Promise<void>;
  /** Records that a possibly stored decision was not answered, once that can be stored. Never rejects. */
  withdraw(decisionId: string, because: string): Promise<void>;
  /** Notes that a decision was answered with `audit_unavailable` before it was stored: its record may be dropped. */
  answeredUnrecorded(decisionId: string): void;
  /** Counts an answer without a record, which is never an allow. */
  leavesUnrecorded(outcome: Outcome): void;
}

/** A store does not answer, or its answer is unreliable. The message is for the log. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}
