import { randomBytes } from 'node:crypto';
import type {
  Lease,
  LeaseEnd,
  SharedAnswer,
  SharedQuestion,
  SharedStore,
  TurnQuestion,
} from '../../model/shared-endorsements.js';
import { ASK, ASK_IN_TURN, END, END_TURN, KEEP, WITHDRAW } from './endorsement-scripts.js';
import { HASH_TAG } from './locate-server.js';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js';
import type { CommandArgument } from './redis-session.js';
import { unexpectedAnswer } from './script-answer.js';

/** Bounds and times. The defaults are for production; tests shorten them. */
export interface SharingLimits {
  /** Entries, and bytes of all of them. */
  readonly entries: number;
  readonly bytes: number;
  /** Turns under way at once, and places in the lines of all principals. */
  readonly turns: number;
  readonly places: number;
  /** How long a place lasts for which nobody asks. */
  readonly placeMs: number;
  /** The longest that somebody in a line sleeps before it asks again. */
  readonly longestSleepMs: number;
  /** Pause between turns once a server has asked to be left alone: AMD lets through about one VCEK in ten seconds. */
  readonly spacingMs: number;
  /** How long it counts as one that does. */
  readonly spacedMs: number;
  /** The longest pause that a server gets. */
  readonly longestPauseMs: number;
}

export const DEFAULT_SHARING: SharingLimits = {
  entries: 20_000,
  bytes: 64 * 1024 * 1024,
  turns: 4,
  places: 256,
  placeMs: 5_000,
  longestSleepMs: 2_000,
  spacingMs: 10_000,
  spacedMs: 60 * 60_000,
  longestPauseMs: 60 * 60_000,
};

interface RedisEndorsementStoreOptions extends Omit<RedisConnectionOptions, 'admit' | 'of'> {
  readonly limits?: Partial<SharingLimits> | undefined;
}

/** Whoever waits for the fetch of another looks so often; whoever stands in a line, by its place. */
const [SHORTEST_SLEEP_MS, SLEEP_BY_PLACE_MS] = [25, 20];

const shared = (part: string) => `${HASH_TAG}:endorsements:${part}`;
const [ENTRIES, ENDS, LENGTHS, LEASES, STATE] = ['entries', 'ends', 'lengths', 'leases', 'state'].map(shared) as [
  string,
  string,
  string,
  string,
  string,
];

/** Of one lane. */
function laneKeys(lane: string) {
  const of = (part: string) => `${HASH_TAG}:turns:${lane}:${part}`;
  return {
    places: of('places'),
    alive: of('alive'),
    turns: of('turns'),
    last: of('last'),
    pause: of('pause'),
    throttled: of('throttled'),
    state: of('state'),
    askers: of('askers'),
  };
}

/**
 * What replicas share of their endorsements, in Redis or Valkey. Each step is a script, which the server runs as one. It has a
 * connection of its own: a challenge must not wait for a CRL.
 *
 * Which server it is does not matter, as it does for challenges: what it has is opened and verified by whoever reads it, and what it
 * lost is fetched again.
 */
export class RedisEndorsementStore implements SharedStore {
  readonly #connection: RedisConnection;
  readonly #limits: SharingLimits;
  /** Tells this replica from others that wait for the same. */
  readonly #asker = randomBytes(8).toString('hex');

  private constructor(connection: RedisConnection, limits: SharingLimits) {
    this.#connection = connection;
    this.#limits = limits;
  }

  /**
   * @throws {UnfitError} where the server must not be used
   * @throws {Error} where it does not answer
   */
  static async open({ limits, ...options }: RedisEndorsementStoreOptions): Promise<RedisEndorsementStore> {
    // Nothing beyond what every server is looked at for: that of the challenges looks at the key.
    const connection = await RedisConnection.open({ ...options, of: 'endorsements', admit: async () => {} });
    return new RedisEndorsementStore(connection, { ...DEFAULT_SHARING, ...limits });
  }

  get isReachable(): boolean {
    return this.#connection.isReachable;
  }

  async ask({ id, leaseMs, ...rest }: SharedQuestion): Promise<SharedAnswer> {
    const args = [id, leaseMs, ...unwantedOf(rest)];
    const reply = await this.#connection.runForBytes(ASK, [ENTRIES, ENDS, LEASES], args);
    return this.#answer(reply, { id, lane: null });
  }

