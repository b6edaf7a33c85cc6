import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AppendedChains,
  type ChainEnd,
  type LogReader,
  type LogStore,
  type NewRecord,
  type PrunedDecision,
  type SignedHead,
  StoreUnavailableError,
} from '../../core/decision-log.js';
import { messageOf } from '../../core/errors.js';
import type { PostgresServer } from './connection.js';
import { append, settledEnd } from './log-appends.js';
import { appendChains } from './log-import.js';
import { isLocked } from './log-lock.js';
import { claimPruning, prune } from './log-pruning.js';
import { insertHeads } from './log-rows.js';
import { PostgresLogReader } from './postgres-log-reader.js';
import type { Session } from './session.js';

/** Connections of the decision log. */
type LogServer = Pick<PostgresServer, 'writer' | 'reads' | 'isReachable'>;

export interface LogTimeouts {
  /** Longest duration of an append, including the sync of the disk and of standbys. */
  readonly appendMs?: number | undefined;
}

const APPEND_MS = 1000;
const READ_MS = 5000;
const PRUNE_MS = 5000;
const PRUNE_PAUSE_MS = 100;

/** The longest timeout of Node.js: the operator ends the command instead. */
const NO_LIMIT_MS = 2 ** 31 - 1;

/** Stores the decision log in PostgreSQL. Several processes may write, each its own chain. */
export class PostgresLogStore extends PostgresLogReader implements LogStore {
  readonly #server: LogServer;
  readonly #appendMs: number;
  /** Chains whose last append may or may not have committed. */
  readonly #inDoubt = new Set<string>();

  constructor(server: LogServer, { appendMs = APPEND_MS }: LogTimeouts = {}) {
    super((work) => reachable(() => server.reads.use({ timeoutMs: READ_MS }, work)));
    this.#server = server;
    this.#appendMs = appendMs;
  }

  get isReachable(): boolean {
    return this.#server.isReachable;
  }

  async append(records: readonly NewRecord[]): Promise<void> {
    if (records.length === 0) return;
    try {
      await this.#write((session) => append(session, records));
    } catch (error) {
      for (const { chain } of records) this.#inDoubt.add(chain);
      throw error;
    }
  }

  /** Reads the last record. After a failed append the answer is final: no earlier append is stored later. */
  override async last(chain: string): Promise<ChainEnd | null> {
    if (!this.#inDoubt.has(chain)) return super.last(chain);
    const timeoutMs = this.#appendMs;
    const end = await reachable(() =>
      this.#server.writer.use({ timeoutMs }, (session) => settledEnd(session, chain, timeoutMs)),
    );
    this.#inDoubt.delete(chain);
    return end;
  }

  async putHead(head: SignedHead): Promise<void> {
    await this.#write((session) => insertHeads(session, [head]));
  }

  prune(decisions: readonly PrunedDecision[]): Promise<number> {
    return reachable(async () => {
      for (const limit = performance.now() + PRUNE_MS; ; ) {
        try {
          return await this.#transaction((session) => prune(session, decisions), PRUNE_MS);
        } catch (error) {
          if (!isLocked(error) || performance.now() >= limit) throw error;
        }
        await sleep(PRUNE_PAUSE_MS);
      }
    });
  }

  claimPruning(now: Date, everyMs: number): Promise<boolean> {
    return this.#write((session) => claimPruning(session, now, everyMs));
  }

  /**
   * Appends the chains of another store, all of them or none. Skips a chain that this store has with the same records.
   * @param staged is already verified, and does not change
   */
  appendChains(staged: LogReader): Promise<AppendedChains> {
    return this.#write((session) => appendChains(session, staged), NO_LIMIT_MS);
  }

  /**
   * Runs work on a snapshot of the log, unaffected by concurrent writes.
   * @throws {StoreUnavailableError}
   */
  async snapshot<T>(work: (log: LogReader) => Promise<T>): Promise<T> {
    let hasBegun = false;
    try {
      return await this.#server.reads.use({ timeoutMs: NO_LIMIT_MS }, async (session) => {
        await session.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0');
        hasBegun = true;
        const result = await work(new PostgresLogReader((read) => reachable(() => read(session))));
        await session.run('ROLLBACK');
        return result;
      });
    } catch (error) {
      // An error of the work is thrown unchanged.
      throw hasBegun ? error : unavailable(error);
    }
  }

  #write<T>(work: (session: Session) => Promise<T>, timeoutMs?: number): Promise<T> {
    return reachable(() => this.#transaction(work, timeoutMs));
  }

  #transaction<T>(work: (session: Session) => Promise<T>, timeoutMs = this.#appendMs): Promise<T> {
    return this.#server.writer.transaction({ timeoutMs }, work);
  }
}

async function reachable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError(messageOf(cause), { cause });
}
