import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { sha384 } from '../../crypto/digest.js';
import { isZero } from '../../formats/byte-reader.js';
import type { TdQuote } from './format/td-quote.js';
import type { TdReport } from './format/td-report.js';

/** Verifies that the quote was made from the TDREPORT. @returns whether it was */
export function verifyTdReport(checks: Checks, report: TdReport, quote: TdQuote): boolean {
  const matches = verifyTdReportMatch(checks, report, quote);
  refuseUnquotedServiceTd(checks, report, quote);
  return matches;
}

/**
 * Requires that every field of the TDREPORT that the quote also has is equal in both, and that the hashes in the
 * TDREPORT are the hashes of its parts. A remote verifier cannot verify the MAC of a TDREPORT, so only the quote
 * counts.
 *
 * A failed check shows the values of the quote only, because nothing vouches for the values of the TDREPORT.
 *
 * Compares bytes, before signatures and collateral are verified. Not compared, because the quote does not have them:
 * CPUSVN and MAC, and TEE_TCB_SVN_2 for a TD 1.0 body. For MRSERVICETD see `refuseUnquotedServiceTd`.
 *
 * @returns whether all of them are equal
 */
function verifyTdReportMatch(checks: Checks, report: TdReport, { body }: TdQuote): boolean {
  const pairs: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
    ['REPORTDATA', report.reportData, body.reportData],
    ['TEE_TCB_SVN', report.teeTcbSvn, body.teeTcbSvn],
    ['MRSEAM', report.mrSeam, body.mrSeam],
    ['MRSIGNERSEAM', report.mrSignerSeam, body.mrSignerSeam],
    ['SEAMATTRIBUTES', report.seamAttributes, body.seamAttributes],
    ['TDATTRIBUTES', report.tdAttributes, littleEndian(body.tdAttributes)],
    ['XFAM', report.xfam, body.xfam],
    ['MRTD', report.mrTd, body.mrTd],
    ['MRCONFIGID', report.mrConfigId, body.mrConfigId],
    ['MROWNER', report.mrOwner, body.mrOwner],
    ['MROWNERCONFIG', report.mrOwnerConfig, body.mrOwnerConfig],
    ...report.rtmr.map((value, index) => [`RTMR${index}`, value, body.rtmr[index] ?? NOTHING] as const),
    ...(body.td15 === null
      ? []
      : ([
          ['TEE_TCB_SVN_2', report.teeTcbSvn2, body.td15.teeTcbSvn2],
          ['MRSERVICETD', report.servTdHash, body.td15.mrServiceTd],
        ] as const)),
  ];
  const differing = pairs.filter(([, reported, quoted]) => Buffer.compare(reported, quoted) !== 0);
  const fits = holdsTdReportHashes(report);
  return checks.require(fits && differing.length === 0, 'tdx_report_mismatch', {
    expected: Object.fromEntries(differing.map(([name, , quoted]) => [name, hex(quoted)])),
    otherwise: fits
      ? `the quote was not made from this TDREPORT: ${differing.map(([name]) => name).join(', ')}`
      : 'the TDREPORT has hashes that are not those of its own fields',
  });
}

/**
 * Rejects a TDREPORT that names a service TD, if the quote has a TD 1.0 body. Only a TD 1.5 body has the hash of the
 * service TD, which a policy appraises. Records nothing if the TDREPORT names no service TD.
 */
function refuseUnquotedServiceTd(checks: Checks, { servTdHash }: TdReport, { body }: TdQuote): void {
  if (body.td15 !== null || isZero(servTdHash)) return;
  checks.fail('tdx_service_td', {
    detail: 'a service TD is bound, and the quote has a TD 1.0 body, which does not say which one: a TD 1.5 body does',
  });
}

/**
 * Whether the hashes in a TDREPORT are the hashes of its two parts. This does not prove that the report is genuine: the
 * author of a forged report also writes its hashes.
 */
export function holdsTdReportHashes(report: TdReport): boolean {
  return (
    equalInConstantTime(sha384(report.teeTcbInfo), report.teeTcbInfoHash) &&
    equalInConstantTime(sha384(report.tdInfo), report.tdInfoHash)
  );
}

const NOTHING = new Uint8Array();

function littleEndian(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
