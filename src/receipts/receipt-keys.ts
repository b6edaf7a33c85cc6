import type { JsonObject } from '../core/json.js';
import type { Clock } from '../core/ports.js';
import type { SigningKey } from './signing-key.js';
import type { PublishedKey } from './signing-key-file.js';

/** The keys that a configuration names. */
export interface ReceiptKeySet {
  readonly key: SigningKey;
  readonly next: SigningKey | null;
  /** Keys that sign nothing any more. */
  readonly previous: readonly PublishedKey[];
}

/** How long a key is published before it signs: caches of the key set are older at most by its `max-age`. */
const PUBLISHED_AHEAD_MS = 10 * 60_000;

/**
 * Which key signs now, and which are published. A key that appears while the service runs is published at once and signs
 * ten minutes later; one that signed is published for as long as a receipt of it can be alive, whatever the configuration
 * then says.
 */
export class ReceiptKeys {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  /** Since when each key has been published, in monotonic milliseconds. */
  readonly #since = new Map<string, number>();
  /** Keys that have signed, and when they signed last. */
  readonly #signed = new Map<string, { readonly key: SigningKey; readonly at: number }>();
  #set: ReceiptKeySet;
  #current: SigningKey;

  /**
   * @param set of which `key` signs at once: there is no other
   * @param lifetimeMs longest life of a receipt
   */
  constructor(set: ReceiptKeySet, clock: Clock, lifetimeMs: number) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
    this.#set = set;
    this.#current = set.key;
    this.#since.set(set.key.kid, Number.NEGATIVE_INFINITY);
    this.#note(set);
  }

  /** Takes over what the files hold now. */
  exchange(set: ReceiptKeySet): void {
    // Which key signs until now depends on those that were there.
    this.#current = this.#signing();
    // One that signed until then, and is in no file, is not published for ever: if it comes back, it is new.
    this.#note(this.#set);
    this.#set = set;
    this.#note(set);
  }

  /** The key for a receipt that is signed now. */
  signing(): SigningKey {
    this.#current = this.#signing();
    this.#signed.set(this.#current.kid, { key: this.#current, at: this.#clock.monotonicMs() });
    return this.#current;
  }

  /** Every key that a receipt which is alive can be verified with, and the next. */
  published(): readonly JsonObject[] {
    const now = this.#clock.monotonicMs();
    const alive = [...this.#signed.values()].filter(({ at }) => now - at <= this.#lifetimeMs).map(({ key }) => key);
    const { key, next, previous } = this.#set;
    const all = [this.#signing(), key, ...(next === null ? [] : [next]), ...previous, ...alive];
    return [...new Map(all.map(({ kid, jwk }) => [kid, jwk])).values()];
  }

  /** Algorithms of the keys that sign now or later. */
  algorithms(): readonly string[] {
    const { key, next } = this.#set;
    return [...new Set([this.#signing(), key, ...(next === null ? [] : [next])].map(({ alg }) => alg))];
  }

  #signing(): SigningKey {
    const { key, next } = this.#set;
    return (
      [next, key].find((candidate) => candidate !== null && this.#isPublishedLongEnough(candidate)) ?? this.#current
    );
  }

  #isPublishedLongEnough({ kid }: SigningKey): boolean {
    const since = this.#since.get(kid);
    return since !== undefined && this.#clock.monotonicMs() - since >= PUBLISHED_AHEAD_MS;
  }

  /** A key that was listed before, under whatever name, keeps its time. */
  #note({ key, next, previous }: ReceiptKeySet): void {
    const now = this.#clock.monotonicMs();
    const listed = new Set([key, ...(next === null ? [] : [next]), ...previous].map(({ kid }) => kid));
    for (const kid of listed) if (!this.#since.has(kid)) this.#since.set(kid, now);
    for (const kid of this.#since.keys()) if (!listed.has(kid) && kid !== this.#current.kid) this.#since.delete(kid);
  }
}
