import { setTimeout as sleep } from 'node:timers/promises';
import type { SharedAnswer, SharedStore, TurnQuestion } from '../../model/shared-endorsements.js';
import { pauseWithin } from '../../outgoing/bounded-signal.js';
import { outOfTurn, requireTime } from '../../outgoing/fetch-error.js';

/** Something that waits for its turn. */
export interface TurnPlace {
  /** As it is now: who wants it may change while it waits. */
  readonly question: () => TurnQuestion;
  readonly signal: AbortSignal;
  /** A longer pause of the server is not waited for. */
  readonly patienceMs: number;
}

interface Waiting extends TurnPlace {
  readonly hear: (answer: SharedAnswer | null) => void;
}

/** Questions in one command: the store does nothing else meanwhile. */
const AT_ONCE = 128;
/** What comes meanwhile is asked together. */
const GATHER_MS = 25;
/** One answer that is late must not cost everything that waits its place. */
const ATTEMPTS = 2;

/**
 * Asks for the turns of all that this replica waits for, in one command for each server.
 *
 * If each of them asked by itself, the store would walk along all lines for each: with hundreds that wait, answers come so late that
 * turns pass unused.
 */
export class TurnPolls {
  readonly #store: Pick<SharedStore, 'askInTurn' | 'end'>;
  readonly #leaseMs: number;
  readonly #lanes = new Map<string, LanePolls>();

  constructor(store: Pick<SharedStore, 'askInTurn' | 'end'>, leaseMs: number) {
    this.#store = store;
    this.#leaseMs = leaseMs;
  }

  /**
   * Waits until there is something else to do than to wait.
   * @returns `wait` where the pause of the server is too long; null where the store is out of reach
   * @throws {FetchError} `no_time` where the signal ends first
   */
  ask(lane: string, place: TurnPlace): Promise<SharedAnswer | null> {
    const known = this.#lanes.get(lane);
    const polls = known ?? new LanePolls(this.#store, lane, this.#leaseMs);
    if (known === undefined) this.#lanes.set(lane, polls);
    return polls.ask(place);
  }
}

/** Of one server. */
class LanePolls {
  readonly #store: Pick<SharedStore, 'askInTurn' | 'end'>;
  readonly #lane: string;
  readonly #leaseMs: number;
  readonly #waiting = new Set<Waiting>();
  #isPolling = false;
  /** Ends the sleep between two commands. */
  #alarm = new AbortController();

  constructor(store: Pick<SharedStore, 'askInTurn' | 'end'>, lane: string, leaseMs: number) {
    this.#store = store;
    this.#lane = lane;
    this.#leaseMs = leaseMs;
  }

  async ask(place: TurnPlace): Promise<SharedAnswer | null> {
    requireTime(place.signal);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiting);
        this.#alarm.abort();
        reject(outOfTurn());
      };
      const waiting: Waiting = {
        ...place,
        hear: (answer) => {
          place.signal.removeEventListener('abort', leave);
          this.#waiting.delete(waiting);
          resolve(answer);
        },
      };
      place.signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(waiting);
      this.#alarm.abort();
      if (!this.#isPolling) void this.#poll();
    });
  }

  /** Never rejects. */
  async #poll(): Promise<void> {
    this.#isPolling = true;
    while (this.#waiting.size > 0) {
      this.#alarm = new AbortController();
      const ms = await this.#askForAll();
      const isWoken = await pauseWithin(ms, this.#alarm.signal).then(
        () => false,
        () => true,
      );
      if (isWoken && this.#waiting.size > 0) await sleep(GATHER_MS);
    }
    this.#isPolling = false;
  }

  /** @returns after how long it has to be asked again */
  async #askForAll(): Promise<number> {
    const all = [...this.#waiting];
    const times: number[] = [];
    for (let from = 0; from < all.length; from += AT_ONCE) {
      times.push(...(await this.#askFor(all.slice(from, from + AT_ONCE).filter((each) => this.#waiting.has(each)))));
    }
    return times.length === 0 ? 0 : Math.min(...times);
  }

  async #askFor(some: readonly Waiting[]): Promise<readonly number[]> {
    const answers = await this.#answersTo(some.map(({ question }) => question()));
    return some.flatMap((waiting, index) => this.#tell(waiting, answers?.[index] ?? null));
  }

  /** Null where the store is out of reach. */
  async #answersTo(questions: readonly TurnQuestion[]): Promise<readonly SharedAnswer[] | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      try {
        return await this.#store.askInTurn(this.#lane, this.#leaseMs, questions);
      } catch {
        // Its connection tells the log.
      }
    }
    return null;
  }

  /** @returns when to ask again, where it goes on waiting */
  #tell(waiting: Waiting, answer: SharedAnswer | null): readonly number[] {
    if (answer?.state === 'wait' && answer.pauseMs <= waiting.patienceMs) return [answer.ms];
    if (this.#waiting.has(waiting)) waiting.hear(answer);
    else if (answer?.state === 'lead') this.#giveBack(answer.lease);
    return [];
  }

  /** A turn that came when nobody waited any more. */
  #giveBack(lease: Parameters<SharedStore['end']>[0]): void {
    this.#store.end(lease, { entry: null, throttled: null }).catch(() => {});
  }
}
