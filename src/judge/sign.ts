import type { Decision } from '../core/decision.js';
import type { Log } from '../core/ports.js';
import { type ReceiptIssuer, ReceiptUnavailableError, type RemainingTime } from '../core/receipt.js';
import type { Caller, VerifyRequest } from '../core/request.js';
import type { Tracer } from '../core/traces.js';
import type { Waits } from './waits.js';
import { withhold } from './withheld-decision.js';

export interface SignParts {
  /** Null: no receipts are signed. */
  readonly receipts: ReceiptIssuer | null;
  readonly waits: Waits;
  readonly log: Log;
  readonly tracer: Tracer;
}

/**
 * Signs a receipt and adds it to the decision. Withholds an allow whose receipt cannot be signed.
 * @param time the time of the request; signing gets the part that verification leaves
 */
export async function signOrWithhold(
  { receipts, waits, log, tracer }: SignParts,
  decision: Decision,
  { audience, nonce, bindingJwk }: VerifyRequest,
  { tenant }: Pick<Caller, 'tenant'>,
  time: RemainingTime,
): Promise<Decision> {
  if (receipts === null) return decision;
  const issue = () =>
    waits.elsewhere('sign', () => receipts.issue(decision, { audience, nonce, bindingJwk, tenant }, time));
  try {
    return { ...decision, receipt: await (audience === null ? issue() : tracer.span('sign receipt', issue)) };
  } catch (error) {
    if (!(error instanceof ReceiptUnavailableError)) throw error;
    log.error({ err: error, reason: error.message, decisionId: decision.decisionId }, 'a receipt was not signed');
    return withhold(decision, 'receipt_unavailable');
  }
}
