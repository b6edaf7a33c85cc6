import type { Clock, Log } from '../../core/ports.js';
import type { AttestationService, Submission, SubmissionResult, TdxSubmission } from '../../core/verification.js';
import { namesAttestationKey, readRuntimeObject } from '../../tee/shared/format/runtime-claims.js';
import type { BoundedAnswer } from '../bounded-agent.js';
import type { Exchange } from '../bounded-exchange.js';
import { unlessAborted } from '../bounded-signal.js';
import { FailureLog, loggingFailures } from '../exchange-log.js';
import type { Turns } from '../fair-turns.js';
import { FetchError, requireFetchError } from '../fetch-error.js';
import { readSecret } from '../secret-file.js';
import type { EndpointHealth } from '../throttling.js';
import { type AttestationAnswer, isAboutQuote, isRefusal, readToken } from './attestation-answer.js';
import { routeUnavailable } from './submissions.js';

export interface TrustAuthorityOptions {
  /** Origin of its interface. */
  readonly api: string;
  /** Read for each submission, so that a rotated key is used without a restart. */
  readonly apiKeyFile: string;
  /** `iss` of its tokens. */
  readonly issuers: ReadonlySet<string>;
  readonly appraisal: AppraisalOptions;
  /** Leeway for the clock of the service. */
  readonly leewaySeconds: number;
  readonly exchange: Exchange;
  readonly health: EndpointHealth;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
}

const TRUST_AUTHORITY = 'Trust Authority';
const ANSWER_BYTES = 64 * 1024;

/** The characters of a header value; keys of Trust Authority are base64. */
const API_KEY = /^[\x21-\x7e]{1,4096}$/;

/** Submits TDX evidence to Intel Trust Authority. Sends no request twice. */
export class TrustAuthority implements AttestationService {
  readonly route = 'ita';
  readonly #options: TrustAuthorityOptions;
  readonly #failures: FailureLog;

  constructor(options: TrustAuthorityOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.log, 'Intel Trust Authority gave no answer to rely on');
  }

  issues(issuer: string): boolean {
    return this.#options.issuers.has(issuer);
  }

  accepts({ tee }: Submission): boolean {
    return tee === 'tdx';
  }

  async attest(submission: Submission, signal: AbortSignal, principal?: string): Promise<SubmissionResult> {
    if (submission.tee !== 'tdx') throw new Error('Intel Trust Authority judges TDX evidence only');
    const { appraisal, clock, turns } = this.#options;
    const asked = clock.now();
    const request = trustAuthorityRequest(submission, appraisal);
    try {
      // A running request may outlast its signal.
      const answer = await unlessAborted(
        turns.take(signal, () => this.#ask(request, signal), { principal }),
        signal,
      );
      return 'token' in answer ? { ...answer, expected: { issuedSince: this.#earliest(asked) } } : answer;
    } catch (error) {
      return routeUnavailable(TRUST_AUTHORITY, [requireFetchError(error)]);
    }
  }

  /** Ends running calls. */
  async close(): Promise<void> {
    await this.#options.exchange.close();
  }

  async #ask(request: TrustAuthorityRequest, signal: AbortSignal): Promise<AttestationAnswer> {
    const { api, health } = this.#options;
    const send = async () => this.#readAnswer(await this.#send(request, signal));
    return loggingFailures(this.#failures, api, () => health.run(send));
  }

  async #send({ path, body }: TrustAuthorityRequest, signal: AbortSignal): Promise<BoundedAnswer> {
    const { api, exchange } = this.#options;
    return exchange.send({
      method: 'POST',
      origin: api,
      path,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'x-api-key': await this.#apiKey(),
      },
      body,
      maximumBytes: ANSWER_BYTES,
      signal,
      check: (answer) => this.#readAnswer(answer),
      mayBeRefused: true,
    });
  }

  async #apiKey(): Promise<string> {
    const key = await readSecret(this.#options.apiKeyFile).catch((cause: unknown) => unusable(cause));
    return API_KEY.test(key) ? key : unusable('the file does not hold a key');
  }

  /**
   * Errors have a text and no code. If a token requires matching policies, no known text states a mismatch.
   * So any 400 or 422 then counts as a mismatch: an optional token must not hide it.
   */
  #readAnswer(answer: BoundedAnswer): AttestationAnswer {
    const { status } = answer;
    if (status < 300) return { token: readToken(answer) };
    if (isRefusal(status) && this.#options.appraisal.policyMustMatch) {
      return {
        refused: 'Intel Trust Authority issues no token for the evidence under the policies that have to match',
      };
    }
    if (isAboutQuote(answer))
      return { refused: 'Intel Trust Authority refuses the quote, or the data that was sent with it' };
    throw new FetchError('status', `answered with status ${status}`, { status });
  }

  /**
   * Returns the earliest issue time of the token. The service echoes no nonce, so the token must be newer than the call, within the
   * leeway of clocks. The comparison shows that it is about this quote; its verifier checks the matched policies.
   */
  #earliest(asked: Date): number {
    return Math.floor(asked.getTime() / 1000) - this.#options.leewaySeconds;
  }
}

/** Without the key, no request is sent. The cause is for the log: it may name the file, but never its content. */
function unusable(cause: unknown): never {
  throw new FetchError('not_allowed', 'the API key cannot be used', { cause });
}

/** The data for Trust Authority beside the evidence. */
export interface AppraisalOptions {
  /** Policies to verify with, UUIDs. */
  readonly policyIds: readonly string[];
  /** Whether a token is only issued if all of them match. */
  readonly policyMustMatch: boolean;
  readonly signingAlgorithm: 'PS384' | 'RS256';
}
type TrustAuthorityRequest = Readonly<ReturnType<typeof trustAuthorityRequest>>;

const ATTEST = '/appraisal/v2/attest';

/**
 * Body of `POST /appraisal/v2/attest`, or of `attest/azure` for the runtime data of Azure's paravisor, whose
 * SHA-256 is in the quote. Other runtime data is not sent: the service compares report data with SHA-512 of
 * the runtime data, and answers a difference with 400.
 *
 * For the same reason there is no `verifier_nonce`: the quote would have to contain it, but was made before, for the nonce
 * of our caller.
 */
export function trustAuthorityRequest(
  { quote, runtimeData }: TdxSubmission,
  { policyIds, policyMustMatch, signingAlgorithm }: AppraisalOptions,
) {
  const ofParavisor = runtimeData !== null && isOfParavisor(runtimeData);
  const body = {
    ...(policyIds.length === 0 ? {} : { policy_ids: policyIds }),
    policy_must_match: policyMustMatch,
    token_signing_alg: signingAlgorithm,
    tdx: { quote: base64(quote), ...(ofParavisor ? { runtime_data: base64(runtimeData) } : {}) },
  };
  return { path: ofParavisor ? `${ATTEST}/azure` : ATTEST, body: JSON.stringify(body) };
}

function isOfParavisor(runtimeData: Uint8Array): boolean {
  const object = readRuntimeObject(runtimeData);
  return object.ok && namesAttestationKey(object.value);
}

/** RFC 4648 section 4, with padding. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
