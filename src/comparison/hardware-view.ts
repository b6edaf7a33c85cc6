import type { Claims, HclClaims, SnpClaims } from '../model/claims.js';
import type { EvidenceType } from '../model/evidence.js';
import type { JsonValue } from '../model/json.js';
import type { Verified } from '../model/verified.js';
import { USER_DATA, vmConfigurationStatements } from './paravisor-statements.js';
import { collectStatements, type Entry, sound } from './statement.js';
import { AK, TEE, type TeeView } from './tee-view.js';

/**
 * The TEE as our own verification of hardware evidence states it; null where no hardware was verified.
 * Evidence of every type but a bare report speaks through a paravisor, and is known by the attestation key.
 */
export function hardwareView(claims: Verified<Claims>, evidenceType: EvidenceType): TeeView | null {
  const { snp, hcl } = claims;
  if (snp === undefined) return null;
  return {
    route: 'hardware',
    identity: evidenceType === 'snp' ? 'snp.reportData' : AK,
    statements: collectStatements([
      [TEE, sound('snp')],
      ...snpStatements(snp),
      ...(hcl === undefined ? [] : hclStatements(hcl)),
    ]),
  };
}

/** What of a report other verifiers have a name for. */
function snpStatements(snp: SnpClaims): readonly Entry[] {
  const { policy } = snp;
  const { reported } = snp.tcb;
  const values: readonly (readonly [claim: string, value: JsonValue])[] = [
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
