import type { Decision } from '../core/decision.js';
import {
  type ReceiptIssuer,
  type ReceiptRequest,
  ReceiptUnavailableError,
  type RemainingTime,
} from '../core/receipt.js';
import { type ReceiptIssuerName, receiptClaims } from './receipt-claims.js';
import type { ReceiptKeys } from './receipt-keys.js';

/** `typ` of a receipt (RFC 9782). */
const RECEIPT_TYP = 'eat+jwt';

/** Signs decisions with the current key. */
export class Receipts implements ReceiptIssuer {
  readonly #keys: Pick<ReceiptKeys, 'signing'>;
  readonly #name: () => ReceiptIssuerName | null;

  /** @param name called for each receipt; null until the port is open, unless a name is configured */
  constructor(keys: Pick<ReceiptKeys, 'signing'>, name: () => ReceiptIssuerName | null) {
    this.#keys = keys;
    this.#name = name;
  }

  async issue(decision: Decision, request: ReceiptRequest, time: RemainingTime): Promise<string | null> {
    const name = this.#name();
    if (name === null) throw new ReceiptUnavailableError('the service has no name before it listens');
    const claims = receiptClaims(decision, request, name);
    if (claims === null) return null;
    try {
      return await this.#keys.signing().sign({ typ: RECEIPT_TYP }, Buffer.from(JSON.stringify(claims)), time);
    } catch (cause) {
      if (cause instanceof ReceiptUnavailableError) throw cause;
      throw new ReceiptUnavailableError('the receipt could not be signed', { cause });
    }
  }
}
