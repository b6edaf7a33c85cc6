import { createHash } from 'node:crypto';
import { lowS } from '../crypto/ecdsa.js';
import { SNP_REPORT_LENGTH } from '../formats/snp-report.js';
import type { Evidence, TpmQuoteInput } from '../model/evidence.js';

/** Offset of the hardware report in the paravisor's report. */
const HCL_HARDWARE_REPORT = 0x20;

/**
 * SHA-256 of the evidence, hex: one identity for the same evidence in native form and dialect, whatever endorsements
 * come with it. Over report, quote or paravisor report; TD quote; message, signature and SHA-256 PCRs of the TPM
 * quote; runtime data; event log; or, of a token alone, its signing input; in this order, each preceded by its length in
 * 4 bytes big endian, an absent one having length 0. Of the two signatures (r, s) and (r, n-s), which verify alike, the one with the smaller s counts.
 */
export function evidenceSha256(evidence: Evidence): string {
  const counted = Buffer.concat(partsOf(evidence).flatMap((part) => [lengthOf(part), part]));
  return createHash('sha256').update(counted).digest('hex');
}

function partsOf(evidence: Evidence): readonly Uint8Array[] {
  const none = new Uint8Array();
  if (evidence.type === 'snp') {
    return [withLowS(evidence.report, 0), none, none, none, none, evidence.runtimeData ?? none, none];
  }
  if (evidence.type === 'az-snp-vtpm') {
    return [withLowS(evidence.hclReport, HCL_HARDWARE_REPORT), none, ...quoteParts(evidence.tpmQuote), none, none];
  }
  return [signingInput(evidence.token), none, none, none, none, none, none];
}

/** What the issuer signed. The signature is no part of a token's identity: for PS384 there are many for one token. */
function signingInput(token: string): Uint8Array {
  return Buffer.from(token.slice(0, token.lastIndexOf('.')), 'ascii');
}

function lengthOf(part: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.byteLength);
  return length;
}

function quoteParts(quote: TpmQuoteInput): readonly Uint8Array[] {
  const values = [...(quote.pcrs.get('sha256') ?? [])].sort(([a], [b]) => a - b);
  return [quote.message, quote.signature, Buffer.concat(values.map(([, value]) => value))];
}

/** Bytes that are too short for a report have no signature to reduce; they are refused elsewhere. */
function withLowS(bytes: Uint8Array, report: number): Uint8Array {
  if (bytes.byteLength < report + SNP_REPORT_LENGTH) return bytes;
  const [r, s] = [report + 0x2a0, report + 0x2e8];
  const bigEndian = (start: number) => Buffer.from(bytes.subarray(start, start + 48)).reverse();
  const reduced = Buffer.from(lowS('P-384', Buffer.concat([bigEndian(r), bigEndian(s)])).subarray(48)).reverse();
  if (reduced.equals(bytes.subarray(s, s + 48))) return bytes;
  const copy = Uint8Array.from(bytes);
  copy.set(reduced, s);
  return copy;
}
