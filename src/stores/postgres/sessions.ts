import type { PostgresSession, Session } from './session.js';

export interface UseOptions {
  /** How long all of it may take, the wait for a connection included. */
  readonly timeoutMs: number;
  /** Aborted once nobody waits for it: what has not begun does not begin. */
  readonly givenUp?: AbortSignal | undefined;
}

interface Waiter {
  readonly admit: () => void;
}

/**
 * A few connections, each used by one piece of work at a time. After an error a connection is destroyed and never used again: nobody
 * knows what the server does on it.
 */
export class Sessions {
  readonly #connect: () => Promise<PostgresSession>;
  readonly #max: number;
  readonly #idle: PostgresSession[] = [];
  readonly #using = new Set<PostgresSession>();
  readonly #waiting: Waiter[] = [];
  /** Pieces of work that have a connection, or open one. */
  #busy = 0;
  #isClosed = false;

  constructor(connect: () => Promise<PostgresSession>, max: number) {
    this.#connect = connect;
    this.#max = max;
  }

  /**
   * Work on one connection. What it throws costs the connection, so what is no fault should be returned.
   * @throws {Error} also once its time is up; what was sent may still happen on the server
   */
  async use<T>(options: UseOptions, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#within(options, (session) => work(session));
  }

  /**
   * One transaction, durable once this resolves. Each statement ends on the server, too, when its client gives up: a backend that waits
   * for a lock does not notice that its client left.
   *
   * @throws {Error} nothing of it is stored, or nobody knows
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
      // Such as one that it no longer waits for a synchronous standby. The text may be in any language.
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
      // An answer that has come meanwhile is read first.
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
      // Opening it took longer than its asker waits. It is for the next one.
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
    // Whoever ends hands its turn over.
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
