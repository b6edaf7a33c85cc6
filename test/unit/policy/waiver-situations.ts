import { SNP_PLATFORM_BITS } from '../../../src/core/claims.js';
import type { CheckId } from '../../../src/core/codes.js';
import type { EvidenceType } from '../../../src/core/evidence.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import { PLATFORM_CHECKS } from '../../../src/tee/snp/checks/platform.js';
import {
  azClaims,
  azTdxClaims,
  check,
  hclClaims,
  lowered,
  type Situation,
  snpClaims,
  TCB,
  tdxClaims,
  tdxTcb,
} from './fixture.js';
import { genuine, withToken } from './member-flips.js';

/** A finding that a waiver can cover, and the types of evidence that can have it. */
export interface WaiverSituation {
  readonly check: CheckId;
  readonly value?: JsonValue;
  readonly types: readonly EvidenceType[];
  /** Members of a policy for the type under which the finding is made. */
  readonly members: (type: EvidenceType) => JsonObject;
  readonly given: (type: EvidenceType) => Situation;
}

const SNP: readonly EvidenceType[] = ['snp', 'az-snp-vtpm'];
const TDX: readonly EvidenceType[] = ['tdx', 'az-tdx-vtpm'];
const NO_MEMBERS = () => ({});

function plain(id: CheckId, types: readonly EvidenceType[], given: WaiverSituation['given']): WaiverSituation {
  return { check: id, types, members: NO_MEMBERS, given };
}

/** A base check with some result. */
function finding(...[id, result, more]: Parameters<typeof check>): WaiverSituation['given'] {
  return (type) => ({ ...genuine(type), findings: [check(id, result, more)] });
}

const LOW_TCB = { current: TCB, committed: TCB, reported: lowered('microcode'), launch: TCB };

export const WAIVER_SITUATIONS: readonly WaiverSituation[] = [
  plain('crl_unavailable', SNP, finding('crl_unavailable', 'unavailable')),
  plain('crl_unconfirmed', SNP, finding('crl_unconfirmed', 'warn')),
  plain('collateral_unconfirmed', TDX, finding('collateral_unconfirmed', 'warn')),
  plain('snp_product_configured', SNP, (type) => ({
    type,
    claims: { ...azClaims(), snp: snpClaims({ product: 'Venice', part: 'Venice' }) },
  })),
  plain('snp_product_advisory', [...SNP, 'maa-token'], (type) =>
    type === 'maa-token' ? finding('snp_product_refused', 'pass')(type) : genuine(type),
  ),
  plain('snp_tcb_floor_missing', SNP, genuine),
  plain('nonce_stale', ['snp', 'az-snp-vtpm', 'az-tdx-vtpm'], (type) => ({
    ...genuine(type),
    bound: type === 'snp' ? [] : ['tpm.extraData'],
    keyAsPem: type === 'snp',
  })),
  plain('snp_platform_unknown', SNP, (type) => ({
    type,
    claims: { ...azClaims(), snp: snpClaims({ platformInfo: { ...snpClaims().platformInfo, unknownBits: [40] } }) },
  })),
  {
    check: 'hcl_paravisor_unknown',
    types: [...SNP, ...TDX],
    members: (type) => (type.endsWith('-token') ? {} : { paravisor: 'any' }),
    given: (type) => {
      const hcl = hclClaims({ paravisor: { known: false, by: null } });
      return { type, claims: TDX.includes(type) ? azTdxClaims({ hcl }) : azClaims({ hcl }) };
    },
  },
  ...SNP_PLATFORM_BITS.map((bit) => ({
    check: PLATFORM_CHECKS[bit],
    types: SNP,
    members: (type: EvidenceType) =>
      SNP.includes(type) ? { require: { snp: { platformInfo: { [bit]: !snpClaims().platformInfo[bit] } } } } : {},
    given: genuine,
  })),
  {
    check: 'snp_tcb_low',
    value: { part: 'Milan', floor: { microcode: 200 } },
    types: SNP,
    members: (type) => (SNP.includes(type) ? { minimums: { snp: { Milan: { microcode: 219 } } } } : {}),
    given: (type) => ({ type, claims: { ...azClaims(), snp: snpClaims({ tcb: LOW_TCB }) } }),
  },
  {
    check: 'tdx_tcb_status',
    value: 'OutOfDate',
    types: TDX,
    members: (type) => (TDX.includes(type) ? { minimums: { tdx: { acceptedStatuses: ['UpToDate'] } } } : {}),
    given: (type) => ({ type, claims: { ...azTdxClaims(), tdx: tdxClaims({ tcb: tdxTcb({ status: 'OutOfDate' }) }) } }),
  },
  {
    check: 'maa_tcb_status',
    value: 'OutOfDate',
    types: [...TDX, 'maa-token', 'ita-token'],
    members: NO_MEMBERS,
    given: (type) => withToken('maa', type),
  },
  {
    check: 'ita_tcb_status',
    value: 'OutOfDate',
    types: [...TDX, 'maa-token', 'ita-token'],
    members: NO_MEMBERS,
    given: (type) => withToken('ita', type),
  },
];
