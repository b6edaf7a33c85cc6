import type { Clock, Log } from '../../core/ports.js';
import { unlessAborted } from '../bounded-signal.js';
import { FailureLog, loggingFailures } from '../exchange-log.js';
import { FetchError } from '../fetch-error.js';
import type { EndpointHealth } from '../throttling.js';

/** A bearer token, and its expiry in milliseconds since 1970. */
export interface AccessToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Gets access tokens from their issuer. */
export interface AccessTokenSource {
  /** The name of the issuer in the log. */
  readonly name: string;
  /** @throws {FetchError} */
  obtain(): Promise<AccessToken>;
  close(): Promise<void>;
}

export interface AzureCredentialOptions {
  readonly source: AccessTokenSource;
  readonly health: EndpointHealth;
  readonly clock: Clock;
  readonly log: Log;
}

/** Times are monotonic milliseconds. */
interface Held {
  readonly token: string;
  readonly renewAt: number;
  readonly endsAt: number;
}

/** A token is not used up to its expiry: the request with it takes time to arrive. */
const MARGIN_MS = 30_000;
/** A valid token is rejected rarely. The pause keeps clients from flooding the issuer. */
const REPLACEMENT_PAUSE_MS = 10_000;

/**
 * The service's own access token. It is renewed in the background from half of its life on. So an outage of the issuer
 * matters only once the token has expired. At most one renewal runs at a time. It continues when the
 * requests that wait for it have ended.
 */
export class AzureCredential {
  readonly #options: AzureCredentialOptions;
  readonly #failures: FailureLog;
  #held: Held | null = null;
  #obtaining: Promise<string> | null = null;
  #nextReplacement = 0;

  constructor(options: AzureCredentialOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.log, 'no access token was obtained');
  }

  /** @throws {FetchError} */
  async token(signal: AbortSignal): Promise<string> {
    const now = this.#options.clock.monotonicMs();
    const held = this.#held;
    if (held === null || now >= held.endsAt) return unlessAborted(this.#obtain(), signal);
    // The failure is in the log; the current token is still valid.
    if (now >= held.renewAt) this.#obtain().catch(() => {});
    return held.token;
  }

  /**
   * Returns a token in place of a rejected one; null if there is none. A managed identity may return the
   * same token again: its issuer caches them, and offers no way to renew one.
   */
  async instead(refused: string, signal: AbortSignal): Promise<string | null> {
    if (this.#held !== null && this.#held.token !== refused) return this.#held.token;
    const now = this.#options.clock.monotonicMs();
    if (this.#obtaining === null && now < this.#nextReplacement) return null;
    this.#nextReplacement = now + REPLACEMENT_PAUSE_MS;
    try {
      return await unlessAborted(this.#obtain(), signal);
    } catch (error) {
      if (error instanceof FetchError) return null;
      throw error;
    }
  }

  /** Ends a running renewal. */
  async close(): Promise<void> {
    await this.#options.source.close();
  }

  #obtain(): Promise<string> {
    this.#obtaining ??= this.#ask().finally(() => {
      this.#obtaining = null;
    });
    return this.#obtaining;
  }

  async #ask(): Promise<string> {
    const { source, health, clock } = this.#options;
    const obtain = () => health.run(() => source.obtain());
    const { token, expiresAtMs } = await loggingFailures(this.#failures, source.name, obtain);
    const now = clock.monotonicMs();
    const lifeMs = expiresAtMs - clock.now().getTime();
    this.#held = { token, renewAt: now + lifeMs / 2, endsAt: now + lifeMs - MARGIN_MS };
    return token;
  }
}
