import { expect } from 'vitest';
import type { TpmQuoteInput } from '../../../../src/model/evidence.js';
import type { RsaPublicKey } from '../../../../src/model/rsa-public-key.js';
import type { ExpectedBinding } from '../../../../src/model/verification.js';
import type { Verified } from '../../../../src/model/verified.js';
import type { TpmQuoteVerification } from '../../../../src/verifiers/evidence/parts.js';
import { RsaTpmQuoteVerifier } from '../../../../src/verifiers/tpm/tpm-quote-verifier.js';
import type { VirtualTpm } from '../../../lab/index.js';

/** A quote judged under the key of a TPM, as if something else vouched for that key. */

export const QUOTE = '/evidence/tpmQuote';

const verifier = new RsaTpmQuoteVerifier();

export function judgeQuote(
  tpm: VirtualTpm,
  quote: TpmQuoteInput,
  binding: ExpectedBinding | null = null,
): TpmQuoteVerification {
  const bytes = (member: 'n' | 'e') => Uint8Array.from(Buffer.from(String(tpm.publicJwk[member]), 'base64url'));
  const key = { n: bytes('n'), e: bytes('e') } as Verified<RsaPublicKey>;
  return verifier.open(quote, QUOTE).verify(key, binding);
}

/** Asserts that every check of a quote was made and passed. */
export function expectQuoteVerified(found: TpmQuoteVerification): void {
  expect(found.checks.filter(({ result }) => result !== 'pass')).toEqual([]);
  expect(verifier.required.filter((id) => !found.checks.some((check) => check.id === id))).toEqual([]);
  expect(found.claims).not.toBeNull();
}
