import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, UnfitError } from '../../core/errors.js';
import type { Clock, Log } from '../../core/ports.js';
import { lookAtServer } from './look-at-server.js';
import { Reach } from './reach.js';
import { PostgresSession, type Session } from './session.js';
import { Sessions } from './sessions.js';
import { addressOf, clientConfig, type PostgresSettings } from './settings.js';

export interface OpenPostgresOptions {
  readonly settings: PostgresSettings;
  /** Number of all connections: one writes the log, two read, the rest serve challenges. */
  readonly connections: number;
  /**
   * Checks a new connection after the server was checked.
   * @throws {UnfitError} if the database must not be used
   */
  readonly admit: (session: Session) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the start waits for a server that does not answer. */
  readonly startLimitMs?: number | undefined;
}

const WRITERS = 1;
const READERS = 2;
const CONNECT_TIMEOUT_MS = 5000;
const START_LIMIT_MS = 5000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [100, 2000];

/** Error codes of the server that waiting does not change: login refused, no such database, no privilege. */
const LASTING: ReadonlySet<unknown> = new Set(['28000', '28P01', '3D000', '42501']);
/** What TLS says of a certificate that it refuses, such as CERT_HAS_EXPIRED and UNABLE_TO_VERIFY_LEAF_SIGNATURE. */
const REFUSED_CERTIFICATE = /CERT|SIGNATURE/;

/** A PostgreSQL server, over connections of three kinds that do not wait for each other. */
export class PostgresServer {
  /** Appends to the log, one at a time. */
  readonly writer: Sessions;
  readonly reads: Sessions;
  /** Serves challenges and other statements that a request waits for. */
  readonly challenges: Sessions;
  readonly #options: OpenPostgresOptions;
  readonly #reach: Reach;
  readonly #closing = new AbortController();
  #isReachable = true;
  #losses = 0;
  #clockOffsetMs = 0;
  #looking: Promise<void> | null = null;

  private constructor(options: OpenPostgresOptions) {
    this.#options = options;
    this.#reach = new Reach(addressOf(options.settings), options.clock, options.log);
    const connect = () => this.#connectNoting();
    this.writer = new Sessions(connect, WRITERS);
    this.reads = new Sessions(connect, READERS);
    this.challenges = new Sessions(connect, options.connections - WRITERS - READERS);
  }

  /**
   * @throws {UnfitError} if the server must not be used, or refuses the login
   * @throws {Error} if the server does not answer
   */
  static async open(options: OpenPostgresOptions): Promise<PostgresServer> {
    const server = new PostgresServer(options);
    const { clock, startLimitMs = START_LIMIT_MS } = options;
    const limit = clock.monotonicMs() + startLimitMs;
    for (let failures = 0; ; failures++) {
      try {
        const session = await server.#connect();
        session.destroy();
        return server;
      } catch (error) {
        if (error instanceof UnfitError || clock.monotonicMs() >= limit) throw error;
      }
      await sleep(pauseAfter(failures));
    }
  }

  /** Whether the last connection attempt succeeded. The timeout of the next statement detects a server that hangs. */
  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** How often the connection was lost since this process opened it. */
  get losses(): number {
    return this.#losses;
  }

  /** How far the clock of the server is ahead of the clock of this process, at the last measurement. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /** Measures the clock of the server. @throws {Error} if the server does not answer */
  async measureClock(): Promise<number> {
    return this.reads.use({ timeoutMs: CONNECT_TIMEOUT_MS }, async (session) => {
      this.#noteTime(await lookAtServer(session));
      return this.#clockOffsetMs;
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const sessions of [this.writer, this.reads, this.challenges]) sessions.close();
    await this.#looking;
  }

  async #connectNoting(): Promise<PostgresSession> {
    try {
      const session = await this.#connect();
      this.#answered();
      return session;
    } catch (error) {
      this.#lost(error);
      throw error;
    }
  }

  async #connect(): Promise<PostgresSession> {
    const { settings, admit } = this.#options;
    const where = addressOf(settings);
    try {
      const config = await clientConfig(settings, CONNECT_TIMEOUT_MS);
      const session = await PostgresSession.open(config, (error) => this.#lost(error));
      // Without a limit, the start would wait for a hanging server forever.
      const timer = setTimeout(() => session.destroy(), CONNECT_TIMEOUT_MS);
      try {
        this.#noteTime(await lookAtServer(session));
        await admit(session);
        return session;
      } catch (error) {
        session.destroy();
        throw error;
      } finally {
        clearTimeout(timer);
      }
    } catch (cause) {
      const message = `${where}: ${messageOf(cause)}`;
      throw isLasting(cause) ? new UnfitError(message, { cause }) : new Error(message, { cause });
    }
  }

  #noteTime(serverMs: number): void {
    this.#clockOffsetMs = serverMs - this.#options.clock.now().getTime();
  }

  #answered(): void {
    this.#isReachable = true;
    this.#reach.answered();
  }

  #lost(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    if (this.#isReachable) this.#losses += 1;
    this.#isReachable = false;
    this.#reach.failed(error, error instanceof UnfitError);
    this.#looking ??= this.#lookAgain().finally(() => {
      this.#looking = null;
    });
  }

  /** Checks the server again during an outage. A replica that is not ready gets no request that could detect the end. */
  async #lookAgain(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted && !this.#isReachable; failures++) {
      await sleep(pauseAfter(failures), undefined, { signal }).catch(() => undefined);
      if (signal.aborted || this.#isReachable) return;
      const session = await this.#connect().catch((error: unknown) =>
        this.#reach.failed(error, error instanceof UnfitError),
      );
      if (session === undefined) continue;
      session.destroy();
      this.#answered();
    }
  }
}

function isLasting(error: unknown): boolean {
  if (error instanceof UnfitError) return true;
  if (!(error instanceof Error && 'code' in error)) return false;
  return LASTING.has(error.code) || REFUSED_CERTIFICATE.test(String(error.code));
}

/** Returns a pause that grows with the failures and differs between processes. */
function pauseAfter(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
}
