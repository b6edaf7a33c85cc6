import { hex } from '../core/bytes.js';
import type { Evidence } from '../core/evidence.js';
import { sha256 } from '../crypto/digest.js';
import { TEES } from './registry.js';
import type { IdentityParts, SmallerS } from './shared/evidence/identity.js';
import { reportWithLowS } from './snp/identity.js';
import { quoteWithLowS } from './tdx/identity.js';

/** Size of the length prefix of each part. */
const LENGTH_BYTES = 4;

const SMALLER_S: SmallerS = { snpReport: reportWithLowS, tdQuote: quoteWithLowS };

/**
 * Computes the identity of evidence: a SHA-256, hex. It is the same for native form and dialect, and for any
 * endorsements. The hash covers these parts in this order:
 *
 * - the report, the quote or the paravisor's report, or the signing input of a token alone
 * - the TD quote, if the first part is the paravisor's report
 * - message, signature and SHA-256 PCRs of the TPM quote
 * - runtime data
 * - event log
 *
 * Each part follows its length in 4 bytes big endian; an absent part has length 0. The signatures (r, s) and (r, n-s)
 * verify alike, so the one with the smaller s is hashed.
 */
export function evidenceSha256(evidence: Evidence): string {
  const parts = inOrder(partsOf(evidence));
  const all = Buffer.allocUnsafe(parts.reduce((sum, { byteLength }) => sum + LENGTH_BYTES + byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    offset = all.writeUInt32BE(part.byteLength, offset);
    all.set(part, offset);
    offset += part.byteLength;
  }
  return hex(sha256(all));
}

function partsOf(evidence: Evidence): IdentityParts {
  const identity: (evidence: never, smallerS: SmallerS) => IdentityParts = TEES[evidence.type].identity;
  return identity(evidence as never, SMALLER_S);
}

function inOrder({ first, tdQuote, tpmQuote, runtimeData, eventLog }: IdentityParts): readonly Uint8Array[] {
  const none = new Uint8Array();
  const { message, signature, pcrs } = tpmQuote ?? { message: none, signature: none, pcrs: none };
  return [first ?? none, tdQuote ?? none, message, signature, pcrs, runtimeData ?? none, eventLog ?? none];
}
