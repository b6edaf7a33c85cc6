/**
 * The step of docs/receipts.md ("How to check one") that a receipt fails. Codes are API: each belongs to one step;
 * `receipt_keys_unavailable` means that step 3 was not possible.
 */
export type ReceiptErrorCode =
  | 'receipt_form'
  | 'receipt_header'
  | 'receipt_key'
  | 'receipt_keys_unavailable'
  | 'receipt_signature'
  | 'receipt_issuer'
  | 'receipt_audience'
  | 'receipt_nonce'
  | 'receipt_time'
  | 'receipt_profile'
  | 'receipt_policy'
  | 'receipt_evidence_type'
  | 'receipt_decision'
  | 'receipt_binding';

/** The step of docs/receipts.md for each code. */
export const RECEIPT_STEPS: Readonly<Record<ReceiptErrorCode, number>> = Object.freeze({
  receipt_form: 1,
  receipt_header: 2,
  receipt_key: 3,
  receipt_keys_unavailable: 3,
  receipt_signature: 4,
  receipt_issuer: 5,
  receipt_audience: 6,
  receipt_nonce: 7,
  receipt_time: 8,
  receipt_profile: 9,
  receipt_policy: 10,
  receipt_evidence_type: 11,
  receipt_decision: 12,
  receipt_binding: 13,
});

/**
 * A receipt was rejected. The message is a readable sentence. It contains nothing of a receipt with an unverified
 * signature, and never a nonce.
 */
export class ReceiptError extends Error {
  override readonly name = 'ReceiptError';
  readonly code: ReceiptErrorCode;
  /** Number of the step of docs/receipts.md. */
  readonly step: number;

  constructor(code: ReceiptErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.step = RECEIPT_STEPS[code];
  }
}
