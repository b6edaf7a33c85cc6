import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import type { TdAttributesClaim } from '../../core/claims.js';
import { isZero } from '../../formats/byte-reader.js';
import { SERVTD_EXT, type TdReportBody } from './format/td-report-body.js';

/** Defined TDATTRIBUTES bits (Intel TDX Module ABI Specification, ATTRIBUTES). */
const ATTRIBUTES: { readonly [name in keyof TdAttributesClaim]: bigint } = {
  debug: 1n,
  septVeDisable: 1n << 28n,
  migratable: 1n << 29n,
  pks: 1n << 30n,
  keyLocker: 1n << 31n,
  perfmon: 1n << 63n,
  icssd: 1n << 16n,
  lass: 1n << 27n,
  serviceTdExt: SERVTD_EXT,
  tpa: 1n << 62n,
};

/**
 * The other bits of byte 0 are profiling bits, which also put a TD under debug, or reserved. All other bits are
 * reserved.
 */
const KNOWN_ATTRIBUTES = Object.values(ATTRIBUTES).reduce((all, bit) => all | bit);

/** x87 and SSE, which every TD has. */
const XFAM_ALWAYS = 0x3n;
/** The bits of XFAM that TDX defines: x87, SSE, AVX, AVX-512, PT, PKRU, CET, UINTR, LBR and AMX. */
const XFAM_KNOWN = 0x6dbe7n;

/**
 * Verifies the properties of a TD that every policy requires. Reads signed bytes only.
 *
 * Not checked here: SEPT_VE_DISABLE, MIGRATABLE, PERFMON, a mask for XFAM, MRSERVICETD (`tdx_service_td`) and all
 * measurements. Their right values depend on the TD, so they are claims, and a policy decides.
 */
export function verifyTd(checks: Checks, body: TdReportBody): void {
  const { tdAttributes, seamAttributes, xfamBits } = body;
  const debug = (tdAttributes & ATTRIBUTES.debug) !== 0n;
  checks.require(!debug, 'tdx_debug', {
    expected: false,
    actual: debug,
  });
  const foreign = tdAttributes & ~KNOWN_ATTRIBUTES;
  checks.require(foreign === 0n, 'tdx_attributes', {
    expected: '0x0',
    actual: `0x${foreign.toString(16)}`,
    detail: 'the TD has no attribute that is reserved or lets the host profile it',
    otherwise: 'the TD has attributes that are reserved or let the host profile it: the bits shown',
  });
  const missing = XFAM_ALWAYS & ~xfamBits;
  const reserved = xfamBits & ~XFAM_KNOWN;
  checks.require(missing === 0n && reserved === 0n, 'tdx_xfam', {
    expected: `0x3 set, none but 0x${XFAM_KNOWN.toString(16)}`,
    actual: `0x${xfamBits.toString(16)}`,
    detail: 'XFAM has the bits that every TD has, and no reserved bit',
    otherwise: 'XFAM has a reserved bit, or lacks one that every TD has',
    faults: [
      ...(missing === 0n ? [] : [`the bits 0x${missing.toString(16)} set`]),
      ...(reserved === 0n ? [] : [`the reserved bits 0x${reserved.toString(16)} clear`]),
    ],
  });
  checks.require(isZero(seamAttributes), 'tdx_seam_attributes', {
    expected: '0000000000000000',
    actual: hex(seamAttributes),
  });
}

export function tdAttributesClaim(tdAttributes: bigint): TdAttributesClaim {
  const members = Object.entries(ATTRIBUTES).map(([name, bit]) => [name, (tdAttributes & bit) !== 0n]);
  return Object.fromEntries(members) as TdAttributesClaim;
}
