import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Log } from '../../core/ports.js';
import { ToldFaults } from '../../core/told-faults.js';
import { confirm, type Durability } from './durability.js';
import { isLasting, type OpenServerOptions, openServer } from './open-server.js';
import { Reach, type ToldStore } from './reach.js';
import { type CommandArgument, RedisReplyError, type RedisSession } from './redis-session.js';
import { nameOfNode } from './redis-settings.js';

/** A text in Lua, which the server runs as one step. */
export interface RedisScript {
  /** For the log. */
  readonly name: string;
  readonly text: string;
}

/** `admit` looks at a server at the start, and whenever there is a new connection. */
export interface RedisConnectionOptions extends Pick<OpenServerOptions, 'settings' | 'admit'> {
  /** What it is of, for the log. */
  readonly of: ToldStore['of'];
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
  /** How long a command may take. */
  readonly commandTimeoutMs?: number | undefined;
  /** How long a server that does not answer is waited for at the start. */
  readonly startLimitMs?: number | undefined;
}

const COMMAND_TIMEOUT_MS = 100;
const START_LIMIT_MS = 5000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [100, 2000];

/** Answers of a server that is not, or not any more, the one to ask. */
const ASK_ANOTHER: ReadonlySet<string> = new Set(['MOVED', 'ASK', 'READONLY']);

const REFUSALS = { begun: 'store refuses a command', over: 'store takes the command again' };

/**
 * The server that several processes share, over one connection at a time. Where it is lost, the server is looked for
 * again, as it may be another one by now, and is looked at before it is used. Meanwhile every command fails at once:
 * nothing is queued, and nothing is sent twice.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #store: ToldStore;
  readonly #reach: Reach;
  readonly #refusals: ToldFaults;
  readonly #closing = new AbortController();
  #session: RedisSession | null = null;
  /** Ends once this is closed. Never rejects. */
  #keeping: Promise<void> = Promise.resolve();

  private constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#store = { store: options.settings.nodes.map(nameOfNode).join(', '), of: options.of };
    this.#reach = new Reach(this.#store, options.clock, options.log);
    this.#refusals = new ToldFaults(options.log, REFUSALS);
  }

  /**
   * @throws {UnfitError} where the server must not be used, or does not let this process in
   * @throws {Error} where it does not answer
   */
  static async open(options: RedisConnectionOptions): Promise<RedisConnection> {
    const connection = new RedisConnection(options);
    const session = await connection.#first();
    connection.#keeping = connection.#keep(session);
    return connection;
  }

  /**
   * Runs a script on keys of the hash tag. Where this throws, the script may have run, or may run later.
   *
   * @throws {RedisReplyError} where the server refuses
   * @throws {Error} where it is out of reach, or does not answer in time
   */
  async run(script: RedisScript, keys: readonly string[], args: readonly CommandArgument[]): Promise<unknown> {
    return this.#ask(script, (session) => session.call('eval', script.text, keys.length, ...keys, ...args));
  }

  /** As `run`, with bytes in the place of each text of the answer. */
  async runForBytes(script: RedisScript, keys: readonly string[], args: readonly CommandArgument[]): Promise<unknown> {
    return this.#ask(script, (session) => session.callForBytes('eval', script.text, keys.length, ...keys, ...args));
  }

  /**
   * As `run`, and resolves once what the script wrote is in the append-only file of the server, synced.
   * @throws {Error} also where that is not confirmed in time
   */
  async runDurably(
    script: RedisScript,
    keys: readonly string[],
    args: readonly CommandArgument[],
    durability: Durability,
  ): Promise<unknown> {
    return this.#ask(script, async (session) => {
      // Over the same connection: what is confirmed is what was written over it.
      const [ran, confirmed] = await Promise.allSettled([
        session.call('eval', script.text, keys.length, ...keys, ...args),
        confirm(session, durability),
      ]);
      if (ran.status === 'rejected') throw ran.reason;
      if (confirmed.status === 'rejected') throw confirmed.reason;
      return ran.value;
    });
  }

  /** Whether there is a connection to a server that was looked at. A server that hangs is noticed by what it is asked. */
  get isReachable(): boolean {
    return this.#session !== null && !this.#session.hasEnded;
  }

  /** Looks for the server anew, since the one at hand is not what it was. */
  renew(reason: Error): void {
    this.#session?.end(reason);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#keeping;
  }

  async #ask({ name }: RedisScript, ask: (session: RedisSession) => Promise<unknown>): Promise<unknown> {
    const session = this.#session;
    if (session === null || session.hasEnded) throw new Error('the store is out of reach');
    try {
      const result = await ask(session);
      this.#reach.answered();
      this.#refusals.over(name);
      return result;
    } catch (error) {
      this.#hear(error, session, name);
      throw error;
    }
  }

  #hear(error: unknown, session: RedisSession, name: string): void {
    if (error instanceof RedisReplyError) {
      if (ASK_ANOTHER.has(error.code)) session.end(error);
      else this.#refusals.begun(name, { ...this.#store, command: name }, { why: error.message });
    } else {
      this.#reach.failed(error, false);
    }
  }

  async #first(): Promise<RedisSession> {
    const { clock, startLimitMs = START_LIMIT_MS } = this.#options;
    const limit = clock.monotonicMs() + startLimitMs;
    for (let failures = 0; ; failures++) {
      try {
        return await this.#connect();
      } catch (error) {
        if (isLasting(error) || clock.monotonicMs() >= limit) throw error;
      }
      await sleep(pauseAfter(failures));
    }
  }

  async #keep(first: RedisSession): Promise<void> {
    for (let session: RedisSession | null = first; session !== null; session = await this.#next()) {
      this.#session = session;
      this.#reach.answered();
      const reason = await session.ended;
      this.#session = null;
      this.#lost(reason);
    }
  }

  /** Null once this is closed. */
  async #next(): Promise<RedisSession | null> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; failures++) {
      await sleep(pauseAfter(failures), undefined, { signal }).catch(() => undefined);
      try {
        return await this.#connect();
      } catch (error) {
        this.#lost(error);
      }
    }
    return null;
  }

  #lost(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#reach.failed(error, isLasting(error));
  }

  #connect(): Promise<RedisSession> {
    const { settings, admit, commandTimeoutMs = COMMAND_TIMEOUT_MS } = this.#options;
    return openServer({ settings, admit, commandTimeoutMs, signal: this.#closing.signal });
  }
}

/** Longer from time to time, and not the same for all processes. */
function pauseAfter(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
}
