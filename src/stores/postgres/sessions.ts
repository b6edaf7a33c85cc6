import type { PostgresSession, Session } from './session.js';

export interface UseOptions {
  /** Longest duration of all the work, including the wait for a connection. */
  readonly timeoutMs: number;
  /** Aborted once the caller stops waiting: work that has not begun is skipped. */
  readonly givenUp?: AbortSignal | undefined;
}

interface Waiter {
  readonly admit: () => void;
}

/**
 * A few connections, each used by one piece of work at a time. After an error, a connection is destroyed and never used again: the
 * state of the server on it is unknown.
 */
export class Sessions {
  readonly #connect: () => Promise<PostgresSession>;
  readonly #max: number;
  readonly #idle: PostgresSession[] = [];
  readonly #using = new Set<PostgresSession>();
  readonly #waiting: Waiter[] = [];
  /** Number of tasks that have a connection, or open one. */
  #busy = 0;
  #isClosed = false;

  constructor(connect: () => Promise<PostgresSession>, max: number) {
    this.#connect = connect;
    this.#max = max;
  }

  /**
   * Runs work on one connection. An exception of the work closes the connection, so expected failures should be returned.
   * @throws {Error} also after the timeout; the server may still execute statements that were sent
   */
  async use<T>(options: UseOptions, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#within(options, (session) => work(session));
  }

  /**
   * Runs one transaction, durable once this resolves. The server also ends each statement at the timeout: a backend that waits for a
   * lock does not notice that its client left.
   *
   * @throws {Error} if nothing is stored, or the outcome is unknown
   */
  async transaction<T>(options: UseOptions, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#within(options, async (session) => {
      await session.run(
        `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on;
         SET LOCAL statement_timeout = ${options.timeoutMs}`,
      );
      const result = await work(session);
      session.takeNotices();
      await session.run('COMMIT');
      // For example, the server no longer waits for a synchronous standby. The text may be in any language.
      const [notice] = session.takeNotices();
      if (notice !== undefined) throw new Error(`the server said at COMMIT: ${notice}`);
      return result;
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const session of [...this.#idle.splice(0), ...this.#using]) session.destroy();
    for (const { admit } of this.#waiting.splice(0)) admit();
  }

  async #within<T>(options: UseOptions, work: (session: PostgresSession) => Promise<T>): Promise<T> {
    const deadline = new AbortController();
    const late = new Promise<never>((_, reject) => {
      deadline.signal.addEventListener('abort', () => reject(deadline.signal.reason), { once: true });
    });
    const timer = setTimeout(() => {
      // Reads an answer that has arrived meanwhile first.
      setImmediate(() => deadline.abort(new Error(`no answer within ${options.timeoutMs} ms`)));
    }, options.timeoutMs);
    const done = this.#run(deadline.signal, options.givenUp, work);
    done.catch(() => undefined);
    try {
      return await Promise.race([done, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #run<T>(
    deadline: AbortSignal,
    givenUp: AbortSignal | undefined,
    work: (session: PostgresSession) => Promise<T>,
  ): Promise<T> {
    await this.#turn(deadline);
    try {
      return await this.#withSession(deadline, givenUp, work);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy -= 1;
      else next.admit();
    }
  }

  async #withSession<T>(
    deadline: AbortSignal,
    givenUp: AbortSignal | undefined,
    work: (session: PostgresSession) => Promise<T>,
  ): Promise<T> {
    this.#requireWanted(deadline, givenUp);
    const session = this.#takeIdle() ?? (await this.#opened(deadline, givenUp));
    const destroy = () => session.destroy();
    this.#using.add(session);
    deadline.addEventListener('abort', destroy, { once: true });
    try {
      const result = await work(session);
      this.#keep(session);
      return result;
    } catch (error) {
      destroy();
      throw error;
    } finally {
      deadline.removeEventListener('abort', destroy);
      this.#using.delete(session);
    }
  }

  async #opened(deadline: AbortSignal, givenUp: AbortSignal | undefined): Promise<PostgresSession> {
    const session = await this.#connect();
    try {
      this.#requireWanted(deadline, givenUp);
      return session;
    } catch (error) {
      // The connection took longer to open than its caller waits. The next caller gets it.
      this.#keep(session);
      throw error;
    }
  }

  #keep(session: PostgresSession): void {
    if (this.#isClosed) session.destroy();
    else if (!session.hasEnded) this.#idle.push(session);
  }

  /** Resolves when a connection may be used. */
  async #turn(deadline: AbortSignal): Promise<void> {
    if (this.#busy < this.#max) {
      this.#busy += 1;
      return;
    }
    // A finished task passes its slot to the next one.
    await new Promise<void>((resolve, reject) => {
      const waiter = { admit: resolve };
      this.#waiting.push(waiter);
      const leave = () => {
        const place = this.#waiting.indexOf(waiter);
        if (place < 0) return;
        this.#waiting.splice(place, 1);
        reject(deadline.reason);
      };
      deadline.addEventListener('abort', leave, { once: true });
    });
  }

  #takeIdle(): PostgresSession | undefined {
    for (let session = this.#idle.pop(); session !== undefined; session = this.#idle.pop()) {
      if (!session.hasEnded) return session;
    }
    return undefined;
  }

  #requireWanted(deadline: AbortSignal, givenUp: AbortSignal | undefined): void {
    if (this.#isClosed) throw new Error('the store is closed');
    deadline.throwIfAborted();
    if (givenUp?.aborted) throw new Error('the caller gave up before the operation started');
  }
}
