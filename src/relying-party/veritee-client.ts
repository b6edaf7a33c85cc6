import { type BoundedAnswer, boundedExchange } from './bounded-exchange.js';
import { requireIssuedSince, type VerifiedReceipt } from './check-receipt.js';
import type { components } from './generated/openapi-types.js';
import { isObject, type JsonObject } from './json-text.js';
import {
  knownMembers,
  type ReceiptDemand,
  type ReceiptVerifierOptions,
  readAllOptions,
  readDemand,
  readVerifierOptions,
  VERIFIER_OPTIONS,
  type VerifierSettings,
  type VerifyAllOptions,
} from './options.js';
import { readChallenge, readObject, receiptOfAllow } from './read-answer.js';
import { requireAction, SingleUseVerifier } from './receipt-verifier.js';
import { secureUrl } from './secure-url.js';
import { ServiceError } from './service-errors.js';

type Schemas = components['schemas'];

/** A challenge: a nonce for one request, which the guest puts into its evidence. */
export type Challenge = Schemas['Challenge'];
/** The output of `veritee collect` in the guest. Its nonce, policy, audience and verification time are not used. */
export type EvidenceBody = Pick<Schemas['VerifyRequest'], 'evidence' | 'attestationResults' | 'binding'>;

export interface VeriteeClientOptions extends ReceiptVerifierOptions {
  /** URL of the service: an https URL, or an http URL of a loopback host. */
  readonly url: string;
  /** Key of a caller with the role `verify` and this audience. If it is left out, no key is sent. */
  readonly apiKey?: string;
  /** Timeout of each exchange with the service, including its body. Defaults to 15 000. */
  readonly timeoutMs?: number;
}

/** The values issued for the request: pass the challenge itself, with `boundKey` beside it if a key must be bound. */
export interface EvidenceDemand extends ReceiptDemand {
  /** Member of the challenge. Not used. */
  readonly expiresAt?: string;
}

/** The arguments of one call of `verify`. */
export interface EvidenceRequest {
  readonly body: EvidenceBody;
  readonly demand: EvidenceDemand;
}

/** Sends requests to a service, and relies only on its signature. */
export interface VeriteeClient {
  /**
   * Gets a challenge for this audience, and for the policy and the evidence type if there is one.
   *
   * @throws {ServiceError}
   */
  challenge(): Promise<Challenge>;
  /**
   * Has evidence verified. Resolves with the verified receipt of an allow, and rejects in every other case: it never
   * resolves with false, null or undefined.
   *
   * Returns a promise, which is true if `await` is missing. `whenAllowed` cannot be misused in this
   * way.
   *
   * @throws {NotAllowedError} if the decision is no allow, or historical
   * @throws {ServiceError} if there is no decision
   * @throws {ReceiptError} if the answer is an allow, but its receipt is not
   * @throws {TypeError} for a fault of the call
   */
  verify(body: EvidenceBody, demand: EvidenceDemand): Promise<VerifiedReceipt>;
  /**
   * Calls `action` once evidence is allowed, and in no other case. Resolves with its result.
   *
   * @throws as `verify`, and the errors of `action`
   */
  whenAllowed<T>(
    body: EvidenceBody,
    demand: EvidenceDemand,
    action: (verified: VerifiedReceipt) => T | Promise<T>,
  ): Promise<T>;
  /**
   * Calls `verify` for each request, with at most `atOnce` of them in flight. Resolves with a result for each request, in their
   * order, as `Promise.allSettled` does: `value` is the verified receipt, `reason` the error of `verify`. A failed
   * request changes no other result.
   *
   * Once `signal` is aborted, existing results stay. Every other request has the reason of the signal as its error.
   *
   * @throws {TypeError} for a fault of the call itself
   */
  verifyAll(
    requests: readonly EvidenceRequest[],
    options?: VerifyAllOptions,
  ): Promise<readonly PromiseSettledResult<VerifiedReceipt>[]>;
}

const TIMEOUT_MS = 15_000;
const LONGEST_TIMEOUT_MS = 600_000;
const MAXIMUM_BYTES = 4_194_304;
const API_KEY = /^[\x21-\x7e]{1,4096}$/;

/**
 * @throws {TypeError} with the remedy, if an option is missing, empty, or unknown
 * @throws {Error} in a browser, which cannot call the service
 */
export function createVeriteeClient(options: VeriteeClientOptions): VeriteeClient {
  if ('document' in globalThis || 'WorkerGlobalScope' in globalThis) {
    throw new Error(
      'createVeriteeClient does not work in a browser, since the service lets no page ask it (it sends no CORS header). ' +
        'Ask the service from your own server, and verify the receipt here with createReceiptVerifier.',
    );
  }
  return Object.freeze(new HttpClient(options));
}

class HttpClient implements VeriteeClient {
  readonly #settings: VerifierSettings;
  readonly #verifier: SingleUseVerifier;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;

