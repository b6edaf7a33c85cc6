import type { Claims, HclClaims, SnpClaims, TdxClaims } from '../../core/claims.js';
import type { EvidenceType } from '../../core/evidence.js';
import { hasVtpm } from '../../core/evidence-traits.js';
import type { JsonValue } from '../../core/json.js';
import type { Verified } from '../../core/verified.js';
import { USER_DATA, vmConfigurationStatements } from './paravisor-statements.js';
import { AK, collectStatements, type Entry, type Statement, sound, TEE, type TeeView } from './statement.js';

/**
 * The TEE according to the verified hardware evidence; null if no hardware was verified. For evidence with a vTPM, the
 * attestation key identifies the TEE.
 */
export function hardwareView(claims: Verified<Claims>, evidenceType: EvidenceType): TeeView | null {
  const { snp, tdx, hcl } = claims;
  const ofTee = snp === undefined ? tdx && readAll(tdx, OF_A_QUOTE) : readAll(snp, OF_A_REPORT);
  if (ofTee === undefined) return null;
  return {
    route: 'hardware',
    identity: hasVtpm(evidenceType) ? AK : snp === undefined ? 'tdx.reportData' : 'snp.reportData',
    statements: hcl === undefined ? ofTee : collectStatements([...ofTee, ...hclStatements(hcl)]),
  };
}

/** How to read a claim from the claims of a TEE; undefined if they do not have it. */
type Reading<T> = readonly [claim: string, read: (claims: T) => JsonValue | undefined];

/** The members of a quote that other verifiers state too. */
const OF_A_QUOTE: readonly Reading<TdxClaims>[] = [
  [TEE, () => 'tdx'],
  ['tdx.mrtd', (tdx) => tdx.mrtd],
  ['tdx.rtmr[0]', ({ rtmr }) => rtmr[0]],
  ['tdx.rtmr[1]', ({ rtmr }) => rtmr[1]],
  ['tdx.rtmr[2]', ({ rtmr }) => rtmr[2]],
  ['tdx.rtmr[3]', ({ rtmr }) => rtmr[3]],
  ['tdx.mrConfigId', (tdx) => tdx.mrConfigId],
  ['tdx.mrOwner', (tdx) => tdx.mrOwner],
  ['tdx.mrOwnerConfig', (tdx) => tdx.mrOwnerConfig],
  ['tdx.mrSeam', (tdx) => tdx.mrSeam],
  ['tdx.mrSignerSeam', (tdx) => tdx.mrSignerSeam],
  ['tdx.reportData', (tdx) => tdx.reportData],
  ['tdx.teeTcbSvn', (tdx) => tdx.teeTcbSvn],
  ['tdx.xfam', (tdx) => tdx.xfam],
  ['tdx.tdAttributes.debug', ({ tdAttributes }) => tdAttributes.debug],
  ['tdx.tdAttributes.septVeDisable', ({ tdAttributes }) => tdAttributes.septVeDisable],
  ['tdx.tdAttributes.migratable', ({ tdAttributes }) => tdAttributes.migratable],
  ['tdx.tdAttributes.pks', ({ tdAttributes }) => tdAttributes.pks],
  ['tdx.tdAttributes.keyLocker', ({ tdAttributes }) => tdAttributes.keyLocker],
  ['tdx.tdAttributes.perfmon', ({ tdAttributes }) => tdAttributes.perfmon],
  ['tdx.tcb.status', ({ tcb }) => tcb.status ?? undefined],
];

/** The members of a report that other verifiers state too. */
const OF_A_REPORT: readonly Reading<SnpClaims>[] = [
  [TEE, () => 'snp'],
  ['snp.measurement', (snp) => snp.measurement],
  ['snp.reportData', (snp) => snp.reportData],
  ['snp.hostData', (snp) => snp.hostData],
  ['snp.idKeyDigest', (snp) => snp.idKeyDigest],
  ['snp.authorKeyDigest', (snp) => snp.authorKeyDigest],
  ['snp.reportId', (snp) => snp.reportId],
  ['snp.familyId', (snp) => snp.familyId],
  ['snp.imageId', (snp) => snp.imageId],
  ['snp.vmpl', (snp) => snp.vmpl],
  ['snp.guestSvn', (snp) => snp.guestSvn],
  ['snp.policy.debug', ({ policy }) => policy.debug],
  ['snp.policy.smt', ({ policy }) => policy.smt],
  ['snp.policy.migrateMa', ({ policy }) => policy.migrateMa],
  ['snp.tcb.reported.bootloader', ({ tcb }) => tcb.reported.bootloader],
  ['snp.tcb.reported.tee', ({ tcb }) => tcb.reported.tee],
  ['snp.tcb.reported.snp', ({ tcb }) => tcb.reported.snp],
  ['snp.tcb.reported.microcode', ({ tcb }) => tcb.reported.microcode],
];

function readAll<T>(claims: T, readings: readonly Reading<T>[]): Map<string, Statement> {
  const statements = new Map<string, Statement>();
  for (const [claim, read] of readings) {
    const value = read(claims);
    if (value !== undefined) statements.set(claim, sound(value));
  }
  return statements;
}

function hclStatements({ akThumbprint, userData, vmConfiguration }: HclClaims): readonly Entry[] {
  return [
    [AK, sound(akThumbprint)],
    ...(userData === null ? [] : [[USER_DATA, sound(userData)] as const]),
    ...(vmConfiguration === undefined ? [] : vmConfigurationStatements(vmConfiguration)),
  ];
}
