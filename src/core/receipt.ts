import type { Decision } from './decision.js';
import type { JsonObject } from './json.js';

/** Profile of a receipt: EAR (draft-fv-rats-ear). */
export const EAR_PROFILE = 'tag:github.com,2023:veraison/ear';

/** Whether a name is reserved for the service, such as the audience of a receipt without an allow. */
export function isOwnName(audience: string): boolean {
  return audience.toLowerCase().startsWith('urn:veritee:');
}

/** The members of a request in a receipt, beside the decision. */
export interface ReceiptRequest {
  /** The relying party. Null: no receipt. */
  readonly audience: string | null;
  readonly tenant: string;
  readonly nonce: Uint8Array | null;
  /** The public key that the request bound. */
  readonly bindingJwk: JsonObject | null;
}

/** The remaining time of a request. */
export interface RemainingTime {
  /** Aborts when the time has passed. */
  readonly signal: AbortSignal;
  /** Principal of the caller, for fair turns at a vault. Undefined: the service itself. */
  readonly principal?: string;
}

/** Signs decisions. */
export interface ReceiptIssuer {
  /**
   * Returns a signed receipt (a JWS in compact form); null if the decision has none.
   * @throws {ReceiptUnavailableError} if it cannot be signed in time
   */
  issue(decision: Decision, request: ReceiptRequest, time: RemainingTime): Promise<string | null>;
}

/** A receipt cannot be signed now. The message is for the log. */
export class ReceiptUnavailableError extends Error {
  override readonly name = 'ReceiptUnavailableError';
}
