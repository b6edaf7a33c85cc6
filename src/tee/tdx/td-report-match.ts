import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { sha384 } from '../../crypto/digest.js';
import { isZero } from '../../formats/byte-reader.js';
import type { TdQuote } from './format/td-quote.js';
import type { TdReport } from './format/td-report.js';

/** @returns whether the quote was made from the TDREPORT */
export function verifyTdReport(checks: Checks, report: TdReport, quote: TdQuote): boolean {
  const matches = verifyTdReportMatch(checks, report, quote);
  refuseUnquotedServiceTd(checks, report, quote);
  return matches;
}

/**
 * The TDREPORT has no signature that anybody outside could check, so what counts is the quote; but the quote is the
 * TDREPORT's: every field that both have is the same, and the report's own hashes are those of its parts.
 *
 * Of what differs only the values of the quote are shown: nothing vouches for those of the TDREPORT.
 *
 * Compared as bytes, before anything is known of signatures and collateral. Not compared, since no quote has them:
 * CPUSVN and MAC; and TEE_TCB_SVN_2, in a quote of TD 1.0. Of MRSERVICETD see `refuseUnquotedServiceTd`.
 *
 * @returns whether they are
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
 * A service TD is for a policy to judge by its hash, and only a quote with a TD 1.5 body has that hash. Beside any other
 * quote a TDREPORT that names one is refused: what it names, nothing vouches for. Says nothing where none is named.
 */
function refuseUnquotedServiceTd(checks: Checks, { servTdHash }: TdReport, { body }: TdQuote): void {
  if (body.td15 !== null || isZero(servTdHash)) return;
  checks.fail('tdx_service_td', {
    detail: 'a service TD is bound, and the quote has a TD 1.0 body, which does not say which one: a TD 1.5 body does',
  });
}

/**
 * Whether the hashes that a TDREPORT states are those of its two parts. It does not make the report genuine: the
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
