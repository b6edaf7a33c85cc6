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
   * Resolves with a valid receipt that says allow, and rejects in every other case: it never resolves with false, null or
   * undefined. A nonce is accepted once.
   *
   * Returns a promise, which is true if `await` is missing: `if (verifier.verify(…))` lets everybody in.
   * `whenAllowed` cannot be used wrongly in this way.
   *
   * @param receipt the JWS, and nothing around it
   * @throws {ReceiptError} whose `code` says which step of docs/receipts.md does not hold
   * @throws {TypeError} for a nonce that is none, and whatever else is wrong with the call
   */
  verify(receipt: string, demand: ReceiptDemand): Promise<VerifiedReceipt>;
  /**
   * Calls `action` once the receipt is verified, and never else. Resolves with what it returns.
   *
   * @throws as `verify`, and what `action` throws
   */
  whenAllowed<T>(
    receipt: string,
    demand: ReceiptDemand,
    action: (verified: VerifiedReceipt) => T | Promise<T>,
  ): Promise<T>;
}

/**
 * @throws {TypeError} that says what to do, where anything is missing, empty, or not known
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
    // Nothing is awaited between here and the answer: of two that are verified at once, one is the second.
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

  /** The key set may have been waited for: the receipt has to hold still. */
  #acceptOnce(nonce: string, endsAt: number, now: number): void {
    if (!(endsAt > now)) throw new ReceiptError('receipt_time', 'The receipt ended while it was verified.');
    if (this.#accepted.accept(nonce, endsAt, now)) return;
    throw new ReceiptError('receipt_nonce', 'A receipt with this nonce may have been accepted before.');
  }
}

/** @throws {TypeError} where an action would not be called, nor anything said */
export function requireAction(action: unknown): void {
  if (optionalFunction(action, 'action') === undefined) throw new TypeError('action is missing: pass a function');
}