  async askInTurn(lane: string, leaseMs: number, questions: readonly TurnQuestion[]): Promise<readonly SharedAnswer[]> {
    const { turns, places, placeMs, longestPauseMs } = this.#limits;
    const of = laneKeys(lane);
    const keys = [ENTRIES, ENDS, of.places, of.alive, of.turns, of.last, of.pause, of.throttled, of.state, of.askers];
    const asked = questions.flatMap(({ id, principals, ...rest }) => [
      id,
      ...unwantedOf(rest),
      principals.length,
      ...principals,
    ]);
    const args = [leaseMs, turns, places, placeMs, longestPauseMs, this.#asker, ...asked];
    const replies = await this.#connection.runForBytes(ASK_IN_TURN, keys, args);
    if (!Array.isArray(replies) || replies.length !== questions.length) throw unexpectedAnswer(null);
    return questions.map(({ id }, index) => this.#answer(replies[index], { id, lane }));
  }

  async end({ id, lane, token }: Lease, { entry, throttled }: LeaseEnd): Promise<void> {
    // The entry first: whoever waits finds it as soon as nobody is fetching any more.
    const kept = entry === null ? null : this.#keep(id, entry);
    const { spacingMs, spacedMs, longestPauseMs } = this.#limits;
    if (lane === null) {
      await Promise.all([kept, this.#connection.run(END, [LEASES], [id, token])]);
      return;
    }
    const of = laneKeys(lane);
    const asked = throttled === null ? 0 : Math.max(1, Math.ceil(throttled.retryAfterMs ?? spacingMs));
    const args = [id, token, Math.min(asked, longestPauseMs), spacingMs, spacedMs];
    await Promise.all([kept, this.#connection.run(END_TURN, [of.turns, of.pause, of.throttled], args)]);
  }

  async withdraw(lane: string, { id, principals }: Pick<TurnQuestion, 'id' | 'principals'>): Promise<void> {
    const of = laneKeys(lane);
    const places = principals.map((principal) => `${principal} ${id}`);
    await this.#connection.run(WITHDRAW, [of.places, of.alive, of.askers], [this.#asker, ...places]);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #keep(id: string, { bytes, lifetimeMs }: NonNullable<LeaseEnd['entry']>): Promise<void> {
    const { entries, bytes: mostBytes } = this.#limits;
    const args = [id, bytes, Math.max(1, Math.floor(lifetimeMs)), entries, mostBytes];
    await this.#connection.run(KEEP, [ENTRIES, ENDS, LENGTHS, STATE], args);
  }

  #answer(reply: unknown, lease: Omit<Lease, 'token'>): SharedAnswer {
    const [state, ...said]: readonly unknown[] = Array.isArray(reply) ? reply : [];
    const [first, second] = said;
    switch (textOf(state)) {
      case 'entry':
        if (first instanceof Uint8Array) return { state: 'entry', bytes: new Uint8Array(first) };
        break;
      case 'lead':
        return { state: 'lead', lease: { ...lease, token: textOf(first) } };
      case 'wait':
        return this.#waiting(numberOf(first), numberOf(second));
      case 'busy':
        return { state: 'busy' };
    }
    throw unexpectedAnswer(null);
  }

  #waiting(pauseMs: number, ahead: number): SharedAnswer {
    const ms = pauseMs + SHORTEST_SLEEP_MS + ahead * SLEEP_BY_PLACE_MS;
    return { state: 'wait', ms: Math.min(ms, this.#limits.longestSleepMs), pauseMs };
  }
}

function unwantedOf({ unwanted }: Pick<SharedQuestion, 'unwanted'>): readonly CommandArgument[] {
  if (unwanted === null) return ['none', ''];
  return unwanted === 'any' ? ['any', ''] : ['one', unwanted];
}

function textOf(reply: unknown): string {
  return reply instanceof Uint8Array ? Buffer.from(reply).toString('latin1') : '';
}

/** Nothing that a server says makes anybody sleep for long. */
function numberOf(reply: unknown): number {
  const number = Number(textOf(reply));
  return Number.isFinite(number) && number > 0 ? number : 0;
}
