import { randomBytes } from 'node:crypto';
import type { Unavailable } from '../../core/endorsement.js';
import type { JsonObject } from '../../core/json.js';
import type { Log } from '../../core/ports.js';
import type {
  AttestationService,
  SnpSubmission,
  Submission,
  SubmissionResult,
  TdxSubmission,
} from '../../core/verification.js';
import { encodeBase64Url } from '../../formats/base64.js';
import { readRuntimeObject } from '../../tee/shared/format/runtime-claims.js';
import type { AzureCredential } from '../azure-identity/azure-credential.js';
import type { BoundedAnswer } from '../bounded-agent.js';
import type { Exchange } from '../bounded-exchange.js';
import { unlessAborted } from '../bounded-signal.js';
import { FailureLog, loggingFailures } from '../exchange-log.js';
import type { Turns } from '../fair-turns.js';
import { FetchError, requireFetchError } from '../fetch-error.js';
import type { EndpointHealth } from '../throttling.js';
import { type AttestationAnswer, readAttestationAnswer } from './attestation-answer.js';
import { routeUnavailable } from './submissions.js';

/** An instance of Azure Attestation. */
export interface AttestationEndpoint {
  /** Its origin, which is also its issuer name. */
  readonly origin: string;
  readonly health: EndpointHealth;
}

export interface AzureAttestationOptions {
  /** In the order of the calls. */
  readonly endpoints: readonly AttestationEndpoint[];
  readonly apiVersion: string;
  readonly exchange: Exchange;
  /** Null: calls have no token, which shared providers allow today. */
  readonly credential: AzureCredential | null;
  readonly turns: Turns;
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
 * Submits evidence to Azure Attestation. Sends an attest call at most once to an endpoint, except once more with another
 * access token. Calls the next endpoint if one gives no answer. A refusal is final: no other endpoint is called
 * for a second opinion.
 */
export class AzureAttestation implements AttestationService {
  readonly route = 'maa';
  readonly #options: AzureAttestationOptions;
  readonly #failures: FailureLog;

  constructor(options: AzureAttestationOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.log, 'Azure Attestation gave no answer to rely on');
  }

  issues(issuer: string): boolean {
    return this.#options.endpoints.some(({ origin }) => origin === issuer);
  }

  accepts({ tee }: Submission): boolean {
    return tee === 'snp' || tee === 'tdx';
  }

  async attest(submission: Submission, signal: AbortSignal, principal?: string): Promise<SubmissionResult> {
    const nonce = randomBytes(32).toString('base64url');
    const request = attestRequest(submission, nonce);
    try {
      // A running request may outlast its signal.
      const answer = await unlessAborted(
        this.#options.turns.take(signal, () => this.#askInOrder(request, signal), { principal }),
        signal,
      );
      return 'token' in answer ? { ...answer, expected: { nonce } } : answer;
    } catch (error) {
      return routeUnavailable(AZURE_ATTESTATION, [requireFetchError(error)]);
    }
  }

  /** Ends running calls. */
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
      // Further calls would fail for lack of time, and count against endpoints that were never contacted.
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

  /** Azure sometimes rejects valid tokens, and a token may be revoked: sends the call once more with another token. */
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

/** An attest call of Azure Attestation. */
export interface AttestRequest {
  readonly operation: 'SevSnpVm' | 'TdxVm';
  readonly body: string;
}

/** @param nonce returned as claim `nonce` */
function attestRequest(submission: Submission, nonce: string): AttestRequest {
  return submission.tee === 'snp'
    ? { operation: 'SevSnpVm', body: sevSnpBody(submission, nonce) }
    : { operation: 'TdxVm', body: tdxVmBody(submission, nonce) };
}

/** Body of `POST /attest/SevSnpVm`: the report is base64url of a JSON text whose members are base64url again. */
export function sevSnpBody({ report, certificates, runtimeData }: SnpSubmission, nonce: string): string {
  const evidence = {
    SnpReport: encodeBase64Url(report),
    VcekCertChain: encodeText(certificates.map(pemOf).join('')),
  };
  return JSON.stringify({ report: encodeText(JSON.stringify(evidence)), ...runtimeDataMember(runtimeData), nonce });
}

/** Body of `POST /attest/TdxVm`. The quote is sent unchanged: Azure's quotes end with zeros, which the service accepts. */
export function tdxVmBody({ quote, runtimeData }: TdxSubmission, nonce: string): string {
  return JSON.stringify({ quote: encodeBase64Url(quote), ...runtimeDataMember(runtimeData), nonce });
}

/**
 * Member `runtimeData` of a call of Azure Attestation; no member if there is none. A JSON object is sent as such, so
 * that the token has it as `x-ms-runtime`. JSON that parsers may read differently is sent as bytes.
 */
function runtimeDataMember(runtimeData: Uint8Array | null): JsonObject {
  if (runtimeData === null) return {};
  const dataType = readRuntimeObject(runtimeData).ok ? 'JSON' : 'Binary';
  return { runtimeData: { data: encodeBase64Url(runtimeData), dataType } };
}

/** RFC 7468 section 3, strict form. */
function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return ['-----BEGIN CERTIFICATE-----', ...(lines ?? []), '-----END CERTIFICATE-----', ''].join('\n');
}

const encodeText = (text: string) => encodeBase64Url(Buffer.from(text));
