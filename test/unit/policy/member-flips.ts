import { SNP_PARTS } from '../../../src/core/amd-lines.js';
import { SNP_PLATFORM_BITS, SNP_TCB_COMPONENTS, type SnpClaims, type SnpPart } from '../../../src/core/claims.js';
import type { EvidenceType } from '../../../src/core/evidence.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import { TDX_REGISTERS } from '../../../src/policy/document/reference-grammar.js';
import {
  azClaims,
  azTdxClaims,
  check,
  eventLogClaims,
  hclClaims,
  type Situation,
  snpClaims,
  tdAttributes,
  tdxClaims,
  tdxTcb,
  tokenClaims,
  tpmClaims,
} from './fixture.js';
import { RULE_FLIPS } from './rule-flips.js';

/** Two policies that differ in one member, and evidence of some types on which they decide differently. */
export interface MemberFlip {
  /** Path in the grammar; `[]` for the items of a list. */
  readonly member: string;
  readonly types: readonly EvidenceType[];
  /** The policy with the member, as added to the least policy of the type. */
  readonly on: JsonObject;
  /** The policy without it. */
  readonly off: JsonObject;
  readonly given: (type: EvidenceType) => Situation;
}

const SNP: readonly EvidenceType[] = ['snp', 'az-snp-vtpm'];
const TDX: readonly EvidenceType[] = ['tdx', 'az-tdx-vtpm'];
const AZURE: readonly EvidenceType[] = ['az-snp-vtpm', 'az-tdx-vtpm'];
const HARDWARE: readonly EvidenceType[] = [...SNP, ...TDX];
const TOKENS: readonly EvidenceType[] = ['maa-token', 'ita-token'];
export const EVERY_TYPE: readonly EvidenceType[] = [...HARDWARE, ...TOKENS, 'tpm'];
const VTPM: readonly EvidenceType[] = [...AZURE, 'tpm'];

const HEX_32 = 'fa'.repeat(32);
const HEX_48 = 'fa'.repeat(48);
const PARTNER: { readonly [type in EvidenceType]: EvidenceType } = {
  snp: 'az-snp-vtpm',
  'az-snp-vtpm': 'snp',
  tdx: 'az-tdx-vtpm',
  'az-tdx-vtpm': 'tdx',
  'maa-token': 'ita-token',
  'ita-token': 'maa-token',
  tpm: 'maa-token',
};

/** The policy that accepts a type and asks for nothing. */
export function leastOf(type: EvidenceType): JsonObject {
  return { accepts: [type], minimums: 'any', ...(HARDWARE.includes(type) ? {} : { routes: { hardware: 'off' } }) };
}

function isToken(type: EvidenceType): boolean {
  return TOKENS.includes(type);
}

/** Evidence of a type, with a token of Azure Attestation beside it where it is none. */
export function genuine(type: EvidenceType): Situation {
  if (type === 'maa-token') return { type, claims: { maa: tokenClaims() }, results: verified('maa') };
  if (type === 'ita-token') return { type, claims: { ita: tokenClaims() }, results: verified('ita') };
  return { type };
}

function verified(route: 'maa' | 'ita'): Situation['results'] & {} {
  return new Map([[route, { state: 'verified' }]]);
}

function claimsOf(type: EvidenceType): Situation['claims'] & {} {
  if (type === 'snp') return { snp: snpClaims() };
  if (type === 'tdx') return { tdx: tdxClaims() };
  return type === 'az-snp-vtpm' ? azClaims() : azTdxClaims();
}

function withSnp(claims: Partial<SnpClaims>): (type: EvidenceType) => Situation {
  return (type) => ({ type, claims: { ...claimsOf(type), snp: snpClaims(claims) } });
}

function withTdx(claims: Parameters<typeof tdxClaims>[0]): (type: EvidenceType) => Situation {
  return (type) => ({ type, claims: { ...claimsOf(type), tdx: tdxClaims(claims) } });
}

/** Evidence with the log of a boot that a policy can list. */
function withEventLog(type: EvidenceType): Situation {
  const eventLog = eventLogClaims();
  if (type === 'tdx') return { ...genuine(type), claims: { tdx: tdxClaims({ eventLog }) } };
  return { ...genuine(type), claims: { ...claimsOf(type), tpm: tpmClaims({ eventLog }) } };
}

