import type { Decision } from '../model/decision.js';
import type { Log } from '../model/ports.js';
import { type ReceiptIssuer, ReceiptUnavailableError } from '../model/receipt.js';
import type { Caller, VerifyRequest } from '../model/request.js';
import type { VerifyEvidenceUseCase } from './verify-evidence.js';
import { withhold } from './withheld-decision.js';

export interface SignDecisionsParts {
  readonly verifyEvidence: VerifyEvidenceUseCase;
  readonly receipts: ReceiptIssuer;
  readonly log: Log;
}

/** Judges, and signs what came of it. An allow whose receipt cannot be signed does not leave. */
export class SignDecisions implements VerifyEvidenceUseCase {
  readonly #parts: SignDecisionsParts;

  constructor(parts: SignDecisionsParts) {
    this.#parts = parts;
  }

  /** @throws {FormatError | RefusedError} as `VerifyEvidence.execute` */
  async execute(request: VerifyRequest, caller: Caller): Promise<Decision> {
    const decision = await this.#parts.verifyEvidence.execute(request, caller);
    const { audience, nonce, bindingJwk } = request;
    try {
      const receipt = await this.#parts.receipts.issue(decision, {
        audience,
        nonce,
        bindingJwk,
        tenant: caller.tenant,
      });
      return { ...decision, receipt };
    } catch (error) {
      if (!(error instanceof ReceiptUnavailableError)) throw error;
      this.#parts.log.error({ err: error, decisionId: decision.decisionId }, 'a receipt was not signed');
      return withhold(decision, 'receipt_unavailable');
    }
  }
}
