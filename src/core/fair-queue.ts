/** Most concurrent turns, and most waiting requests. */
export interface TurnLimits {
  readonly concurrent: number;
  readonly queued: number;
}

/** A request that waits for a turn. */
export interface Queued {
  /** Principals in whose queues it waits; at least one. */
  readonly principals: ReadonlySet<string>;
}

/** The next request, and the principal that it counts for. */
export interface NextTurn<Q extends Queued> {
  readonly waiting: Q;
  readonly principal: string;
}

/** Principal of the service itself, and of requests without one. */
export const SERVICE = '';

/** Number of principals whose last turn is remembered. */
const REMEMBERED = 1000;

/**
 * A queue that is fair by principal. The next request is of the principal with the fewest running turns, then of the one
 * whose last turn is oldest. If there are several slots, only the service itself may use all of them. If too
 * many wait, the newest of the longest queue is rejected, so that a principal displaces only its own requests.
 */
export class FairQueue<Q extends Queued> {
  readonly #limits: TurnLimits;
  readonly #running = new Map<string, number>();
  /** Number of the last turn of each principal, the oldest first. */
  readonly #lastTurn = new Map<string, number>();
  /** In order of arrival. */
  #waiting: readonly Q[] = [];
  #total = 0;
  #turns = 0;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  get waiting(): readonly Q[] {
    return this.#waiting;
  }

  get running(): number {
    return this.#total;
  }

  add(waiting: Q): void {
    this.#waiting = [...this.#waiting, waiting];
  }

  remove(waiting: Q): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
  }

  /** Takes out the next request, which counts as running until `end`; null if none may begin. */
  next(): NextTurn<Q> | null {
    if (this.#total >= this.#limits.concurrent) return null;
    let best: NextTurn<Q> | null = null;
    for (const waiting of this.#waiting) {
      for (const principal of waiting.principals) {
        // Of one principal, the first request stays the best.
        if (this.mayRun(principal) && (best === null || this.#isBefore(principal, best.principal))) {
          best = { waiting, principal };
        }
      }
    }
    if (best !== null) this.#begin(best);
    return best;
  }

  end(principal: string): void {
    this.#total -= 1;
    const running = this.#runningOf(principal) - 1;
    if (running === 0) this.#running.delete(principal);
    else this.#running.set(principal, running);
  }

  /** Whether a turn of this principal may begin, if there is a slot. */
  mayRun(principal: string): boolean {
    const { concurrent } = this.#limits;
    return principal === SERVICE || concurrent === 1 || this.#runningOf(principal) < concurrent - 1;
  }

  /** Whether one more request of this principal may wait: the queue has room, or another principal's queue is longer. */
  hasRoomFor(principal: string): boolean {
    if (this.#waiting.length < this.#limits.queued) return true;
    const lines = this.#lines();
    const own = (lines.get(principal) ?? 0) + 1;
    return [...lines.values()].some((length) => length > own);
  }

  /** If too many wait, removes one. @param newcomer removed unless another queue is longer than its own */
  turnAway(newcomer: Q): Q | null {
    if (this.#waiting.length <= this.#limits.queued) return null;
    const lines = this.#lines();
    const [longest] = [...newcomer.principals, ...lines.keys()].reduce<readonly [string, number]>(
      (found, principal) => {
        const length = lines.get(principal) ?? 0;
        return length > found[1] ? [principal, length] : found;
      },
      [SERVICE, 0],
    );
    const away = this.#waiting.findLast(({ principals }) => principals.has(longest)) ?? newcomer;
    this.remove(away);
    return away;
  }

  #begin({ waiting, principal }: NextTurn<Q>): void {
    this.remove(waiting);
    this.#total += 1;
    this.#turns += 1;
    this.#running.set(principal, this.#runningOf(principal) + 1);
    this.#lastTurn.delete(principal);
    this.#lastTurn.set(principal, this.#turns);
    const [oldest] = this.#lastTurn.keys();
    if (this.#lastTurn.size > REMEMBERED && oldest !== undefined) this.#lastTurn.delete(oldest);
  }

  #isBefore(a: string, b: string): boolean {
    const byRunning = this.#runningOf(a) - this.#runningOf(b);
    if (byRunning !== 0) return byRunning < 0;
    return (this.#lastTurn.get(a) ?? 0) < (this.#lastTurn.get(b) ?? 0);
  }

  #runningOf(principal: string): number {
    return this.#running.get(principal) ?? 0;
  }

  /** Lengths of all queues. */
  #lines(): ReadonlyMap<string, number> {
    const lines = new Map<string, number>();
    for (const { principals } of this.#waiting) {
      for (const principal of principals) lines.set(principal, (lines.get(principal) ?? 0) + 1);
    }
    return lines;
  }
}
