import type { BoundedAnswer, BoundedRequest, Fetch, FetchAnswer } from './bounded-fetch.js';
import { DEFAULT_RESILIENCE, Resilience, type ResilienceOptions } from './resilience.js';

/** Fetches bodies as `Resilience` has it. */
export class ResilientFetch implements Fetch {
  readonly #fetch: Fetch;
  readonly #resilience: Resilience;

  constructor(fetch: Fetch, options: ResilienceOptions = DEFAULT_RESILIENCE) {
    this.#fetch = fetch;
    this.#resilience = new Resilience(options);
  }

  async get(request: BoundedRequest): Promise<Uint8Array> {
    return this.#resilience.run(request, () => this.#fetch.get(request));
  }

  async close(): Promise<void> {
    await this.#fetch.close();
  }
}

/** Fetches answers with their headers as `Resilience` has it. */
export class ResilientAnswers implements FetchAnswer {
  readonly #fetch: FetchAnswer;
  readonly #resilience: Resilience;

  constructor(fetch: FetchAnswer, options: ResilienceOptions) {
    this.#fetch = fetch;
    this.#resilience = new Resilience(options);
  }

  async answer(request: BoundedRequest): Promise<BoundedAnswer> {
    return this.#resilience.run(request, () => this.#fetch.answer(request));
  }

  async close(): Promise<void> {
    await this.#fetch.close();
  }
}
