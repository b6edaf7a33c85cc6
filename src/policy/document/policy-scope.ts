import type { EvidenceType } from '../../core/evidence.js';
import {
  hasParavisor,
  hasVtpm,
  isHardwareType,
  isTokenType,
  isTpmType,
  teeOf,
  tokenRouteOf,
} from '../../core/evidence-traits.js';
import type { PolicyMembers } from './policy-grammar.js';

/**
 * The evidence and tokens that a policy can appraise. Depends on `accepts` and `routes` only, not on the
 * configuration.
 */
export interface PolicyScope {
  readonly hardware: boolean;
  readonly snp: boolean;
  readonly tdx: boolean;
  /** Evidence with a paravisor between hardware and guest. */
  readonly paravisor: boolean;
  readonly vtpm: boolean;
  /** Evidence of a vTPM alone. */
  readonly tpmOnly: boolean;
  readonly tokens: boolean;
  /** An Azure Attestation token, as evidence or on a route that is on. */
  readonly maa: boolean;
  /** An Azure Attestation token about a TD. */
  readonly maaOfTds: boolean;
  /** A token of Intel Trust Authority, which appraises TDs only, as evidence or on a route that is on. */
  readonly ita: boolean;
}

export function scopeOf({ accepts, routes }: Pick<PolicyMembers, 'accepts' | 'routes'>): PolicyScope {
  const some = (is: (type: EvidenceType) => boolean) => accepts.some(is);
  const tdx = some((type) => teeOf(type) === 'tdx');
  const maaToken = some((type) => tokenRouteOf(type) === 'maa');
  const itaToken = some((type) => tokenRouteOf(type) === 'ita');
  const maaRoute = routes.maa !== 'off';
  return {
    hardware: some(isHardwareType),
    snp: some((type) => teeOf(type) === 'snp'),
    tdx,
    paravisor: some(hasParavisor),
    vtpm: some(hasVtpm),
    tpmOnly: some((type) => isTpmType(type)),
    tokens: some(isTokenType),
    maa: maaToken || maaRoute,
    maaOfTds: maaToken || (maaRoute && (tdx || itaToken)),
    ita: itaToken || (routes.ita !== 'off' && (tdx || maaToken)),
  };
}
