import { FairQueue, SERVICE, type TurnLimits } from '../core/fair-queue.js';
import { FetchError, outOfTime, outOfTurn, requireTime } from './fetch-error.js';

/** A turn: principal and key. */
export interface TurnOwner {
  /** The principal: the name of a caller. */
  readonly principal: string;
  /** The key of the work. Other callers can join the same work by it. */
  readonly key: string;
}

type AnyOwner = { readonly [member in keyof TurnOwner]?: string | undefined };

interface Waiting {
  readonly key: string | undefined;
  readonly principals: Set<string>;
  readonly start: (principal: string) => void;
  readonly refuse: (error: Error) => void;
}

/** Admits attempts, a few at a time, in an order that is fair by principal. */
export class Turns {
  readonly #queue: FairQueue<Waiting>;
  readonly #what: string;

  /** @param what the attempts are, for messages */
  constructor(limits: TurnLimits, what = 'fetches') {
    this.#queue = new FairQueue(limits);
    this.#what = what;
  }

  /**
   * @param signal ends the waiting; a fetch that has begun ends by its own signal
   * @param owner its principal defaults to the service itself; without a key, `join` does not find it
   * @throws {FetchError} `busy` if too many wait, `no_time` if the signal ends before its turn
   * @throws {unknown} the error of `fetch`
   */
  async take<T>(signal: AbortSignal, fetch: () => Promise<T>, owner: AnyOwner = {}): Promise<T> {
    requireTime(signal);
    return this.#enter(signal, (principal) => this.#run(principal, fetch), owner);
  }

  /** Adds a principal to work that already waits under a key, so that it need not wait for the turn of another principal. */
  join({ key, principal }: TurnOwner): void {
    this.#queue.waiting.find((waiting) => waiting.key === key)?.principals.add(principal);
    this.#letIn();
  }

  #enter<T>(
    signal: AbortSignal,
    run: (principal: string) => Promise<T>,
    { key, principal = SERVICE }: AnyOwner,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#queue.remove(waiting);
        waiting.refuse(outOfTurn());
      };
      const done = () => signal.removeEventListener('abort', leave);
      const waiting: Waiting = {
        key,
        principals: new Set([principal]),
        start: (by) => {
          done();
          resolve(run(by));
        },
        refuse: (error) => {
          done();
          reject(error);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.add(waiting);
      this.#letIn();
      this.#queue.turnAway(waiting)?.refuse(new FetchError('busy', `too many ${this.#what} at a time`));
    });
  }

  async #run<T>(principal: string, fetch: () => Promise<T>): Promise<T> {
    try {
      return await fetch();
    } catch (error) {
      // A timer inside the fetch rejects with this error once its signal ends.
      throw error instanceof Error && error.name === 'AbortError' ? outOfTime() : error;
    } finally {
      this.#queue.end(principal);
      this.#letIn();
    }
  }

  #letIn(): void {
    for (let next = this.#queue.next(); next !== null; next = this.#queue.next()) next.waiting.start(next.principal);
  }
}
