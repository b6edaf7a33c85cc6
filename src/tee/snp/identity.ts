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
  const { s, length } = SNP_SIGNATURE;
  const start = report + s;
  // Big endian, as `lowS` reads it. `lowS` ignores r.
  const rawRS = new Uint8Array(2 * length);
  rawRS.set(bytes.subarray(start, start + length), length);
  rawRS.subarray(length).reverse();
  const lowered = lowS('P-384', rawRS);
  if (lowered === rawRS) return bytes;
  const copy = Uint8Array.from(bytes);
  copy.set(lowered.subarray(length).reverse(), start);
  return copy;
}
