import type { Claims, HclClaims } from '../model/claims.js';
import type { EvidenceType } from '../model/evidence.js';
import { hasVtpm } from '../model/evidence-traits.js';
import type { JsonValue } from '../model/json.js';
import type { Verified } from '../model/verified.js';
import { USER_DATA, vmConfigurationStatements } from './paravisor-statements.js';
import { AK, collectStatements, type Entry, sound, TEE, type TeeView } from './statement.js';
import { MAA_SNP_SOURCES, TDX_SOURCES } from './token-views.js';

/**
 * The TEE as our own verification of hardware evidence states it; null where no hardware was verified.
 * Evidence with a vTPM speaks through a paravisor, and is known by the attestation key.
 */
export function hardwareView(claims: Verified<Claims>, evidenceType: EvidenceType): TeeView | null {
  const { snp, tdx, hcl } = claims;
  if (snp === undefined && tdx === undefined) return null;
  const ofTee = teeStatements(snp === undefined ? 'tdx' : 'snp', claims);
  return {
    route: 'hardware',
    identity: hasVtpm(evidenceType) ? AK : snp === undefined ? 'tdx.reportData' : 'snp.reportData',
    statements: collectStatements([...ofTee, ...(hcl === undefined ? [] : hclStatements(hcl))]),
  };
}

/** What of a report or quote other verifiers have a name for. The name of a claim is its path. */
function teeStatements(tee: 'snp' | 'tdx', claims: Verified<Claims>): readonly Entry[] {
  const stated = CLAIMS[tee].flatMap((claim): readonly Entry[] => {
    const value = claimAt(claim, claims);
    return value === null ? [] : [[claim, sound(value)]];
  });
  return [[TEE, sound(tee)], ...stated];
}

/** By the TEEs that other verifiers judge too. */
const CLAIMS: { readonly [tee in 'snp' | 'tdx']: readonly string[] } = {
  snp: MAA_SNP_SOURCES.map(([claim]) => claim),
  // Trust Authority alone has a name for whether a TD can be migrated.
  tdx: TDX_SOURCES.flatMap(([claim]) =>
    claim === 'tdx.tdAttributes.pks' ? ['tdx.tdAttributes.migratable', claim] : [claim],
  ),
};

function claimAt(claim: string, claims: Claims): JsonValue {
  const steps = claim.split(/[.[\]]/).filter((step) => step !== '');
  const value = steps.reduce<unknown>((inside, step) => Object(inside)[step], claims);
  // A claim that is left out would not be compared, and nobody would notice.
  if (value === undefined) throw new Error(`there is no claim ${claim}`);
  return value as JsonValue;
}

function hclStatements({ akThumbprint, userData, vmConfiguration }: HclClaims): readonly Entry[] {
  return [
    [AK, sound(akThumbprint)],
    ...(userData === null ? [] : [[USER_DATA, sound(userData)] as const]),
    ...(vmConfiguration === undefined ? [] : vmConfigurationStatements(vmConfiguration)),
  ];
}
