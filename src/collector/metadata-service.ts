import { encodeBase64Url } from '../formats/base64.js';
import { BoundedAgent, type BoundedAnswer, type BoundedRequest, refusedStatus } from '../outside/bounded-agent.js';
import { FetchError } from '../outside/fetch-error.js';
import { CollectError } from './collect-error.js';
import { type AmdCertification, readAmdCertification, readTdQuote } from './evidence-body.js';

/** Azure's instance metadata service: link-local, and independent of configuration, options and proxies. */
export const AZURE_METADATA = 'http://169.254.169.254';

/** Limits of bytes and time of an answer. */
export const METADATA_BOUNDS = { answerBytes: 64 * 1024, timeoutMs: 5_000 } as const;

/** Sends requests to one origin, one per connection. */
class MetadataAgent extends BoundedAgent {
  constructor(origin: string, timeoutMs: number) {
    super({ origins: [origin], attemptTimeoutMs: timeoutMs, keepAlive: false });
  }

  /** Ignores the content type: the parser detects other content. */
  send(request: BoundedRequest, body: string | null): Promise<BoundedAnswer> {
    const sent = { method: body === null ? 'GET' : 'POST', body } as const;
    return this.ask(request, sent, (status, headers) => (status === 200 ? null : refusedStatus(status, headers)));
  }
}

/** Data from the host of an Azure VM for its guest. Passed on unverified. */
export class MetadataService {
  readonly #origin: string;
  readonly #timeoutMs: number;

  constructor(origin: string = AZURE_METADATA, timeoutMs: number = METADATA_BOUNDS.timeoutMs) {
    this.#origin = origin;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws {CollectError} `metadata_unreachable`, `metadata_answer` */
  async amdCertification(signal: AbortSignal): Promise<AmdCertification> {
    const answer = await this.#ask('/metadata/THIM/amd/certification', { metadata: 'true' }, null, signal);
    return readAmdCertification(answer);
  }

  /**
   * Converts a TDREPORT to a quote.
   * @throws {CollectError} `metadata_unreachable`, `metadata_answer`
   */
  async tdQuote(tdReport: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const body = JSON.stringify({ report: encodeBase64Url(tdReport) });
    return readTdQuote(await this.#ask('/acc/tdquote', { 'content-type': 'application/json' }, body, signal));
  }

  async #ask(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | null,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const agent = new MetadataAgent(this.#origin, this.#timeoutMs);
    try {
      const request = { origin: this.#origin, path, maximumBytes: METADATA_BOUNDS.answerBytes, signal, headers };
      return (await agent.send(request, body)).body;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FetchError)) throw error;
      throw new CollectError('metadata_unreachable', `${path}: ${error.message}`, { cause: error });
    } finally {
      await agent.close();
    }
  }
}