  constructor(options: VeriteeClientOptions) {
    this.#settings = readVerifierOptions(options, [...VERIFIER_OPTIONS, 'url', 'apiKey', 'timeoutMs']);
    this.#verifier = new SingleUseVerifier(this.#settings);
    this.#base = secureUrl(options.url, 'url').href.replace(/\/$/, '');
    this.#headers = headersFor(options.apiKey);
    this.#timeoutMs = readTimeout(options.timeoutMs);
  }

  async challenge(): Promise<Challenge> {
    const { audience, policies, evidenceTypes } = this.#settings;
    const [policy, another] = policies;
    const [evidenceType, anotherType] = evidenceTypes;
    const scope = {
      audience,
      ...(policy === undefined || another !== undefined ? {} : { policy: policy.id }),
      ...(anotherType === undefined ? { evidenceType } : {}),
    };
    return readChallenge(await this.#post('/challenges', scope));
  }

  async verify(body: EvidenceBody, demand: EvidenceDemand): Promise<VerifiedReceipt> {
    return this.#verify(body, demand);
  }

  async verifyAll(
    requests: readonly EvidenceRequest[],
    options: VerifyAllOptions = {},
  ): Promise<readonly PromiseSettledResult<VerifiedReceipt>[]> {
    const { atOnce, signal } = readAllOptions(options);
    if (!Array.isArray(requests)) throw new TypeError('requests is no list: pass [{ body, demand }]');
    const results: PromiseSettledResult<VerifiedReceipt>[] = [];
    // All lanes take from one iterator.
    const waiting = requests.entries();
    const lane = async () => {
      for (const [index, request] of waiting) {
        [results[index]] = await Promise.allSettled([this.#verifyOne(request, signal)]);
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, requests.length) }, lane));
    return results;
  }

  async #verifyOne(request: EvidenceRequest, signal: AbortSignal | undefined): Promise<VerifiedReceipt> {
    signal?.throwIfAborted();
    knownMembers(request, ['body', 'demand'], 'a request');
    return this.#verify(request.body, request.demand, signal);
  }

  async #verify(body: EvidenceBody, demand: EvidenceDemand, signal?: AbortSignal): Promise<VerifiedReceipt> {
    const { nonce, boundKey } = readDemand(demand, ['nonce', 'boundKey', 'expiresAt']);
    const asked = this.#settings.clock();
    const answer = await this.#post('/verify', this.#requestOf(body, nonce), signal);
    // It may have any type: the verifier rejects a value that is not text.
    const receipt = receiptOfAllow(answer) as string;
    const verified = await this.#verifier.verify(receipt, boundKey === undefined ? { nonce } : { nonce, boundKey });
    requireIssuedSince(verified, asked);
    return verified;
  }

  async whenAllowed<T>(
    body: EvidenceBody,
    demand: EvidenceDemand,
    action: (verified: VerifiedReceipt) => T | Promise<T>,
  ): Promise<T> {
    requireAction(action);
    return action(await this.verify(body, demand));
  }

  /** The sender chose the body, so the client replaces its policy, audience and nonce. */
  #requestOf(body: unknown, nonce: string): object {
    if (!isObject(body) || !isObject(body['evidence'])) {
      throw new TypeError('the body has no evidence: pass the object that veritee collect writes in the guest');
    }
    const { at: _, ...rest } = body;
    const { audience, policies } = this.#settings;
    return { ...rest, nonce, audience, policy: policies.map(({ id }) => id) };
  }

  async #post(path: string, body: object, signal?: AbortSignal): Promise<JsonObject> {
    return readObject(await this.#exchange(path, JSON.stringify(body), signal));
  }

  async #exchange(path: string, body: string, signal?: AbortSignal): Promise<BoundedAnswer> {
    try {
      return await boundedExchange(new URL(`${this.#base}${path}`), {
        fetch: this.#settings.fetch,
        timeoutMs: this.#timeoutMs,
        maximumBytes: MAXIMUM_BYTES,
        headers: this.#headers,
        body,
        signal,
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ServiceError('no_answer', null, `No answer of the service to ${path} could be read.`, { cause });
    }
  }
}

function headersFor(apiKey: unknown): Readonly<Record<string, string>> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  if (apiKey === undefined) return headers;
  if (typeof apiKey !== 'string' || !API_KEY.test(apiKey)) {
    throw new TypeError('apiKey is no API key: pass it without spaces or line ends, or leave it out');
  }
  return { ...headers, authorization: `Bearer ${apiKey}` };
}

function readTimeout(value: unknown): number {
  if (value === undefined) return TIMEOUT_MS;
  if (typeof value === 'number' && value > 0 && value <= LONGEST_TIMEOUT_MS) return value;
  throw new TypeError(`timeoutMs is not between 0 and ${LONGEST_TIMEOUT_MS}: pass milliseconds, or leave it out`);
}
