import { AcceptedNonces } from './accepted-nonces.js';
import { checkReceipt, type VerifiedReceipt } from './check-receipt.js';
import {
  optionalFunction,
  type ReceiptDemand,
  type ReceiptVerifierOptions,
  readDemand,
  readVerifierOptions,
  type VerifierSettings,
} from './options.js';
import { ReceiptError } from './receipt-error.js';

/** Verifies receipts for one relying party. */
export interface ReceiptVerifier {
  /**
   * Resolves with a valid receipt for an allow, and rejects in every other case: it never resolves with false, null or
   * undefined. A nonce is accepted once.
   *
   * Returns a promise, which is true if `await` is missing: `if (verifier.verify(…))` lets every request in.
   * `whenAllowed` cannot be misused in this way.
   *
   * @param receipt the JWS alone
   * @throws {ReceiptError} with the failed step of docs/receipts.md in `code`
   * @throws {TypeError} for an invalid nonce, and other faults of the call
   */
  verify(receipt: string, demand: ReceiptDemand): Promise<VerifiedReceipt>;
  /**
   * Calls `action` once the receipt is verified, and in no other case. Resolves with its result.
   *
   * @throws as `verify`, and the errors of `action`
   */
  whenAllowed<T>(
    receipt: string,
    demand: ReceiptDemand,
    action: (verified: VerifiedReceipt) => T | Promise<T>,
  ): Promise<T>;
}

/**
 * @throws {TypeError} with the remedy, if an option is missing, empty, or unknown
 */
export function createReceiptVerifier(options: ReceiptVerifierOptions): ReceiptVerifier {
  return Object.freeze(new SingleUseVerifier(readVerifierOptions(options)));
}

export class SingleUseVerifier implements ReceiptVerifier {
  readonly #settings: VerifierSettings;
  readonly #accepted = new AcceptedNonces();

  constructor(settings: VerifierSettings) {
    this.#settings = settings;
  }

  async verify(receipt: string, demand: ReceiptDemand): Promise<VerifiedReceipt> {
    const { nonce, boundKey = null } = readDemand(demand, ['nonce', 'boundKey']);
    const { keys, clock, issuer, audience, subject, policies, evidenceTypes } = this.#settings;
    const expected = { issuer, audience, subject, policies, evidenceTypes, nonce, binding: boundKey };
    const verified = await checkReceipt(receipt, keys, expected, clock());
    // No await follows before the result: of two concurrent calls with one nonce, the second fails.
    this.#acceptOnce(nonce, Date.parse(verified.expiresAt), clock().getTime());
    return verified;
  }

  async whenAllowed<T>(
    receipt: string,
    demand: ReceiptDemand,
    action: (verified: VerifiedReceipt) => T | Promise<T>,
  ): Promise<T> {
    requireAction(action);
    return action(await this.verify(receipt, demand));
  }

  /** The fetch of the key set may take time: the receipt must still be valid. */
  #acceptOnce(nonce: string, endsAt: number, now: number): void {
    if (!(endsAt > now)) throw new ReceiptError('receipt_time', 'The receipt ended while it was verified.');
    if (this.#accepted.accept(nonce, endsAt, now)) return;
    throw new ReceiptError('receipt_nonce', 'A receipt with this nonce may have been accepted before.');
  }
}

/** @throws {TypeError} if the action is no function, which would silently never be called */
export function requireAction(action: unknown): void {
  if (optionalFunction(action, 'action') === undefined) throw new TypeError('action is missing: pass a function');
}
