import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import type { TdxTcbClaim } from '../../core/claims.js';
import { shortfallLine, type TcbShortfall } from '../../core/tcb-shortfall.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import type { TdReportBody } from './format/td-report-body.js';
import type { RatedLevel, SvnLevel } from './intel/collateral-json.js';
import type { PckExtension } from './intel/pck-extension.js';
import type { QeIdentity } from './intel/qe-identity.js';
import type { TcbInfo, TcbLevel } from './intel/tcb-info.js';
import { behind, levelOf, nearestShortfalls, type PlatformSvns, sgxLevelOf } from './intel/tcb-level.js';
import {
  isModuleAloneOutOfDate,
  merge,
  type RelaunchStatuses,
  relaunchStatus,
  unknownWord,
} from './intel/tcb-status.js';
import { moduleIdentity, type TdxModule, verifyModule } from './tdx-module.js';

/** The collateral's statement about the platform of a quote. */
export interface PlatformTcb {
  readonly tcb: TdxTcbClaim;
  /** The components that are not up to date. */
  readonly shortfalls: readonly TcbShortfall[];
}

/** The inputs of the TCB status. */
export interface RatedPlatform {
  readonly pck: PckExtension;
  readonly body: TdReportBody;
  readonly info: TcbInfo;
  readonly qe: { readonly identity: QeIdentity; readonly level: SvnLevel; readonly isvSvn: number };
}

/** Requires that TCB info is for this platform: FMSPC and PCEID equal those of the PCK certificate. */
export function verifyPlatform(checks: Checks, info: TcbInfo, pck: PckExtension): boolean {
  const same = equalInConstantTime(info.fmspc, pck.fmspc) && equalInConstantTime(info.pceId, pck.pceId);
  return checks.require(same, 'tdx_tcb_info', {
    expected: { fmspc: hex(pck.fmspc), pceId: hex(pck.pceId) },
    actual: { fmspc: hex(info.fmspc), pceId: hex(info.pceId) },
    detail: 'the TCB info is for the platform of the PCK certificate',
    otherwise: 'the TCB info is for another platform than the PCK certificate',
  });
}

/**
 * Finds the levels of platform and module, and merges their statuses with the status of the QE by Intel's table. A
 * policy decides whether the merged status is acceptable. `Revoked` and undefined statuses are always rejected.
 *
 * @returns null if the collateral does not describe the module; a result without status if the platform or its module
 *   reaches no level
 */
export function verifyPlatformTcb(checks: Checks, rated: RatedPlatform): PlatformTcb | null {
  const { info, body, qe } = rated;
  const svns: PlatformSvns = { pck: rated.pck, teeTcbSvn: body.teeTcbSvn };
  const level = levelOf(info, svns);
  const module = verifyModule(checks, info, body);
  const found = verifyLevels(checks, info, svns, level, module);
  if (module === null) return null;
  const levels = { platform: level, module: module.level, qe: qe.level };
  const shortfalls = shortfallsOf(rated, svns, module);
  if (level === null || !found) return { tcb: tcbClaim(null, rated, levels), shortfalls };
  const sgx = sgxLevelOf(info, svns)?.tcbStatus ?? level.tcbStatus;
  const statuses = {
    platform: level.tcbStatus,
    module: module.level?.tcbStatus ?? null,
    qe: qe.level.tcbStatus,
    sgx,
  };
  const status = mergedStatus(checks, statuses, rated);
  if (status === null) return null;
  verifyStatus(checks, statuses, status);
  return { tcb: tcbClaim(unknownWord(statuses) ?? status, rated, levels), shortfalls };
}

/** Requires that platform and module each reach a level. */
function verifyLevels(
  checks: Checks,
  info: TcbInfo,
  svns: PlatformSvns,
  level: TcbLevel | null,
  module: TdxModule | null,
): boolean {
  const lowest = module?.level === null ? (module.levels.at(-1) ?? null) : null;
  const short = [
    ...(level === null ? nearestShortfalls(info, svns) : []),
    ...(module === null || lowest === null ? [] : behind(`${module.id}.isvsvn`, module.svn, lowest.isvSvn)),
  ];
  return checks.require(short.length === 0, 'tdx_tcb_level_unsupported', {
    expected: byComponent(short, ({ need }) => need),
    actual: byComponent(short, ({ have }) => have),
    otherwise: `the platform is below every level of the TCB info: ${short.map(shortfallLine).join('; ')}`,
  });
}

