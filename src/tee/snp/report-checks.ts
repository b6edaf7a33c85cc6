import type { AmdLine, AmdLines } from '../../core/amd-lines.js';
import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import { SNP_TCB_COMPONENTS, type SnpTcb } from '../../core/claims.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { verifyEcdsa } from '../../crypto/ecdsa.js';
import { isZero } from '../../formats/byte-reader.js';
import { isNameOf, lineOfReport } from './amd/product-lines.js';
import { readTcb, tcbFitsLayout } from './amd/tcb.js';
import type { Vek } from './amd/vek.js';
import type { SnpReport } from './format/snp-report.js';

/** Checks of a report against the key that it names as its signer. Each check is independent of the others. */

/**
 * Requires that processor, key certificate and issuer name the same product line, and that the TCBs of the report have
 * the layout of that line. The stepping in productName is not compared: AMD has issued certificates with a wrong one.
 */
export function verifyProduct(
  checks: Checks,
  report: SnpReport,
  vek: Vek,
  { line, lines }: { readonly line: AmdLine; readonly lines: AmdLines },
): void {
  const { product } = line;
  const { productName } = vek.extensions;
  if (!isNameOf(line, productName)) {
    checks.fail('snp_product', {
      expected: product,
      actual: productName,
      detail: 'the key certificate names another product line than its issuer',
    });
    return;
  }
  const named = lineOfReport(report, line, lines);
  const fits = Object.values(report.tcb).every((tcb) => tcbFitsLayout(tcb, line));
  checks.require(named === line && fits, 'snp_product', {
    expected: product,
    actual: named?.product ?? null,
  });
}

/**
 * Requires that the hwID of the VCEK equals CHIP_ID. A masked or absent chip id identifies no chip and fails. A VLEK
 * names no chip, so there is nothing to compare.
 */
export function verifyChipId(checks: Checks, report: SnpReport, vek: Vek, line: AmdLine): void {
  const hwId = vek.extensions.hwId;
  const masked = report.maskChipKey || (vek.kind === 'vcek' && isZero(report.chipId));
  const same = vek.kind === 'vlek' || (hwId !== null && chipIdEquals(report.chipId, hwId, line));
  checks.require(!masked && same, 'snp_chip_id', {
    expected: hwId === null ? null : hex(hwId),
    actual: masked ? 'masked' : hex(report.chipId),
    detail:
      vek.kind === 'vlek'
        ? 'a VLEK is not bound to a chip'
        : 'the key certificate is for the chip that the report names',
    otherwise: masked
      ? 'the report does not name its chip'
      : 'the key certificate is for another chip than the report names',
  });
}

/** Compares chip ids. If a line has chip ids of 8 bytes, the other 56 bytes are zero. */
function chipIdEquals(chipId: Uint8Array, hwId: Uint8Array, { chipIdBytes }: AmdLine): boolean {
  if (chipIdBytes === 64) return equalInConstantTime(chipId, hwId);
  return equalInConstantTime(chipId.subarray(0, 8), hwId) && isZero(chipId.subarray(8));
}

/**
 * Requires that the TCB extensions of the VEK equal REPORTED_TCB in each component: AMD derives the key for that TCB.
 */
export function verifyTcbExtensions(checks: Checks, report: SnpReport, vek: Vek, line: AmdLine): void {
  const reported = readTcb(report.tcb.reported, line);
  const certified = vek.extensions.tcb;
  const differing = componentsOf(reported).filter((component) => certified[component] !== reported[component]);
  // Certificates of a line without FMC have no fmcSPL extension. If there is one, the TCB has another layout.
  const foreign = reported.fmc === undefined && certified.fmc !== null;
  checks.require(differing.length === 0 && !foreign, 'snp_tcb_cert', {
    expected: { ...certified },
    actual: { ...reported },
    otherwise: `the key certificate is for another TCB than the report names${differing.length > 0 ? `: ${differing.join(', ')}` : ''}`,
  });
}

/** Verifies the ECDSA P-384 signature with SHA-384 over bytes 0x000-0x29F. */
export async function verifySignature(checks: Checks, report: SnpReport, vek: Vek): Promise<boolean> {
  const holds = await verifyEcdsa('P-384', 'sha384', report.signed, report.signature, vek.publicKey());
  return checks.require(holds, 'snp_signature', {
    expected: 'a signature by the key certificate',
  });
}

/**
 * Verifies the fields of the report that every policy requires. A policy can only turn `snp_debug` into a warning
 * (`allowDebug`). Reads signed bytes only.
 */
export function verifyReportFields(checks: Checks, report: SnpReport, line: AmdLine): void {
  checks.require(!report.policy.debug, 'snp_debug', {
    expected: false,
    actual: report.policy.debug,
  });
  const alone = !report.policy.migrateMa && report.reportIdMa.every((byte) => byte === 0xff);
  checks.require(alone, 'snp_migration_agent', {
    expected: false,
    actual: !alone,
  });
  verifyTcbOrder(checks, report, line);
  // Without AUTHOR_KEY_EN no author key signed the ID key, so AUTHOR_KEY_DIGEST must be zero.
  checks.require(report.authorKeyEn || isZero(report.authorKeyDigest), 'snp_id_key', {
    expected: 'an author key digest only where AUTHOR_KEY_EN is set',
    actual: report.authorKeyEn,
    detail: 'the report has an author key digest only with its key',
    otherwise: 'the report has an author key digest although AUTHOR_KEY_EN is clear',
  });
}

/**
 * Requires that REPORTED is at most COMMITTED, and COMMITTED at most CURRENT. Each component is compared by itself,
 * never the TCB as one integer. COMMITTED below CURRENT is provisional firmware. Real machines run it, so a policy
 * decides. LAUNCH is not compared: a migrated or resumed guest may have started on newer firmware.
 */
function verifyTcbOrder(checks: Checks, report: SnpReport, line: AmdLine): void {
  const tcb = (name: keyof SnpReport['tcb']) => readTcb(report.tcb[name], line);
  const [reported, committed, current] = [tcb('reported'), tcb('committed'), tcb('current')];
  const above = (higher: SnpTcb, lower: SnpTcb, what: string) =>
    componentsOf(reported)
      .filter((component) => !isAtMost(higher, lower, component))
      .map((component) => `${component} is ${what}`);
  const faults = [
    ...above(reported, committed, 'reported above committed'),
    ...above(committed, current, 'committed above current'),
  ];
  checks.require(faults.length === 0, 'snp_tcb_order', {
    expected: 'reported <= committed <= current',
    actual: { reported: { ...reported }, committed: { ...committed }, current: { ...current } },
    otherwise: `the TCB versions are not in order: ${faults.join('; ')}`,
  });
}

function isAtMost(lower: SnpTcb, upper: SnpTcb, component: keyof SnpTcb): boolean {
  return (lower[component] ?? 0) <= (upper[component] ?? 0);
}

function componentsOf(tcb: SnpTcb): readonly (keyof SnpTcb)[] {
  return SNP_TCB_COMPONENTS.filter((component) => tcb[component] !== undefined);
}
