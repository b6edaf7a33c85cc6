import { randomBytes } from 'node:crypto';
import { equalInConstantTime } from '../crypto/constant-time.js';
import type { AttestationService, SubmissionResult } from '../model/attestation-service.js';
import type { Unavailable } from '../model/endorsement.js';
import type { JsonObject } from '../model/json.js';
import type { Log } from '../model/ports.js';
import type { Submission } from '../model/verification.js';
import type { BoundedAnswer } from '../outgoing/bounded-agent.js';
import type { Exchange } from '../outgoing/bounded-exchange.js';
import { FailureLog } from '../outgoing/exchange-log.js';
import { FetchError, requireFetchError } from '../outgoing/fetch-error.js';
import type { EndpointHealth } from '../outgoing/throttling.js';
import { type AttestationAnswer, readAttestationAnswer } from './attestation-answer.js';
import { type AttestRequest, attestRequest } from './azure-attestation-request.js';
import type { AzureCredential } from './azure-credential.js';
import { loggingFailures, routeUnavailable, type SubmissionTurns } from './submissions.js';

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
  readonly turns: SubmissionTurns;
  readonly log: Log;
}

/** One submission at one endpoint. */
interface Call extends AttestRequest {
  readonly bearer: string | null;
  readonly signal: AbortSignal;
}

const AZURE_ATTESTATION = 'Azure Attestation';
const ANSWER_BYTES = 128 * 1024;
const UNAUTHORIZED = 401;

/**
 * Submits evidence to Azure Attestation. An attest call is never made twice at one endpoint, save once with another
 * access token; the next endpoint is asked where one gives nothing. A refusal ends it: another endpoint is not asked
 * in the hope of another opinion.
 */
export class AzureAttestation implements AttestationService {
  readonly route = 'maa';
  readonly #options: AzureAttestationOptions;
  readonly #failures: FailureLog;

  constructor(options: AzureAttestationOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.log, 'Azure Attestation gave no answer to rely on');
  }

  accepts({ tee }: Submission): boolean {
    return tee === 'snp' || tee === 'tdx';
  }

  async attest(submission: Submission, signal: AbortSignal): Promise<SubmissionResult> {
    const nonce = randomBytes(32).toString('base64url');
    const request = attestRequest(submission, nonce);
    try {
      const answer = await this.#options.turns.run(() => this.#askInOrder(request, signal), signal);
      return 'token' in answer ? { ...answer, answersCall: (claims) => echoes(claims, nonce) } : answer;
    } catch (error) {
      return routeUnavailable(AZURE_ATTESTATION, [requireFetchError(error)]);
    }
  }

  /** Ends what is being asked. */
  async close(): Promise<void> {
    await Promise.all([this.#options.exchange.close(), this.#options.credential?.close()]);
  }

  async #askInOrder(request: AttestRequest, signal: AbortSignal): Promise<AttestationAnswer | Unavailable> {
    const failures: FetchError[] = [];
    for (const endpoint of this.#options.endpoints) {
      const bearer = await this.#bearer(signal);
      if (bearer instanceof FetchError) return routeUnavailable(`access token for ${AZURE_ATTESTATION}`, [bearer]);
      const answer = await this.#ask(endpoint, { ...request, bearer, signal });
      if (!(answer instanceof FetchError)) return answer;
      failures.push(answer);
      // What follows would fail for want of time, and be counted against endpoints that were never asked.
      if (signal.aborted) break;
    }
    return routeUnavailable(AZURE_ATTESTATION, failures);
  }

  async #bearer(signal: AbortSignal): Promise<string | null | FetchError> {
    try {
      return (await this.#options.credential?.token(signal)) ?? null;
    } catch (error) {
      return requireFetchError(error);
    }
  }

  async #ask(endpoint: AttestationEndpoint, call: Call): Promise<AttestationAnswer | FetchError> {
    try {
      const send = async () => readAttestationAnswer(await this.#sendAuthorised(endpoint, call));
      return await loggingFailures(this.#failures, endpoint.origin, () => endpoint.health.run(send));
    } catch (error) {
      return requireFetchError(error);
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

  #send({ origin }: AttestationEndpoint, { operation, body, bearer, signal }: Call): Promise<BoundedAnswer> {
    const { exchange, apiVersion } = this.#options;
    return exchange.send({
      method: 'POST',
      origin,
      path: `/attest/${operation}?api-version=${encodeURIComponent(apiVersion)}`,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      },
      body,
      maximumBytes: ANSWER_BYTES,
      signal,
      check: readAttestationAnswer,
      mayBeRefused: true,
    });
  }
}

/** Whether a token names the nonce that was sent: an instance repeats what it was asked with. */
function echoes({ nonce }: JsonObject, sent: string): boolean {
  return typeof nonce === 'string' && equalInConstantTime(Buffer.from(nonce), Buffer.from(sent));
}
