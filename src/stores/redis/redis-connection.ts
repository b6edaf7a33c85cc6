import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnfitError } from '../../model/errors.js';
import { fileProblem } from '../../model/file-problem.js';
import type { Clock, Log } from '../../model/ports.js';
import { ToldFaults } from '../../model/told-faults.js';
import { type Asked, type Asking, locateServer } from './locate-server.js';
import { Reach } from './reach.js';
import { type CommandArgument, RedisReplyError, RedisSession } from './redis-session.js';
import { nameOfNode, type RedisNode, type RedisSettings } from './redis-settings.js';

/** A text in Lua, which the server runs as one step. */
export interface RedisScript {
  /** For the log. */
  readonly name: string;
  readonly text: string;
}

/** What a server says of itself, by name. */
export type ServerInfo = ReadonlyMap<string, string>;

/** What has to have happened with what a script wrote. */
export interface Durability {
  /** Replicas that have it in their append-only files too. */
  readonly replicas: number;
  readonly withinMs: number;
}

export interface RedisConnectionOptions {
  readonly settings: RedisSettings;
  /**
   * Looks at a server before anything else is sent to it: at the start, and whenever there is a new connection.
   * @throws {UnfitError} where it must not be used
   */
  readonly admit: (server: RedisSession, info: ServerInfo) => Promise<void>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
  /** How long a command may take. */
  readonly commandTimeoutMs?: number | undefined;
  /** How long a server that does not answer is waited for at the start. */
  readonly startLimitMs?: number | undefined;
}

/** How to get to a server, with what the files say now. */
interface Entry extends Asking {
  readonly open: (node: RedisNode) => Promise<RedisSession>;
}

const COMMAND_TIMEOUT_MS = 100;
const START_LIMIT_MS = 5000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [100, 2000];

/**
 * A replica that is asked before it has synced says what it had before, and by itself says more only once a second. So it is asked
 * again.
 */
const ASKED_AGAIN_MS = 20;

/** Answers of a server that is not, or not any more, the one to ask. */
const ASK_ANOTHER: ReadonlySet<string> = new Set(['MOVED', 'ASK', 'READONLY']);

/** Answers that waiting does not change. */
const LASTING: ReadonlySet<string> = new Set(['NOAUTH', 'NOPERM', 'WRONGPASS']);

const REFUSALS = { begun: 'store refuses a command', over: 'store takes the command again' };

/**
 * The server that several processes share, over one connection at a time. Where it is lost, the server is looked for
 * again, as it may be another one by now, and is looked at before it is used. Meanwhile every command fails at once:
 * nothing is queued, and nothing is sent twice.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #store: string;
  readonly #reach: Reach;
  readonly #refusals: ToldFaults;
  readonly #closing = new AbortController();
  #session: RedisSession | null = null;
  /** Never rejects. */
  #kept: Promise<void> = Promise.resolve();

  private constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.#store = options.settings.nodes.map(nameOfNode).join(', ');
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
    connection.#kept = connection.#keep(session);
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

  /** Looks for the server anew, since the one at hand is not what it was. */
  renew(reason: Error): void {
    this.#session?.end(reason);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#kept;
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
      else this.#refusals.begun(name, { store: this.#store, command: name }, { why: error.message });
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

  /** Asks the nodes in their order who the server is: one that was cut off from the others may name one of before. */
  async #connect(): Promise<RedisSession> {
    const entry = await this.#entry();
    const faults: string[] = [];
    for (const node of entry.settings.nodes) {
      try {
        return await this.#enter(await locateServer(node, entry), entry);
      } catch (error) {
        if (isLasting(error)) throw error;
        faults.push(messageOf(error));
      }
    }
    throw new Error([...new Set(faults)].join('; '));
  }

  async #entry(): Promise<Entry> {
    const { settings, commandTimeoutMs = COMMAND_TIMEOUT_MS } = this.#options;
    const { user, passwordFile } = settings;
    const password = passwordFile === null ? settings.password : await readPassword(passwordFile);
    const tls = settings.tls ? { ca: settings.ca === null ? undefined : await readText(settings.ca) } : null;
    const { signal } = this.#closing;
    return {
      settings,
      open: (node: RedisNode) => RedisSession.open(node, { tls, commandTimeoutMs, signal }),
      authenticate: async (session: Asked) => {
        if (password !== null) await authenticate(session, user, password);
      },
    };
  }

  async #enter(node: RedisNode, { settings, open, authenticate }: Entry): Promise<RedisSession> {
    const session = await open(node);
    try {
      await authenticate(session);
      if (settings.database !== 0) await session.call('select', settings.database);
      const info = await readInfo(session);
      requireFit(info, settings);
      await this.#options.admit(session, info);
      return session;
    } catch (error) {
      session.end(new Error('not used'));
      const message = `${nameOfNode(node)}: ${messageOf(error)}`;
      throw isLasting(error) ? new UnfitError(message) : new Error(message);
    }
  }
}

/** A server that has no password, or another one, is not the one that was meant. */
async function authenticate(session: Asked, user: string | null, password: string): Promise<void> {
  try {
    await session.call('auth', ...(user === null ? [] : [user]), password);
  } catch (error) {
    throw error instanceof RedisReplyError ? new UnfitError(`refuses the password: ${error.message}`) : error;
  }
}

/**
 * Resolves once everything that was written over the connection is in append-only files, synced.
 * @throws {Error} where fewer have it in time than have to
 */
export async function confirm(session: Pick<RedisSession, 'call'>, durability: Durability): Promise<void> {
  const { replicas, withinMs } = durability;
  const limit = performance.now() + withinMs;
  for (let left = withinMs; ; left = Math.ceil(limit - performance.now())) {
    const answer = await session.call('waitaof', 1, replicas, Math.max(1, Math.min(left, ASKED_AGAIN_MS)));
    const [own, others] = Array.isArray(answer) ? answer : [];
    if (own >= 1 && others >= replicas) return;
    if (performance.now() < limit) continue;
    if (own >= 1) throw new Error(`${others} of ${replicas} replicas confirm within ${withinMs} ms`);
    throw new Error(`is not synced within ${withinMs} ms: appendfsync has to be always`);
  }
}

async function readInfo(session: Asked): Promise<ServerInfo> {
  const lines = String(await session.call('info')).split('\r\n');
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

/** @throws {UnfitError} where the server is of a kind that must not be used; {Error} where that may pass */
function requireFit(info: ServerInfo, { mode }: RedisSettings): void {
  if (info.get('cluster_enabled') === '1' && mode !== 'cluster') {
    throw new UnfitError(`is a node of a Cluster, and the mode is ${mode}`);
  }
  const policy = info.get('maxmemory_policy');
  if (policy === undefined) throw new UnfitError('INFO does not tell its maxmemory-policy, as with a Sentinel');
  if (policy !== 'noeviction') {
    const why = 'has to be noeviction: a server that drops keys forgets what was used';
    throw new UnfitError(`maxmemory-policy is ${policy}, and ${why}`);
  }
  const role = info.get('role');
  if (role !== 'master') throw new Error(`is no primary, but a ${role}`);
}

/** A line feed at the end is the editor's, not the password's. */
async function readPassword(file: string): Promise<string> {
  return (await readText(file)).replace(/\r?\n$/, '');
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UnfitError(`${file}: ${fileProblem(error)}`);
  }
}

function isLasting(error: unknown): boolean {
  return error instanceof UnfitError || (error instanceof RedisReplyError && LASTING.has(error.code));
}

/** Longer from time to time, and not the same for all processes. */
function pauseAfter(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
