import { nullIfMalformed } from '../../core/errors.js';
import type { TpmEvidence, TpmQuoteInput } from '../../core/evidence.js';
import { lowS, rawEcdsa } from '../../crypto/ecdsa.js';
import { type IdentityParts, identityOfEventLog, identityOfTpmQuote } from '../shared/evidence/identity.js';
import { parseTpmSignature } from './format/tpmt-signature.js';

/** Length of scheme and hash in a TPMT_SIGNATURE. */
const TPMT_HEADER_LENGTH = 4;

export function tpmIdentity({ tpmQuote, eventLog }: TpmEvidence): IdentityParts {
  return { tpmQuote: identityOfTpmQuote(withLowS(tpmQuote)), eventLog: identityOfEventLog(eventLog) };
}

/**
 * Normalises an ECDSA signature: each number in the length of the curve's field, with the smaller s. The lengths of the
 * numbers select the curve. A P-384 number is as short as one of P-256 with a probability of 2^-127.
 */
function withLowS(quote: TpmQuoteInput): TpmQuoteInput {
  const read = nullIfMalformed(() => parseTpmSignature(quote.signature, null));
  if (read?.scheme !== 'ecdsa') return quote;
  const curve = read.r.byteLength > 32 || read.s.byteLength > 32 ? 'P-384' : 'P-256';
  const raw = rawEcdsa(read, curve);
  if (raw === null) return quote;
  const header = quote.signature.subarray(0, TPMT_HEADER_LENGTH);
  return { ...quote, signature: Buffer.concat([header, lowS(curve, raw)]) };
}
