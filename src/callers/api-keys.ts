import { createHash, timingSafeEqual } from 'node:crypto';
import { type CredentialClock, requireReliable } from '../core/clock-doubt.js';
import type { Log } from '../core/ports.js';
import type { Caller } from '../core/request.js';

/** A key that identifies a caller. */
export interface ApiKey {
  /** SHA-256 of the key, hex. The key itself is not stored. */
  readonly apiKeySha256: string;
  /** Time from which the key is no longer valid. */
  readonly expires: Date;
}

export interface ApiKeyCaller {
  readonly caller: Caller;
  /** Valid keys of the caller: a key and its successor, each until it expires. */
  readonly keys: readonly ApiKey[];
}

const SHA256_HEX = /^[0-9a-f]{64}$/i;

/** Callers with API keys. */
export class ApiKeyCallers {
  readonly #keys: readonly { readonly digest: Buffer; readonly expires: Date; readonly caller: Caller }[];
  readonly #clock: CredentialClock;
  readonly #log: Log;

  /** @throws {TypeError} if a hash is not 64 hex digits: no key would ever match */
  constructor(callers: readonly ApiKeyCaller[], clock: CredentialClock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#keys = callers.flatMap(({ caller, keys }) =>
      keys.map(({ apiKeySha256, expires }) => {
        if (!SHA256_HEX.test(apiKeySha256)) throw new TypeError(`caller ${caller.principal} has no SHA-256 of a key`);
        return { digest: Buffer.from(apiKeySha256, 'hex'), expires, caller };
      }),
    );
  }

  /**
   * Returns the caller of a key; null if it is unknown or has expired. The result is the same, so guessing keys reveals nothing.
   * @throws {RefusedError} `clock` for a key that has not expired, while the clock is unreliable
   */
  find(key: string): Caller | null {
    const found = this.#withHashOf(key);
    const ofLine = this.#withHashOf(`${key}\n`);
    if (found === null && ofLine !== null) {
      const { principal } = ofLine.caller;
      this.#log.warn({ principal }, 'apiKeySha256 is the hash of the API key and a line feed: hash the key without it');
    }
    if (found === null || this.#clock.highest() >= found.expires) return null;
    requireReliable(this.#clock);
    return found.caller;
  }

  #withHashOf(text: string) {
    const digest = createHash('sha256').update(text).digest();
    // Compares every key, so that the time reveals nothing about a partial match.
    const [found = null] = this.#keys.filter((candidate) => timingSafeEqual(digest, candidate.digest));
    return found;
  }
}
