import { boundedExchange } from './bounded-exchange.js';
import { type JsonObject, parseJsonObject } from './json-text.js';
import { keysOf, type ReceiptKeySource, withKid } from './key-source.js';
import { ReceiptError } from './receipt-error.js';
import { secureUrl } from './secure-url.js';

export interface FetchedKeySetOptions {
  /** `iss` of the receipts, the base URL of the key set: an https URL, or an http URL of a loopback host. */
  readonly issuer: string;
  /** Defaults to that of the platform. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Defaults to that of the machine. */
  readonly clock?: (() => Date) | undefined;
  /** Timeout of the whole exchange. Defaults to 5 000. */
  readonly timeoutMs?: number | undefined;
}

/** docs/receipts.md, "Publication": relying parties may keep a key set for five minutes. */
const KEPT_MS = 300_000;
/** docs/receipts.md, step 3: one more fetch for an unknown `kid`, at most once a minute. */
const UNKNOWN_KID_MS = 60_000;
/** Pause after a failure, so that many receipts do not overload a failing issuer. */
const FAILURE_MS = 5_000;
const TIMEOUT_MS = 5_000;
const MAXIMUM_BYTES = 65_536;

/**
 * The key set at `{issuer}/.well-known/jwks.json`, fetched on demand and cached for five minutes. An unknown `kid`
 * causes another fetch, at most once a minute. No key is used after the five minutes: otherwise an attacker could keep a
 * withdrawn key valid by blocking the issuer.
 *
 * Rejects redirects, and answers over 64 KiB. Concurrent calls share one fetch.
 *
 * @throws {TypeError} for any other issuer URL
 */
export function fetchedKeySet(options: FetchedKeySetOptions): ReceiptKeySource {
  return new FetchedKeySet(options);
}

interface KeySet {
  readonly keys: readonly JsonObject[];
  readonly fetchedAt: number;
}

class FetchedKeySet implements ReceiptKeySource {
  readonly #url: URL;
  readonly #options: FetchedKeySetOptions;
  #current: KeySet | null = null;
  #underWay: Promise<KeySet> | null = null;
  #failure: { readonly error: ReceiptError; readonly at: number } | null = null;
  #unknownKidAt = Number.NEGATIVE_INFINITY;

  constructor(options: FetchedKeySetOptions) {
    secureUrl(options.issuer, 'issuer');
    this.#url = new URL(`${options.issuer.replace(/\/$/, '')}/.well-known/jwks.json`);
    this.#options = options;
  }

  async find(kid: string): Promise<readonly JsonObject[]> {
    const kept = this.#kept();
    const found = withKid((kept ?? (await this.#fetch())).keys, kid);
    if (found.length > 0 || kept === null || this.#isRecent(this.#unknownKidAt, UNKNOWN_KID_MS)) return found;
    this.#unknownKidAt = this.#now();
    return withKid((await this.#fetch()).keys, kid);
  }

  #kept(): KeySet | null {
    return this.#current !== null && this.#isRecent(this.#current.fetchedAt, KEPT_MS) ? this.#current : null;
  }

  /** An instant in the future is not recent: the clock was set back, so the elapsed time is unknown. */
  #isRecent(since: number, forMs: number): boolean {
    const passed = this.#now() - since;
    return passed >= 0 && passed < forMs;
  }

  #now(): number {
    return (this.#options.clock?.() ?? new Date()).getTime();
  }

  #fetch(): Promise<KeySet> {
    if (this.#failure !== null && this.#isRecent(this.#failure.at, FAILURE_MS))
      return Promise.reject(this.#failure.error);
    this.#underWay ??= this.#fetchOnce().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #fetchOnce(): Promise<KeySet> {
    try {
      const fetchedAt = this.#now();
      const { status, bytes } = await boundedExchange(this.#url, {
        fetch: this.#options.fetch,
        timeoutMs: this.#options.timeoutMs ?? TIMEOUT_MS,
        maximumBytes: MAXIMUM_BYTES,
        headers: { accept: 'application/jwk-set+json, application/json' },
      });
      if (status !== 200) throw new Error(`the issuer answered ${status}`);
      this.#current = { keys: keysOf(parseJsonObject(bytes)), fetchedAt };
      this.#failure = null;
      return this.#current;
    } catch (cause) {
      const message = `The key set of the issuer could not be fetched from ${this.#url.href}.`;
      const error = new ReceiptError('receipt_keys_unavailable', message, { cause });
      this.#failure = { error, at: this.#now() };
      throw error;
    }
  }
}
