import type { components } from './generated/openapi-types.js';

/** One check of a decision, as the service answers it. */
export type Check = components['schemas']['Check'];

/** The answer of the service about evidence that it did not allow. Nothing signs it: it comes from the service's address alone. */
export interface Refusal {
  readonly decision: 'allow' | 'deny' | 'indeterminate';
  /** Null where the service did not say it. */
  readonly decisionId: string | null;
  /** Codes of the failed and undecided checks, most important first. */
  readonly reasons: readonly string[];
  /** Those that did not pass: `fail`, `warn` and `unavailable`. */
  readonly checks: readonly Check[];
  /** Whether the same request may later have another decision. */
  readonly retryable: boolean;
}

/** The service judged, and its decision is no allow that counts now: deny, indeterminate, or about the past. */
export class NotAllowedError extends Error implements Refusal {
  override readonly name = 'NotAllowedError';
  readonly decision: Refusal['decision'];
  readonly decisionId: string | null;
  readonly reasons: readonly string[];
  readonly checks: readonly Check[];
  readonly retryable: boolean;

  constructor(message: string, refusal: Refusal) {
    super(message);
    this.decision = refusal.decision;
    this.decisionId = refusal.decisionId;
    this.reasons = refusal.reasons;
    this.checks = refusal.checks;
    this.retryable = refusal.retryable;
  }
}

/** There is no decision, or none that can be read. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /**
   * The code of the service's problem document; or `no_answer` where the exchange failed, `status_unexpected` where the
   * answer is neither 200 nor a problem document, `answer_invalid` where a 200 is not what the service answers.
   */
  readonly code: string;
  /** Of HTTP; null where no answer came. */
  readonly status: number | null;

  constructor(code: string, status: number | null, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}
