import { randomBytes } from 'node:crypto';
import { type BulkheadPolicy, bulkhead, isBulkheadRejectedError } from 'cockatiel';
import { FetchError } from '../endorsements/fetch-error.js';
import type { AttestationService, SubmissionResult } from '../model/attestation-service.js';
import type { Unavailable } from '../model/endorsement.js';
import type { Log } from '../model/ports.js';
import type { Submission } from '../model/verification.js';
import { type AttestationAnswer, readAttestationAnswer } from './attestation-answer.js';
import type { AzureCredential } from './azure-credential.js';
import type { BoundedAnswer, Exchange } from './bounded-exchange.js';
import type { EndpointHealth } from './endpoint-health.js';
import { logFailure } from './exchange-log.js';
import { routeUnavailable } from './route-unavailable.js';
import { sevSnpBody } from './sev-snp-body.js';
import { unlessAborted } from './unless-aborted.js';

/** An instance of Azure Attestation. */
export interface AttestationEndpoint {
  /** Its origin, which is its name as an issuer. */
  readonly origin: string;
  readonly health: EndpointHealth;
}

export interface AzureAttestationOptions {
  /** In the order in which they are asked. */
  readonly endpoints: readonly AttestationEndpoint[];
  readonly apiVersion: string;
  readonly exchange: Exchange;
  /** Null: asked without a token, which shared providers allow today. */
  readonly credential: AzureCredential | null;
  /** Submissions at a time, and how many wait for their turn. */
  readonly concurrent: number;
  readonly queued: number;
  readonly log: Log;
}

/** One submission at one endpoint. */
interface Call {
  readonly body: string;
  readonly bearer: string | null;
  readonly signal: AbortSignal;
}

const AZURE_ATTESTATION = 'Azure Attestation';
const ANSWER_BYTES = 128 * 1024;
const UNAUTHORIZED = 401;

/**
 * Submits SEV-SNP evidence to Azure Attestation. An attest call is never made twice at one endpoint, save once with
 * another access token; the next endpoint is asked where one gives nothing. A refusal ends it: another endpoint is
 * not asked in the hope of another opinion.
 */
export class AzureAttestation implements AttestationService {
  readonly route = 'maa';
  readonly #options: AzureAttestationOptions;
  readonly #bulkhead: BulkheadPolicy;

  constructor(options: AzureAttestationOptions) {
    this.#options = options;
    this.#bulkhead = bulkhead(options.concurrent, options.queued);
  }

  accepts({ tee }: Submission): boolean {
    return tee === 'snp';
  }

  async attest(submission: Submission, signal: AbortSignal): Promise<SubmissionResult> {
    const nonce = randomBytes(32).toString('base64url');
    const body = sevSnpBody(submission, nonce);
    try {
      if (signal.aborted) throw new FetchError('aborted', 'no time was left');
      // The bulkhead looks at the signal only when somebody's turn has come.
      const turn = this.#bulkhead.execute(() => this.#askInOrder(body, signal), signal);
      const answer = await unlessAborted(turn, signal);
      return 'token' in answer ? { ...answer, nonce } : answer;
    } catch (error) {
      return routeUnavailable(AZURE_ATTESTATION, [asFetchError(error)]);
    }
  }

  /** Ends what is being asked. */
  async close(): Promise<void> {
    await Promise.all([this.#options.exchange.close(), this.#options.credential?.close()]);
  }

  async #askInOrder(body: string, signal: AbortSignal): Promise<AttestationAnswer | Unavailable> {
    const failures: FetchError[] = [];
    for (const endpoint of this.#options.endpoints) {
      const bearer = await this.#bearer(signal);
      if (bearer instanceof FetchError) return routeUnavailable(`access token for ${AZURE_ATTESTATION}`, [bearer]);
      const answer = await this.#ask(endpoint, { body, bearer, signal });
      if (!(answer instanceof FetchError)) return answer;
      failures.push(answer);
      // What follows would fail for want of time, and be held against endpoints that were never asked.
      if (signal.aborted) break;
    }
    return routeUnavailable(AZURE_ATTESTATION, failures);
  }

  async #bearer(signal: AbortSignal): Promise<string | null | FetchError> {
    try {
      return (await this.#options.credential?.token(signal)) ?? null;
    } catch (error) {
      return asFetchError(error);
    }
  }

  async #ask(endpoint: AttestationEndpoint, call: Call): Promise<AttestationAnswer | FetchError> {
    try {
      return await endpoint.health.run(async () => readAttestationAnswer(await this.#sendAuthorised(endpoint, call)));
    } catch (error) {
      const failure = asFetchError(error);
      logFailure(this.#options.log, endpoint.origin, failure, 'azure attestation gave no answer to rely on');
      return failure;
    }
  }

  /** Valid tokens are refused at times, and one may have been revoked: asked once more with another. */
  async #sendAuthorised(endpoint: AttestationEndpoint, call: Call): Promise<BoundedAnswer> {
    const answer = await this.#send(endpoint, call);
    const { credential } = this.#options;
    if (answer.status !== UNAUTHORIZED || credential === null || call.bearer === null) return answer;
    const bearer = await credential.instead(call.bearer, call.signal);
    return bearer === null ? answer : this.#send(endpoint, { ...call, bearer });
  }

  #send({ origin }: AttestationEndpoint, { body, bearer, signal }: Call): Promise<BoundedAnswer> {
    const { exchange, apiVersion } = this.#options;
    return exchange.send({
      method: 'POST',
      origin,
      path: `/attest/SevSnpVm?api-version=${encodeURIComponent(apiVersion)}`,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      },
      body,
      maximumBytes: ANSWER_BYTES,
      signal,
    });
  }
}

/** @throws {unknown} what is neither a fault of the network nor the bulkhead's no */
function asFetchError(error: unknown): FetchError {
  if (error instanceof FetchError) return error;
  if (isBulkheadRejectedError(error)) return new FetchError('busy', 'too many submissions at a time');
  throw error;
}