function withHcl(claims: Parameters<typeof hclClaims>[0]): (type: EvidenceType) => Situation {
  return (type) => ({ type, claims: { ...claimsOf(type), hcl: hclClaims(claims) } });
}

function withoutNonce(type: EvidenceType): Situation {
  const findings = [check('nonce_mismatch', 'not_configured')];
  return { ...genuine(type), nonce: { origin: 'none' }, bound: [], findings, required: [] };
}

function withFinding(...[id, result]: Parameters<typeof check>): (type: EvidenceType) => Situation {
  return (type) => ({ ...genuine(type), findings: [check(id, result)] });
}

/** A token, as evidence or beside it. */
export function withToken(route: 'maa' | 'ita', type: EvidenceType): Situation {
  const token = tokenClaims({ tcbStatus: 'OutOfDate' });
  const others = isToken(type) ? { ita: tokenClaims(), maa: tokenClaims() } : claimsOf(type);
  return { type, claims: { ...others, [route]: token }, results: verified(route) };
}

type Flip = Omit<MemberFlip, 'member' | 'off' | 'given'> & Partial<Pick<MemberFlip, 'off' | 'given'>>;

function flip(member: string, { off = {}, given = genuine, ...rest }: Flip): MemberFlip {
  return { member, off, given, ...rest };
}

/** A flip of a member of `require`. */
function requiring(path: string, value: JsonValue, rest: Omit<Flip, 'on'>): MemberFlip {
  const [section = '', name = '', inner] = path.split('.');
  const on = { require: { [section]: { [name]: inner === undefined ? value : { [inner]: value } } } };
  return flip(`require.${path}`, { on, ...rest });
}

/** A flip of a reference value that the evidence does not have. */
function reference(path: string, value: JsonValue, rest: Omit<Flip, 'on'>): MemberFlip {
  const set = path.split('.').reduceRight<JsonValue>((inner, name) => ({ [name]: inner }), value);
  return flip(`referenceValues[].${path}`, { on: { referenceValues: [set] }, ...rest });
}

function minimumFlips(part: SnpPart): readonly MemberFlip[] {
  const isTurin = part.startsWith('Turin');
  return SNP_TCB_COMPONENTS.filter((component) => isTurin || component !== 'fmc').map((component) =>
    flip(`minimums.snp.${part}.${component}`, {
      types: SNP,
      on: { minimums: { snp: { [part]: { [component]: 255 } } } },
      off: { minimums: { snp: { [part]: { [component]: 0 } } } },
      given: withSnp({ part, tcb: fullTcb() }),
    }),
  );
}

function fullTcb(): SnpClaims['tcb'] {
  const tcb = { fmc: 1, bootloader: 1, tee: 1, snp: 1, microcode: 1 };
  return { current: tcb, committed: tcb, reported: tcb, launch: tcb };
}

function tdxMinimum(name: string, off: JsonValue, on: JsonValue, given: MemberFlip['given']): MemberFlip {
  const minimums = (value: JsonValue) => ({ minimums: { tdx: { acceptedStatuses: ['UpToDate'], [name]: value } } });
  return flip(`minimums.tdx.${name}`, { types: TDX, off: minimums(off), on: minimums(on), given });
}

/** Of the instant of every situation. */
const TEN_DAYS_BEFORE = new Date('2026-05-22T12:00:00Z');
const TERMS = { reason: 'planned', approver: 'ops', expires: '2027-01-01' };
const SMT = { require: { snp: { platformInfo: { smtEnabled: false } } } };
const OF_MAA = { routes: { hardware: 'off', maa: 'required' } };

/** The demands on a token, as evidence or, with its route on, beside other evidence. */
function tokenFlips(route: 'maa' | 'ita', name: string, value: JsonValue, hardware = HARDWARE): readonly MemberFlip[] {
  const require = { [route]: { [name]: value } };
  const alone = { routes: { hardware: 'off', [route]: 'required' } };
  const beside = { routes: { [route]: 'optional' } };
  const given = (type: EvidenceType) => withToken(route, type);
  const member = `require.${route}.${name}`;
  return [
    flip(member, { types: TOKENS, on: { ...alone, require }, off: alone, given }),
    flip(member, { types: hardware, on: { ...beside, require }, off: beside, given }),
  ];
}

