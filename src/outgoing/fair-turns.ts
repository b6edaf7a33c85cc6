import { LRUCache } from 'lru-cache';
import { FetchError, outOfTime, outOfTurn, requireTime } from './fetch-error.js';

/** How many run at a time, and how many wait for their turn. */
export interface TurnLimits {
  readonly concurrent: number;
  readonly queued: number;
}

/** Whose turn it is, and for what. */
export interface TurnOwner {
  /** Who asks: the name of a caller. */
  readonly principal: string;
  /** What is asked for: others who want it too can join by this. */
  readonly key: string;
}

/** Whoever names no principal: the service itself. */
const SERVICE = '';

/** Principals whose last turn is remembered. */
const REMEMBERED = 1000;

interface Waiting {
  readonly key: string | null;
  /** Those in whose lines it stands. */
  readonly principals: Set<string>;
  readonly start: (principal: string) => void;
  readonly refuse: (error: Error) => void;
}

/**
 * Lets attempts in, a few at a time, in an order that is fair by principal. Of those who wait, the next one is of the principal
 * with the fewest attempts under way, then of the one whose last turn is longest ago. One principal never has all places, if
 * there is more than one. Where too many wait, the newest of the longest line is turned away: so whoever asks for much
 * displaces its own, and nobody else's.
 */
export class Turns {
  readonly #limits: TurnLimits;
  readonly #what: string;
  readonly #running = new Map<string, number>();
  readonly #lastTurn = new LRUCache<string, number>({ max: REMEMBERED });
  /** In the order in which they came. */
  #waiting: Waiting[] = [];
  #turns = 0;

  /** @param what they are, for people */
  constructor(limits: TurnLimits, what = 'fetches') {
    this.#limits = limits;
    this.#what = what;
  }

  /**
   * @param signal ends the waiting; a fetch that has begun ends by its own signal
   * @throws {FetchError} `busy` where too many wait, `no_time` where the signal ends before its turn
   * @throws {unknown} what `fetch` throws
   */
  async take<T>(signal: AbortSignal, fetch: () => Promise<T>, owner?: TurnOwner): Promise<T> {
    requireTime(signal);
    return this.#enter(signal, (principal) => this.#run(principal, fetch), owner);
  }

  /** Stands in a line for what already waits under a key: whoever joins must not have to wait in the line of another. */
  join({ key, principal }: TurnOwner): void {
    this.#waiting.find((waiting) => waiting.key === key)?.principals.add(principal);
    this.#letIn();
  }

  #enter<T>(signal: AbortSignal, run: (principal: string) => Promise<T>, owner: TurnOwner | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = () => this.#leave(waiting, outOfTurn());
      const done = () => signal.removeEventListener('abort', leave);
      const waiting: Waiting = {
        key: owner?.key ?? null,
        principals: new Set([owner?.principal ?? SERVICE]),
        start: (principal) => {
          done();
          resolve(run(principal));
        },
        refuse: (error) => {
          done();
          reject(error);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
      this.#letIn();
      if (this.#waiting.length > this.#limits.queued) this.#turnAway(waiting);
    });
  }

  async #run<T>(principal: string, fetch: () => Promise<T>): Promise<T> {
    try {
      return await fetch();
    } catch (error) {
      // A timer that the fetch waits for rejects so, once its signal ends.
      throw error instanceof Error && error.name === 'AbortError' ? outOfTime() : error;
    } finally {
      this.#end(principal);
    }
  }

  #end(principal: string): void {
    const running = this.#runningOf(principal) - 1;
    if (running === 0) this.#running.delete(principal);
    else this.#running.set(principal, running);
    this.#letIn();
  }

  #leave(waiting: Waiting, error: Error): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    waiting.refuse(error);
  }

  #letIn(): void {
    for (let next = this.#next(); next !== null; next = this.#next()) {
      const { waiting, principal } = next;
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      this.#turns += 1;
      this.#lastTurn.set(principal, this.#turns);
      this.#running.set(principal, this.#runningOf(principal) + 1);
      waiting.start(principal);
    }
  }

  #next(): { readonly waiting: Waiting; readonly principal: string } | null {
    const total = [...this.#running.values()].reduce((sum, running) => sum + running, 0);
    if (total >= this.#limits.concurrent) return null;
    const candidates = this.#waiting.flatMap((waiting) =>
      [...waiting.principals]
        .filter((principal) => this.#mayRun(principal))
        .map((principal) => ({ waiting, principal })),
    );
    const [first, ...others] = candidates;
    if (first === undefined) return null;
    // Of one principal the one that came first stays the best.
    return others.reduce((best, other) => (this.#isBefore(other.principal, best.principal) ? other : best), first);
  }

  #mayRun(principal: string): boolean {
    const { concurrent } = this.#limits;
    return principal === SERVICE || concurrent === 1 || this.#runningOf(principal) < concurrent - 1;
  }

  #isBefore(a: string, b: string): boolean {
    const byRunning = this.#runningOf(a) - this.#runningOf(b);
    if (byRunning !== 0) return byRunning < 0;
    return (this.#lastTurn.get(a) ?? 0) < (this.#lastTurn.get(b) ?? 0);
  }

  #runningOf(principal: string): number {
    return this.#running.get(principal) ?? 0;
  }

  /** @param newcomer who goes itself, where no line is longer than its own */
  #turnAway(newcomer: Waiting): void {
    const lines = new Map<string, Waiting[]>();
    for (const waiting of this.#waiting) {
      for (const principal of waiting.principals) lines.set(principal, [...(lines.get(principal) ?? []), waiting]);
    }
    const own = [...lines.values()].filter((line) => line.includes(newcomer));
    const longest = [...own, ...lines.values()].reduce(
      (found, line) => (line.length > found.length ? line : found),
      [],
    );
    this.#leave(longest.at(-1) ?? newcomer, new FetchError('busy', `too many ${this.#what} at a time`));
  }
}
