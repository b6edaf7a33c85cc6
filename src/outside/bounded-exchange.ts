import {
  BoundedAgent,
  type BoundedAgentOptions,
  type BoundedAnswer,
  type BoundedRequest,
  headerOf,
  refusedContent,
  refusedStatus,
} from './bounded-agent.js';

export interface BoundedQuestion extends BoundedRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly check: (answer: BoundedAnswer) => unknown;
}

/** Sends requests with a body, and returns the answers. */
export interface Exchange {
  /** @throws {FetchError} */
  send(question: BoundedQuestion): Promise<BoundedAnswer>;
  close(): Promise<void>;
}

/** Refusals that are about the request, and whose body explains them. Bodies of other failures are not read. */
const EXPLAINED: ReadonlySet<number> = new Set([400, 401, 403, 422]);

const JSON_CONTENT = /^application\/(?:[a-z.]+\+)?json(?:;|$)/i;

/**
 * Sends to configured origins, with the bounds of every agent. Returns a success, or a refusal
 * whose body states why.
 */
export class BoundedExchange extends BoundedAgent implements Exchange {
  /** By default, each connection closes after its answer: no request is sent twice. */
  constructor(options: BoundedAgentOptions) {
    super({ keepAlive: false, ...options });
  }

  send(question: BoundedQuestion): Promise<BoundedAnswer> {
    return this.ask(question, { method: question.method, body: question.body }, (status, headers) => {
      const isExplained = EXPLAINED.has(status);
      if (status >= 300 && !isExplained) return refusedStatus(status, headers);
      // A refusal needs no body to be one.
      return isExplained || JSON_CONTENT.test(headerOf(headers, 'content-type') ?? '') ? null : refusedContent(status);
    });
  }
}
