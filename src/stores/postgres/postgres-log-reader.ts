import type {
  ChainEnd,
  DecisionQuery,
  FoundDecision,
  KeptLink,
  KeptObject,
  LogReader,
  LogRecord,
  RecordedDecision,
  RecordPosition,
  SignedHead,
  StoredEntry,
  StoredRelease,
} from '../../core/decision-log.js';
import * as reads from './log-reads.js';
import type { Session } from './session.js';

/** Runs work on a connection. @throws {StoreUnavailableError} */
export type Ask = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

/** Reads the decision log. */
export class PostgresLogReader implements LogReader {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  last(chain: string): Promise<ChainEnd | null> {
    return this.#ask((session) => reads.last(session, chain));
  }

  chains(): Promise<readonly ChainEnd[]> {
    return this.#ask(reads.chains);
  }

  records(after: RecordPosition | null, limit: number): Promise<readonly LogRecord[]> {
    return this.#ask((session) => reads.records(session, after, limit));
  }

  heads(chain: string, from: number, to: number): Promise<readonly SignedHead[]> {
    return this.#ask((session) => reads.heads(session, chain, from, to));
  }

  entries(chain: string, from: number, to: number): Promise<readonly StoredEntry[]> {
    return this.#ask((session) => reads.entries(session, chain, from, to));
  }

  releaseEntries(chain: string, from: number, to: number): Promise<readonly StoredRelease[]> {
    return this.#ask((session) => reads.releaseEntries(session, chain, from, to));
  }

  strays(): Promise<number> {
    return this.#ask(reads.strays);
  }

  list(query: DecisionQuery): Promise<readonly FoundDecision[]> {
    return this.#ask((session) => reads.list(session, query));
  }

  find(decisionId: string): Promise<RecordedDecision | null> {
    return this.#ask((session) => reads.find(session, decisionId));
  }

  object(sha256: string): Promise<Uint8Array | null> {
    return this.#ask((session) => reads.object(session, sha256));
  }

  objects(after: string | null, limit: number): Promise<readonly KeptObject[]> {
    return this.#ask((session) => reads.objects(session, after, limit));
  }

  objectsOf(chain: string, from: number, to: number): Promise<readonly KeptLink[]> {
    return this.#ask((session) => reads.objectsOf(session, chain, from, to));
  }

  prunable(before: Date, after: string | null, limit: number): Promise<readonly string[]> {
    return this.#ask((session) => reads.prunable(session, before, after, limit));
  }
}
