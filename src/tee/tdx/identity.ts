import type { TdxEvidence } from '../../core/evidence.js';
import { lowS } from '../../crypto/ecdsa.js';
import type { IdentityParts } from '../shared/evidence/identity.js';
import { present } from '../shared/evidence/mark-verified.js';
import { signaturesOfTdQuote, TD_QUOTE_SIGNATURE_LENGTH } from './format/td-quote.js';

export function tdxIdentity({ quote, runtimeData, ccel }: TdxEvidence): IdentityParts {
  return { first: quoteWithLowS(quote), ...present({ runtimeData, eventLog: ccel }) };
}

/**
 * Returns the quote with the smaller s in both of its signatures: by the attestation key, and by the PCK key over the
 * QE report. Does not change the signatures of its certificates. Returns other bytes unchanged; the parser rejects
 * them.
 */
export function quoteWithLowS(bytes: Uint8Array): Uint8Array {
  let quote = bytes;
  for (const start of signaturesOfTdQuote(bytes)) {
    const signature = bytes.subarray(start, start + TD_QUOTE_SIGNATURE_LENGTH);
    const low = lowS('P-256', signature);
    if (low === signature) continue;
    if (quote === bytes) quote = Uint8Array.from(bytes);
    quote.set(low, start);
  }
  return quote;
}
