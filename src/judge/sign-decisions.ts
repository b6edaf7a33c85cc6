import type { Decision } from '../core/decision.js';
import type { Log } from '../core/ports.js';
import { type ReceiptIssuer, ReceiptUnavailableError, type RemainingTime } from '../core/receipt.js';
import type { Caller, VerifyRequest } from '../core/request.js';
import { NO_TRACER, type Tracer } from '../core/traces.js';
import { FetchTime } from './fetch-time.js';
import type { VerifyEvidenceUseCase } from './verify-evidence.js';
import { withhold } from './withheld-decision.js';

export interface SignDecisionsParts {
  readonly verifyEvidence: VerifyEvidenceUseCase;
  readonly receipts: ReceiptIssuer;
  /** Time of a request. What judging took of it, signing does not have. */
  readonly deadlineMs: number;
  readonly log: Log;
  /** Left out: nothing is traced. */
  readonly tracer?: Tracer;
}

/** Judges, and signs what came of it. An allow whose receipt cannot be signed does not leave. */
export class SignDecisions implements VerifyEvidenceUseCase {
  readonly #parts: SignDecisionsParts;

  constructor(parts: SignDecisionsParts) {
    this.#parts = parts;
  }

  /** @throws {FormatError | RefusedError} as `VerifyEvidence.execute` */
  async execute(request: VerifyRequest, caller: Caller): Promise<Decision> {
    const time = new FetchTime(this.#parts.deadlineMs, caller.principal);
    try {
      return await this.#sign(await this.#parts.verifyEvidence.execute(request, caller), request, caller, time);
    } finally {
      time.end();
    }
  }

  async #sign(
    decision: Decision,
    { audience, nonce, bindingJwk }: VerifyRequest,
    { tenant }: Caller,
    time: RemainingTime,
  ): Promise<Decision> {
    const { receipts, log, tracer = NO_TRACER } = this.#parts;
    const issue = () => receipts.issue(decision, { audience, nonce, bindingJwk, tenant }, time);
    try {
      return { ...decision, receipt: await (audience === null ? issue() : tracer.span('sign receipt', issue)) };
    } catch (error) {
      if (!(error instanceof ReceiptUnavailableError)) throw error;
      const { decisionId } = decision;
      log.error({ err: error, reason: error.message, decisionId }, 'a receipt was not signed');
      return withhold(decision, 'receipt_unavailable');
    }
  }
}
