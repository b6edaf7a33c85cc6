import { LRUCache } from 'lru-cache';
import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { sha256 } from '../../crypto/digest.js';
import { verifyP256 } from '../../crypto/ecdsa.js';
import { p256PublicKey, publicKeyOf } from '../../crypto/key-cache.js';
import { isZero } from '../../formats/byte-reader.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { EnclaveReport } from './format/enclave-report.js';
import type { TdQuote } from './format/td-quote.js';
import type { SvnLevel } from './intel/collateral-json.js';
import type { QeIdentity } from './intel/qe-identity.js';

/** QE vendor id 939A7233-F79C-4CA9-940A-0DB3957F0607 (Intel). */
const INTEL_QE_VENDOR_ID = Buffer.from('939a7233f79c4ca9940a0db3957f0607', 'hex');

export function verifyVendor(checks: Checks, { qeVendorId }: TdQuote): boolean {
  return checks.require(equalInConstantTime(qeVendorId, INTEL_QE_VENDOR_ID), 'tdx_qe_vendor', {
    expected: hex(INTEL_QE_VENDOR_ID),
  });
}

/**
 * Verifies the reports of quoting enclaves under PCK keys, and caches valid ones. An enclave keeps its attestation key
 * for a long time, so many quotes contain the same report.
 */
export class QeReports {
  readonly #genuine = new LRUCache<string, true>({ max: 4096 });

  /** Verifies the ECDSA P-256 signature with SHA-256 by the PCK key over the 384 bytes. */
  verifySignature(checks: Checks, { qe }: TdQuote, leaf: X509Certificate): boolean {
    return checks.require(this.#holds(qe, leaf), 'tdx_qe_report_signature');
  }

  #holds({ report, signature }: TdQuote['qe'], leaf: X509Certificate): boolean {
    // Report and signature have fixed lengths and the key comes last, so the concatenation is unambiguous.
    const key = hex(sha256(report.bytes, signature, leaf.spki));
    if (this.#genuine.has(key)) return true;
    const holds = verifyP256('sha256', report.bytes, signature, publicKeyOf(leaf));
    if (holds) this.#genuine.set(key, true);
    return holds;
  }
}

/**
 * Requires that REPORTDATA of the QE report is SHA-256(attestation key ‖ QE authentication data), followed by zeros.
 */
export function verifyQeBinding(checks: Checks, { qe, attestationKey }: TdQuote): boolean {
  const expected = sha256(attestationKey, qe.authData);
  const { reportData } = qe.report;
  const holds = equalInConstantTime(expected, reportData.subarray(0, 32)) && isZero(reportData.subarray(32));
  return checks.require(holds, 'tdx_qe_binding', {
    expected: hex(expected),
    actual: hex(reportData),
  });
}

/** Verifies the ECDSA P-256 signature with SHA-256 by the attestation key over header, body descriptor and body. */
export function verifyQuoteSignature(checks: Checks, quote: TdQuote): boolean {
  const key = p256PublicKey(quote.attestationKey);
  const holds = key !== null && verifyP256('sha256', quote.signed, quote.signature, key);
  return checks.require(holds, 'tdx_signature');
}

/**
 * Requires that DEBUG is clear, regardless of the mask in the QE identity. The host can read and write the memory of a
 * debug enclave, and so extract its attestation key.
 */
export function verifyQeDebug(checks: Checks, { debug }: EnclaveReport): boolean {
  return checks.require(!debug, 'tdx_qe_debug', {
    expected: false,
    actual: debug,
  });
}

/**
 * Requires that the report is for the enclave in Intel's QE identity.
 *
 * @returns the TCB level of its ISVSVN; null for another enclave, without a level, or if the level is `Revoked`
 */
export function verifyQeIdentity(checks: Checks, report: EnclaveReport, identity: QeIdentity): SvnLevel | null {
  const same = equalInConstantTime(report.mrSigner, identity.mrSigner) && report.isvProdId === identity.isvProdId;
  checks.require(same, 'tdx_qe_identity', {
    expected: { mrSigner: hex(identity.mrSigner), isvProdId: identity.isvProdId },
    actual: { mrSigner: hex(report.mrSigner), isvProdId: report.isvProdId },
    detail: 'the quoting enclave is the one that the QE identity describes',
    otherwise: 'the quoting enclave is not the one that the QE identity describes',
  });
  const masked =
    equalUnderMask(report.miscSelect, identity.miscSelectMask, identity.miscSelect) &&
    equalUnderMask(report.attributes, identity.attributesMask, identity.attributes);
  checks.require(masked, 'tdx_qe_attributes', {
    expected: { miscSelect: hex(identity.miscSelect), attributes: hex(identity.attributes) },
    actual: { miscSelect: hex(report.miscSelect), attributes: hex(report.attributes) },
  });
  const level = verifyQeSvn(checks, report, identity);
  return same && masked ? level : null;
}

function verifyQeSvn(checks: Checks, { isvSvn }: EnclaveReport, { levels }: QeIdentity): SvnLevel | null {
  const level = levels.find((candidate) => isvSvn >= candidate.isvSvn);
  const good = level !== undefined && level.tcbStatus !== 'Revoked';
  checks.require(good, 'tdx_qe_svn', {
    expected: levels.filter(({ tcbStatus }) => tcbStatus !== 'Revoked').at(-1)?.isvSvn ?? null,
    actual: isvSvn,
    otherwise:
      level === undefined
        ? 'no TCB level covers this version of the quoting enclave'
        : 'Intel has revoked this version of the quoting enclave',
  });
  return good ? level : null;
}

/** Whether the bits under the mask equal the expected bits. */
export function equalUnderMask(value: Uint8Array, mask: Uint8Array, expected: Uint8Array): boolean {
  return value.every((byte, index) => (byte & (mask[index] ?? 0)) === expected[index]);
}
