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

/** Something is sent, and answered. */
export interface Exchange {
  /** @throws {FetchError} */
  send(question: BoundedQuestion): Promise<BoundedAnswer>;
  close(): Promise<void>;
}

/** Refusals that are about the question, and explain themselves. Bodies of any other failure are not read. */
const EXPLAINED: ReadonlySet<number> = new Set([400, 401, 403, 422]);

const JSON_CONTENT = /^application\/(?:[a-z.]+\+)?json(?:;|$)/i;

/**
 * Sends to configured origins, as bounded as everything that is asked. An answer says something: success, or a refusal
 * whose body says why.
 */
export class BoundedExchange extends BoundedAgent implements Exchange {
  /** Unless it is said otherwise, each connection ends after its answer: nothing is sent twice. */
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
