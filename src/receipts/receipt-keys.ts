import type { JsonObject } from '../core/json.js';
import type { Clock } from '../core/ports.js';
import type { SigningKey } from './signing-key.js';
import type { PublishedKey } from './signing-key-file.js';

/** The keys in the configuration. */
export interface ReceiptKeySet {
  readonly key: SigningKey;
  readonly next: SigningKey | null;
  /** Keys that no longer sign. */
  readonly previous: readonly PublishedKey[];
}

/** How long a key is published before it signs: cached key sets are at most as old as their `max-age`. */
const PUBLISHED_AHEAD_MS = 10 * 60_000;

/**
 * Selects the current signing key and the published keys. A new key is published at once and signs
 * ten minutes later. A key that signed stays published until its last receipt expires, even if the configuration
 * no longer has it.
 */
export class ReceiptKeys {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  /** First publication of each key, in monotonic milliseconds. */
  readonly #since = new Map<string, number>();
  /** Keys that have signed, with the time of their last signature. */
  readonly #signed = new Map<string, { readonly key: SigningKey; readonly at: number }>();
  #set: ReceiptKeySet;
  #current: SigningKey;

  /**
   * @param set its `key` signs at once, since there is no other
   * @param lifetimeMs longest lifetime of a receipt
   */
  constructor(set: ReceiptKeySet, clock: Clock, lifetimeMs: number) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
    this.#set = set;
    this.#current = set.key;
    this.#since.set(set.key.kid, Number.NEGATIVE_INFINITY);
    this.#note(set);
  }

  /** Replaces the keys by the current content of the files. */
  exchange(set: ReceiptKeySet): void {
    // The previous keys decide which key signs until now.
    this.#current = this.#signing();
    // A former signing key without a file is not published for ever: if it returns, it is new.
    this.#note(this.#set);
    this.#set = set;
    this.#note(set);
  }

  /** The key that signs receipts now. */
  signing(): SigningKey {
    this.#current = this.#signing();
    this.#signed.set(this.#current.kid, { key: this.#current, at: this.#clock.monotonicMs() });
    return this.#current;
  }

  /** Every key for receipts that have not expired, and the next key. */
  published(): readonly JsonObject[] {
    const now = this.#clock.monotonicMs();
    const alive = [...this.#signed.values()].filter(({ at }) => now - at <= this.#lifetimeMs).map(({ key }) => key);
    const { key, next, previous } = this.#set;
    const all = [this.#signing(), key, ...(next === null ? [] : [next]), ...previous, ...alive];
    return [...new Map(all.map(({ kid, jwk }) => [kid, jwk])).values()];
  }

  /** Algorithms of current and future signing keys. */
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

  /** A key that was listed before, under any name, keeps its time. */
  #note({ key, next, previous }: ReceiptKeySet): void {
    const now = this.#clock.monotonicMs();
    const listed = new Set([key, ...(next === null ? [] : [next]), ...previous].map(({ kid }) => kid));
    for (const kid of listed) if (!this.#since.has(kid)) this.#since.set(kid, now);
    for (const kid of this.#since.keys()) if (!listed.has(kid) && kid !== this.#current.kid) this.#since.delete(kid);
  }
}
