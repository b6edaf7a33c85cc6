import type { Claims, HclClaims, SnpClaims, TdxClaims } from '../model/claims.js';
import type { EvidenceType } from '../model/evidence.js';
import { hasVtpm } from '../model/evidence-traits.js';
import type { JsonValue } from '../model/json.js';
import type { Verified } from '../model/verified.js';
import { USER_DATA, vmConfigurationStatements } from './paravisor-statements.js';
import { AK, collectStatements, type Entry, sound, TEE, type TeeView } from './statement.js';

/**
 * The TEE as our own verification of hardware evidence states it; null where no hardware was verified.
 * Evidence with a vTPM speaks through a paravisor, and is known by the attestation key.
 */
export function hardwareView(claims: Verified<Claims>, evidenceType: EvidenceType): TeeView | null {
  const { snp, tdx, hcl } = claims;
  const ofTee = snp === undefined ? tdx && tdStatements(tdx) : snpStatements(snp);
  if (ofTee === undefined) return null;
  return {
    route: 'hardware',
    identity: hasVtpm(evidenceType) ? AK : snp === undefined ? 'tdx.reportData' : 'snp.reportData',
    statements: collectStatements([...ofTee, ...(hcl === undefined ? [] : hclStatements(hcl))]),
  };
}

/** What of a quote other verifiers have a name for. */
function tdStatements(tdx: TdxClaims): readonly Entry[] {
  const { tdAttributes, rtmr } = tdx;
  const values: readonly (readonly [claim: string, value: JsonValue])[] = [
    [TEE, 'tdx'],
    ['tdx.mrtd', tdx.mrtd],
    ['tdx.rtmr[0]', rtmr[0]],
    ['tdx.rtmr[1]', rtmr[1]],
    ['tdx.rtmr[2]', rtmr[2]],
    ['tdx.rtmr[3]', rtmr[3]],
    ['tdx.mrConfigId', tdx.mrConfigId],
    ['tdx.mrOwner', tdx.mrOwner],
    ['tdx.mrOwnerConfig', tdx.mrOwnerConfig],
    ['tdx.mrSeam', tdx.mrSeam],
    ['tdx.mrSignerSeam', tdx.mrSignerSeam],
    ['tdx.reportData', tdx.reportData],
    ['tdx.teeTcbSvn', tdx.teeTcbSvn],
    ['tdx.xfam', tdx.xfam],
    ['tdx.tdAttributes.debug', tdAttributes.debug],
    ['tdx.tdAttributes.septVeDisable', tdAttributes.septVeDisable],
    ['tdx.tdAttributes.migratable', tdAttributes.migratable],
    ['tdx.tdAttributes.pks', tdAttributes.pks],
    ['tdx.tdAttributes.keyLocker', tdAttributes.keyLocker],
    ['tdx.tdAttributes.perfmon', tdAttributes.perfmon],
    ...(tdx.tcb.status === null ? [] : [['tdx.tcb.status', tdx.tcb.status] as const]),
  ];
  return values.map(([claim, value]) => [claim, sound(value)]);
}

/** What of a report other verifiers have a name for. */
function snpStatements(snp: SnpClaims): readonly Entry[] {
  const { policy } = snp;
  const { reported } = snp.tcb;
  const values: readonly (readonly [claim: string, value: JsonValue])[] = [
    [TEE, 'snp'],
    ['snp.measurement', snp.measurement],
    ['snp.reportData', snp.reportData],
    ['snp.hostData', snp.hostData],
    ['snp.idKeyDigest', snp.idKeyDigest],
    ['snp.authorKeyDigest', snp.authorKeyDigest],
    ['snp.reportId', snp.reportId],
    ['snp.familyId', snp.familyId],
    ['snp.imageId', snp.imageId],
    ['snp.vmpl', snp.vmpl],
    ['snp.guestSvn', snp.guestSvn],
    ['snp.policy.debug', policy.debug],
    ['snp.policy.smt', policy.smt],
    ['snp.policy.migrateMa', policy.migrateMa],
    ['snp.tcb.reported.bootloader', reported.bootloader],
    ['snp.tcb.reported.tee', reported.tee],
    ['snp.tcb.reported.snp', reported.snp],
    ['snp.tcb.reported.microcode', reported.microcode],
  ];
  return values.map(([claim, value]) => [claim, sound(value)]);
}

function hclStatements({ akThumbprint, userData, vmConfiguration }: HclClaims): readonly Entry[] {
  return [
    [AK, sound(akThumbprint)],
    ...(userData === null ? [] : [[USER_DATA, sound(userData)] as const]),
    ...(vmConfiguration === undefined ? [] : vmConfigurationStatements(vmConfiguration)),
  ];
}
