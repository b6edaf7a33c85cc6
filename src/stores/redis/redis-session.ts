import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import { nameOfNode, type RedisNode } from './redis-settings.js';

export interface SessionOptions {
  /** Null: without TLS. `ca`: authorities in PEM; undefined: those that Node knows. */
  readonly tls: { readonly ca: string | undefined } | null;
  /** How long each command may take. */
  readonly commandTimeoutMs: number;
  /** Ends the session, also while it is being opened. */
  readonly signal: AbortSignal;
}

export type CommandArgument = string | number | Uint8Array;

/** What a server answered instead of a result. */
export class RedisReplyError extends Error {
  override readonly name = 'RedisReplyError';
  /** The first word of the answer, such as `READONLY`. */
  readonly code: string;

  constructor(answer: string) {
    super(withoutArguments(answer));
    this.code = answer.split(' ', 1)[0] ?? '';
  }
}

const CONNECT_LIMIT_MS = 1000;

/** After so many times of what a command may take, a server that has said nothing at all is given up. */
const SILENCES = 10;

/** More than the longest answers that are asked for, which are lists of decisions. */
const MOST_RECEIVED = 64 * 1024 * 1024;

/** Longer answers are cut: what is told of a server is for people. */
const LONGEST_ANSWER = 300;

/**
 * One connection to one server. It is never made again: whoever holds it knows that all its commands went to the same
 * server, or to none. Nothing waits in it for a connection, and nothing is sent twice.
 *
 * Errors say what happened and never what was sent, which may be a password or a challenge.
 */
export class RedisSession {
  readonly node: RedisNode;
  /** Resolves once the connection is gone, with the reason. Never rejects. */
  readonly ended: Promise<Error>;
  readonly #client: Redis;
  readonly #timeoutMs: number;
  #reason: Error | null = null;
  #isEnded = false;
  /** Bytes since a command was last answered. */
  #received = 0;

  private constructor(node: RedisNode, { tls, commandTimeoutMs, signal }: SessionOptions) {
    this.node = node;
    this.#timeoutMs = commandTimeoutMs;
    this.#client = new Redis({
      host: node.host,
      port: node.port,
      ...(tls === null ? {} : { tls: tlsOptions(node, tls.ca) }),
      lazyConnect: true,
      connectTimeout: CONNECT_LIMIT_MS,
      socketTimeout: SILENCES * commandTimeoutMs,
      // One connection is one server: another is somebody else's to make, and to look at first.
      retryStrategy: () => null,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      // The library would only warn of what it asks by itself, and go on.
      enableReadyCheck: false,
      disableClientInfo: true,
      protocol: 2,
    });
    this.#client.on('error', (error: Error) => {
      this.#reason ??= plain(error);
    });
    const abort = () => this.end(new Error('closed by this process'));
    this.ended = new Promise((resolve) => {
      this.#client.once('end', () => {
        signal.removeEventListener('abort', abort);
        resolve(this.#reason ?? new Error('the server closed the connection'));
      });
    });
    signal.addEventListener('abort', abort);
  }

  /** @throws {Error} where the node cannot be reached in time */
  static async open(node: RedisNode, options: SessionOptions): Promise<RedisSession> {
    options.signal.throwIfAborted();
    const session = new RedisSession(node, options);
    try {
      await session.#client.connect();
    } catch (error) {
      throw new Error(`${nameOfNode(node)}: ${(session.#reason ?? plain(error)).message}`);
    }
    session.#boundAnswers();
    return session;
  }

  /** Whether nothing can be sent any more. */
  get hasEnded(): boolean {
    return this.#isEnded || this.#client.status !== 'ready';
  }

  /**
   * Sends one command, and returns what the server answers: text, numbers, null, and lists of them. A command that was
   * not answered in time may have been carried out, or be so later.
   *
   * @throws {RedisReplyError} where the server answers with an error
   * @throws {Error} where it does not answer in time, or the connection is gone
   */
  async call(command: string, ...args: readonly CommandArgument[]): Promise<unknown> {
    return this.#answered(this.#client.call(command, args.map(asSent)));
  }

  /** As `call`, with bytes in the place of each text: UTF-8 cannot have all of them. */
  async callForBytes(command: string, ...args: readonly CommandArgument[]): Promise<unknown> {
    return this.#answered(this.#client.callBuffer(command, args.map(asSent)));
  }

  async #answered(answer: Promise<unknown>): Promise<unknown> {
    try {
      const answered = await inTime(answer, this.#timeoutMs);
      this.#received = 0;
      return answered;
    } catch (error) {
      throw plain(error);
    }
  }

  /** A server that goes on and on would fill the memory of this process, whatever the time that a command may take. */
  #boundAnswers(): void {
    this.#client.stream?.on('data', (chunk: Buffer) => {
      this.#received += chunk.byteLength;
      if (this.#received > MOST_RECEIVED) this.end(new Error(`sent over ${MOST_RECEIVED} bytes without an answer`));
    });
  }

  /** Ends the connection at once. What was not answered fails. */
  end(reason: Error): void {
    this.#reason ??= reason;
    this.#isEnded = true;
    this.#client.disconnect();
    this.#client.stream?.destroy();
  }
}

function asSent(argument: CommandArgument): string | number | Buffer {
  return argument instanceof Uint8Array ? Buffer.from(argument.buffer, argument.byteOffset, argument.length) : argument;
}

/**
 * The outcome of `work`, or an error once the time is up. An answer that has come while this process was busy with
 * something else counts: it is read before the time is said to be up.
 */
function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${milliseconds} ms`));
    const timer = setTimeout(() => setImmediate(late), milliseconds);
    work.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}

/** A server behind others that share its address is known by its name. */
function tlsOptions({ host }: RedisNode, ca: string | undefined): { ca?: string; servername?: string } {
  return { ...(ca === undefined ? {} : { ca }), ...(isIP(host) === 0 ? { servername: host } : {}) };
}

/** An error without what was sent: those of the library carry the command, and that the password or the challenge. */
function plain(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('unknown fault');
  if (error.name === 'ReplyError') return new RedisReplyError(error.message);
  // Where each address of a name fails, the system has no message but a code.
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown fault';
  return new Error(error.message === '' ? code : withoutArguments(error.message));
}

/** Of a command that it does not know, a server repeats the arguments. */
function withoutArguments(text: string): string {
  return (text.split(/, with args|[\r\n]/, 1)[0] ?? '').slice(0, LONGEST_ANSWER);
}
