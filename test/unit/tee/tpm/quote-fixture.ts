import { expect } from 'vitest';
import type { TpmQuoteInput } from '../../../../src/core/evidence.js';
import type { ExpectedBinding } from '../../../../src/core/verification.js';
import type { Verified } from '../../../../src/core/verified.js';
import type { EcCurve } from '../../../../src/formats/public-key.js';
import type { QuoteKey, TpmQuoteVerification } from '../../../../src/tee/shared/evidence/parts.js';
import { Tpm2QuoteVerifier } from '../../../../src/tee/tpm/tpm-quote-verifier.js';
import type { VirtualTpm } from '../../../lab/index.js';

/** A quote judged under the key of a TPM, as if something else vouched for that key. */

export const QUOTE = '/evidence/tpmQuote';

const verifier = new Tpm2QuoteVerifier();

export function judgeQuote(
  tpm: VirtualTpm,
  quote: TpmQuoteInput,
  binding: ExpectedBinding | null = null,
): TpmQuoteVerification {
  const bytes = (member: string) => Uint8Array.from(Buffer.from(String(tpm.publicJwk[member]), 'base64url'));
  const { crv } = tpm.publicJwk;
  const key: QuoteKey =
    crv === undefined
      ? { kind: 'rsa', modulus: bytes('n'), exponent: bytes('e') }
      : { kind: 'ec', curve: crv as EcCurve, x: bytes('x'), y: bytes('y') };
  return verifier.open(quote, QUOTE).verify(key as Verified<QuoteKey>, binding);
}

/** Asserts that every check of a quote was made and passed. */
export function expectQuoteVerified(found: TpmQuoteVerification): void {
  expect(found.checks.filter(({ result }) => result !== 'pass')).toEqual([]);
  expect(verifier.required.filter((id) => !found.checks.some((check) => check.id === id))).toEqual([]);
  expect(found.claims).not.toBeNull();
}
