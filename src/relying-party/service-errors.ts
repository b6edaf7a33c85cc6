import type { components } from './generated/openapi-types.js';

/** One check of a decision, as the service answers it. */
export type Check = components['schemas']['Check'];

/** The answer of the service about evidence that it did not allow. It is not signed: only its address vouches for it. */
export interface Refusal {
  readonly decision: 'allow' | 'deny' | 'indeterminate';
  /** Null if the service did not state it. */
  readonly decisionId: string | null;
  /** Codes of the failed and undecided checks, most important first. */
  readonly reasons: readonly string[];
  /** Checks that did not pass: `fail`, `warn` and `unavailable`. */
  readonly checks: readonly Check[];
  /** Whether a later decision about the same request may differ. */
  readonly retryable: boolean;
}

/** The decision of the service is no current allow: deny, indeterminate, or historical. */
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

/** There is no decision, or an unreadable one. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /**
   * The code of the service's problem document; or `no_answer` if the exchange failed, `status_unexpected` if the
   * answer is neither 200 nor a problem document, `answer_invalid` if a 200 has an unexpected body.
   */
  readonly code: string;
  /** HTTP status; null if there was no answer. */
  readonly status: number | null;

  constructor(code: string, status: number | null, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}
