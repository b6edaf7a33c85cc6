import type { ChallengeStore, ConsumedScope, ConsumeResult, NonceStanding } from '../model/challenge.js';
import type { Log } from '../model/ports.js';
import { type ChallengeCodec, challengeId } from './challenge-codec.js';

/** How long the challenge store is waited for. After that it counts as out of reach. */
export const CHALLENGE_STORE_TIMEOUT_MS = 100;

/** How a nonce is checked. */
export interface NonceUse {
  /** The verification time of the request. */
  readonly at: Date;
  /** Whether the challenge is used up. Not for historical requests, evaluations, replays and the command line. */
  readonly consume: boolean;
}

/** Tells challenges of this service from nonces of the caller's own, and uses them up. */
export class NonceRecogniser {
  readonly #codec: ChallengeCodec;
  readonly #store: ChallengeStore;
  readonly #log: Log;
  readonly #timeoutMs: number;

  constructor(codec: ChallengeCodec, store: ChallengeStore, log: Log, timeoutMs: number = CHALLENGE_STORE_TIMEOUT_MS) {
    this.#codec = codec;
    this.#store = store;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * To be asked once the request has passed the schema. A challenge that was consumed stays so, whatever becomes of the
   * request; also where the store answers too late to count.
   */
  async standing(nonce: Uint8Array | null, scope: ConsumedScope, use: NonceUse): Promise<NonceStanding> {
    if (nonce === null) return { origin: 'none' };
    const recognised = this.#codec.recognise(nonce);
    if (recognised === null) return { origin: 'caller' };
    // The challenge says by itself when it ends, so that this needs no store.
    if (use.at >= recognised.expiresAt) return { origin: 'challenge', state: 'expired' };
    if (!use.consume) return { origin: 'challenge', state: 'not_consumed' };
    return this.#consume(challengeId(nonce), scope);
  }

  async #consume(id: string, asked: ConsumedScope): Promise<NonceStanding> {
    const origin = 'challenge';
    let result: ConsumeResult;
    try {
      result = await withinTime(this.#store.consume(id, asked), this.#timeoutMs);
    } catch (error) {
      // There is no second store to fall back to: it could not know what the first one has used up.
      this.#log.warn({ err: error }, 'challenge store does not answer');
      return { origin, state: 'store_unavailable' };
    }
    const { purpose } = result;
    // Without a record the challenge cannot be known to be unused.
    const state = result.state === 'unknown' ? 'used' : result.state;
    return { origin, state, ...(purpose === undefined ? {} : { scopes: { purpose, asked } }) };
  }
}

/**
 * The outcome of `work`, or an error once the time is up. The work itself is not cancelled: its late effects still happen.
 * @throws {Error} also what `work` rejects with
 */
export async function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