/** At least one for each member of the grammar that asks for something. */
export const MEMBER_FLIPS: readonly MemberFlip[] = [
  ...EVERY_TYPE.map((type) => flip('accepts', { types: [type], on: {}, off: { accepts: [PARTNER[type]] } })),
  ...SNP_PARTS.flatMap(minimumFlips),
  tdxMinimum('acceptedStatuses', ['UpToDate'], ['OutOfDate'], genuine),
  tdxMinimum('earliestTcbDate', '2024-03-13', '2024-03-14', withTdx({ tcb: tdxTcb({ date: '2024-03-13T00:00:00Z' }) })),
  tdxMinimum('minEvaluationDataNumber', 1, 1000, genuine),
  tdxMinimum('maxCollateralAgeDays', 366, 5, (type) => ({
    type,
    collateralIssued: { tcbInfo: TEN_DAYS_BEFORE, qeIdentity: TEN_DAYS_BEFORE, pckCrl: TEN_DAYS_BEFORE },
  })),
  flip('paravisor', {
    types: HARDWARE,
    on: { paravisor: 'any' },
    given: withHcl({ paravisor: { known: false, by: null } }),
  }),
  flip('routes.maa', { types: HARDWARE, on: { routes: { maa: 'required' } } }),
  flip('routes.ita', { types: HARDWARE, on: { routes: { ita: 'required' } } }),
  flip('routes.maa', { types: ['ita-token'], on: OF_MAA }),
  flip('routes.ita', { types: ['maa-token'], on: { routes: { hardware: 'off', ita: 'required' } } }),
  flip('freshness', { types: EVERY_TYPE, on: { freshness: 'none' }, given: withoutNonce }),
  flip('nonce', { types: EVERY_TYPE, on: { nonce: 'challenge' } }),
  flip('revocation', {
    types: SNP,
    on: { revocation: 'best-effort' },
    given: withFinding('crl_unavailable', 'unavailable'),
  }),
  flip('binding', { types: EVERY_TYPE, on: { binding: 'required' } }),
  flip('secureBoot', {
    types: HARDWARE,
    on: { secureBoot: 'required' },
    given: withHcl({ vmConfiguration: { secureBoot: false } }),
  }),
  flip('secureBoot', {
    types: ['maa-token'],
    on: { secureBoot: 'required' },
    given: (type) => ({ ...genuine(type), claims: { maa: tokenClaims({ secureBoot: false }) } }),
  }),
  flip('secureBoot', { types: ['tpm'], on: { secureBoot: 'required' } }),
  flip('allowDebug', { types: SNP, on: { allowDebug: true }, given: withFinding('snp_debug', 'fail') }),
  flip('allowDebug', { types: TDX, on: { allowDebug: true }, given: withFinding('tdx_debug', 'fail') }),
  requiring('snp.committedEqualsCurrent', true, {
    types: SNP,
    given: withSnp({ firmware: { current: '1.55.30', committed: '1.55.29' } }),
  }),
  ...SNP_PLATFORM_BITS.map((bit) =>
    requiring(`snp.platformInfo.${bit}`, !snpClaims().platformInfo[bit], { types: SNP }),
  ),
  requiring('snp.mitigations', [0], { types: SNP }),
  requiring('snp.minGuestSvn', 100, { types: SNP }),
  requiring('snp.machines.chipId', ['00'.repeat(64)], { types: SNP }),
  requiring('snp.machines.cspId', ['Other'], { types: SNP, given: withSnp({ signingKey: 'vlek', cspId: 'Azure' }) }),
  requiring('tdx.septVeDisable', true, {
    types: TDX,
    given: withTdx({ tdAttributes: tdAttributes({ septVeDisable: false }) }),
  }),
  flip('require.tdx.allowMigratable', {
    on: { require: { tdx: { allowMigratable: true, mrServiceTd: [HEX_48] } } },
    off: { require: { tdx: { mrServiceTd: [HEX_48] } } },
    types: TDX,
    given: withTdx({ tdAttributes: tdAttributes({ migratable: true }) }),
  }),
  requiring('tdx.allowPerfmon', false, {
    types: TDX,
    given: withTdx({ tdAttributes: tdAttributes({ perfmon: true }) }),
  }),
  requiring('tdx.xfamMask', '00'.repeat(8), { types: TDX }),
  requiring('tdx.mrServiceTd', [HEX_48], { types: TDX, given: withTdx({ mrServiceTd: HEX_48 }) }),
  requiring('tdx.machines.ppid', ['00'.repeat(16)], { types: TDX, given: withTdx({ ppid: '11'.repeat(16) }) }),
  requiring('tpm.trackResets', true, {
    types: VTPM,
    given: (type) => ({
      ...genuine(type),
      resets: { state: 'remembered', counts: { resetCount: 4, restartCount: 0 } },
    }),
  }),
  requiring('tpm.quotedPcrs', [9], { types: VTPM }),
  requiring('tpm.runtimePcrs', [5], {
    types: VTPM,
    given: (type) => ({ ...genuine(type), eventLogGaps: { unexplained: [5], absent: {}, loadOptions: [] } }),
  }),
  ...tokenFlips('maa', 'complianceStatus', ['azure-compliant-uvm']),
  ...tokenFlips('maa', 'attestationType', ['tdxvm'], TDX),
  ...tokenFlips('maa', 'attestationType', ['sevsnpvm'], SNP).filter(({ types }) => types === SNP),
  ...tokenFlips('maa', 'issuers', ['https://my.weu.attest.azure.net']),
  ...tokenFlips('maa', 'tcbStatus', ['UpToDate'], TDX),
  ...tokenFlips('ita', 'policyIds', ['1a2b3c4d-0000-4000-8000-0123456789ab'], TDX),
  ...tokenFlips('ita', 'issuers', ['Intel Trust Authority'], TDX),
  ...tokenFlips('ita', 'tcbStatus', ['UpToDate'], TDX),
  reference('snp.measurement', [HEX_48], { types: SNP }),
  reference('snp.idKeyDigest', [HEX_48], { types: SNP }),
  reference('snp.authorKeyDigest', [HEX_48], { types: SNP }),
  reference('snp.hostData', [HEX_32], { types: SNP }),
  reference('snp.vmpl', [3], { types: SNP }),
  ...TDX_REGISTERS.map((register) =>
    reference(`tdx.${register}`, [HEX_48], { types: register.startsWith('rtmr') ? ['tdx'] : TDX }),
  ),
  reference('hcl.vmUniqueId', ['00000000-0000-0000-0000-000000000000'], { types: HARDWARE, given: withHcl({}) }),
  ...Array.from({ length: 24 }, (_, index) => index)
    .filter((index) => index !== 16 && index !== 23)
    .map((index) => reference(`tpm.pcrs.sha256.${index}`, [HEX_32], { types: VTPM })),
  ...Object.entries({ applications: HEX_32, commandLines: 'other', files: HEX_32, db: HEX_32, dbx: HEX_32 }).map(
    ([member, other]) => reference(`tpm.boot.${member}`, [other], { types: VTPM, given: withEventLog }),
  ),
  ...Object.entries({ applications: HEX_48, commandLines: 'other', files: HEX_48, db: HEX_32, dbx: HEX_32 }).map(
    ([member, other]) => reference(`tdx.boot.${member}`, [other], { types: ['tdx'], given: withEventLog }),
  ),
  flip('referenceValues[].appliesTo.product', {
    types: SNP,
    on: { referenceValues: [{ appliesTo: { product: 'Genoa' }, snp: { vmpl: [0] } }] },
    off: { referenceValues: [{ snp: { vmpl: [0] } }] },
  }),
  ...RULE_FLIPS,
  flip('waivers[].check', {
    types: SNP,
    on: { ...SMT, waivers: [{ ...TERMS, check: 'snp_platform_smt_enabled' }] },
    off: SMT,
  }),
  flip('waivers[].value', {
    types: TDX,
    on: { ...statuses('UpToDate'), waivers: [{ ...TERMS, check: 'tdx_tcb_status', value: 'OutOfDate' }] },
    off: { ...statuses('UpToDate'), waivers: [{ ...TERMS, check: 'tdx_tcb_status', value: 'SWHardeningNeeded' }] },
    given: withTdx({ tcb: tdxTcb({ status: 'OutOfDate' }) }),
  }),
  flip('waivers[].expires', {
    types: SNP,
    on: { ...SMT, waivers: [{ ...TERMS, check: 'snp_platform_smt_enabled' }] },
    off: { ...SMT, waivers: [{ ...TERMS, check: 'snp_platform_smt_enabled', expires: '2026-01-01' }] },
  }),
];

function statuses(...acceptedStatuses: readonly string[]): JsonObject {
  return { minimums: { tdx: { acceptedStatuses } } };
}