/**
 * Merges the statuses and applies the relaunch rule; null if the collateral does not describe the module that runs
 * now.
 */
function mergedStatus(
  checks: Checks,
  statuses: RelaunchStatuses,
  { info, body: { td15 } }: RatedPlatform,
): string | null {
  const merged = merge(merge(statuses.platform, statuses.module), statuses.qe);
  if (td15 === null || !isModuleAloneOutOfDate(statuses)) return merged;
  const needed = newestModuleSvn(info, td15.teeTcbSvn2);
  if (needed === null) {
    checks.fail('tdx_module', { detail: 'the collateral does not describe the TDX module that runs now' });
    return null;
  }
  const [svn = 0, , third = 0] = td15.teeTcbSvn2;
  const runsNewest = svn >= needed && third >= (info.levels[0]?.tdxComponents[2]?.svn ?? 0);
  return runsNewest ? relaunchStatus(statuses) : merged;
}

/** The SVN of the newest module of a major version, from its identity or from the first TDX component. */
function newestModuleSvn(info: TcbInfo, teeTcbSvn2: Uint8Array): number | null {
  const version = teeTcbSvn2[1] ?? 0;
  if (version === 0) return info.levels[0]?.tdxComponents[0]?.svn ?? null;
  return moduleIdentity(info, version)?.levels[0]?.isvSvn ?? null;
}

/**
 * Rejects undefined and revoked statuses. Records only a failure, because the policy's check covers the other
 * statuses.
 */
function verifyStatus(checks: Checks, statuses: RelaunchStatuses, status: string): void {
  const unknown = unknownWord(statuses);
  if (unknown === null && status !== 'Revoked') return;
  checks.fail('tdx_tcb_status', {
    actual: unknown ?? status,
    detail: unknown === null ? 'Intel has revoked the TCB of the platform' : 'Intel defines no such TCB status here',
  });
}

interface ReachedLevels {
  readonly platform: RatedLevel | null;
  readonly module: RatedLevel | null;
  readonly qe: RatedLevel;
}

function tcbClaim(
  status: string | null,
  { info, qe: { identity } }: RatedPlatform,
  { platform, module, qe }: ReachedLevels,
): TdxTcbClaim {
  const levels = [platform, module, qe].filter((level) => level !== null);
  const dates = levels.map(({ tcbDate }) => tcbDate);
  return {
    status,
    platformStatus: platform?.tcbStatus ?? null,
    moduleStatus: module?.tcbStatus ?? null,
    qeStatus: qe.tcbStatus,
    date: status === null ? null : dates.reduce((first, next) => (new Date(next) < new Date(first) ? next : first)),
    evaluationDataNumber: info.evaluationDataNumber,
    qeEvaluationDataNumber: identity.evaluationDataNumber,
    advisories: [...new Set(levels.flatMap(({ advisoryIds }) => advisoryIds))],
  };
}

/** Compares with levels that are up to date: the nearest of the platform, and the lowest of module and QE. */
function shortfallsOf({ info, qe }: RatedPlatform, svns: PlatformSvns, module: TdxModule): readonly TcbShortfall[] {
  return [
    ...nearestShortfalls(info, svns, 'UpToDate'),
    ...(module.id === null ? [] : behind(`${module.id}.isvsvn`, module.svn, upToDateSvn(module.levels))),
    ...behind('TD_QE.isvsvn', qe.isvSvn, upToDateSvn(qe.identity.levels)),
  ];
}

function upToDateSvn(levels: readonly SvnLevel[]): number {
  return levels.filter(({ tcbStatus }) => tcbStatus === 'UpToDate').at(-1)?.isvSvn ?? 0;
}

function byComponent(
  short: readonly TcbShortfall[],
  read: (shortfall: TcbShortfall) => number,
): { readonly [component: string]: number } {
  return Object.fromEntries(short.map((shortfall) => [shortfall.component, read(shortfall)]));
}
