import type { SnpEvidence } from '../../core/evidence.js';
import { lowS } from '../../crypto/ecdsa.js';
import type { IdentityParts } from '../shared/evidence/identity.js';
import { present } from '../shared/evidence/mark-verified.js';
import { SNP_REPORT_LENGTH, SNP_SIGNATURE } from './format/snp-report.js';

export function snpIdentity({ report, runtimeData }: SnpEvidence): IdentityParts {
  return { first: reportWithLowS(report, 0), ...present({ runtimeData }) };
}

/**
 * Returns the bytes with the smaller s in the report's signature. Returns bytes that are too short for a report
 * unchanged; the parser rejects them.
 *
 * @param report offset of the report
 */
export function reportWithLowS(bytes: Uint8Array, report: number): Uint8Array {
  if (bytes.byteLength < report + SNP_REPORT_LENGTH) return bytes;
  const { length } = SNP_SIGNATURE;
  const [r, s] = [report + SNP_SIGNATURE.r, report + SNP_SIGNATURE.s];
  const bigEndian = (start: number) => Buffer.from(bytes.subarray(start, start + length)).reverse();
  const reduced = Buffer.from(lowS('P-384', Buffer.concat([bigEndian(r), bigEndian(s)])).subarray(length)).reverse();
  if (reduced.equals(bytes.subarray(s, s + length))) return bytes;
  const copy = Uint8Array.from(bytes);
  copy.set(reduced, s);
  return copy;
}
