import type { EvidenceType, TokenRoute } from '../../core/evidence.js';
import { type Tee, teeOf, tokenRouteOf } from '../../core/evidence-traits.js';
import { MAA_ATTESTATION_TYPES, type MaaAttestationType } from '../../core/maa-words.js';
import type { PolicyMembers, Requirements } from './policy-grammar.js';
import { type PolicyProblem, unusedMember } from './policy-problem.js';
import { type PolicyScope, scopeOf } from './policy-scope.js';
import { unusedReferences } from './reference-use.js';
import { unusedWaivers } from './waiver-use.js';

/**
 * Reports members that no accepted evidence can ever be compared with, and members with which the policy can never
 * allow. A policy with unused requirements looks stricter than it is.
 *
 * Ignores defaults, which require nothing, and `minimums` of a TEE that is not accepted.
 */
export function unusedMembers(policy: PolicyMembers): readonly PolicyProblem[] {
  const scope = scopeOf(policy);
  return [
    ...unconsulted(policy, scope),
    ...unusedReferences(policy),
    ...unusedWaivers(policy, scope),
    ...neverAllowing(policy, scope),
  ];
}

/**
 * Pointers of members, including waivers, that no accepted evidence can be compared with. Without them the policy
 * allows exactly the same evidence.
 */
export function droppableMembers(policy: PolicyMembers): readonly string[] {
  const scope = scopeOf(policy);
  return [...unconsulted(policy, scope), ...unusedWaivers(policy, scope)].map(({ pointer }) => pointer);
}

function unconsulted(policy: PolicyMembers, scope: PolicyScope): readonly PolicyProblem[] {
  const uses = [...topLevelUses(policy, scope), ...requirementUses(policy.require, scope)];
  const unused = uses.filter(({ isAsked, isConsulted }) => isAsked && !isConsulted);
  return unused.map(({ pointer, about }) => unusedMember(pointer, `is about ${about}, which this policy never sees`));
}

/** A member that can be a requirement. */
interface Use {
  readonly pointer: string;
  readonly isAsked: boolean;
  readonly isConsulted: boolean;
  /** The subject of the comparison. */
  readonly about: string;
}

const HARDWARE = 'hardware evidence';
const SNP = 'SEV-SNP evidence';
const TDX = 'TDX evidence';
const VTPM = 'evidence with a vTPM';
const MAA = 'a token of Azure Attestation';
const ITA = 'a token of Intel Trust Authority, which judges TDs alone';

function topLevelUses(policy: PolicyMembers, scope: PolicyScope): readonly Use[] {
  const { paravisor, revocation, secureBoot, allowDebug } = policy;
  return [
    use('/paravisor', paravisor !== 'known', scope.hardware, HARDWARE),
    use('/revocation', revocation !== 'required', scope.snp, SNP),
    use(
      '/secureBoot',
      secureBoot === 'required',
      scope.hardware || scope.vtpm || scope.maa,
      'evidence or a token that says whether Secure Boot is on',
    ),
    use('/allowDebug', allowDebug, scope.hardware, HARDWARE),
  ];
}

function requirementUses({ snp, tdx, tpm, maa, ita }: Requirements, scope: PolicyScope): readonly Use[] {
  const of = (section: string, isConsulted: boolean, about: string, asked: Readonly<Record<string, boolean>>) =>
    Object.entries(asked).map(([name, isAsked]) => use(`/require/${section}/${name}`, isAsked, isConsulted, about));
  return [
    ...of('snp', scope.snp, SNP, {
      committedEqualsCurrent: snp?.committedEqualsCurrent === true,
      platformInfo: Object.keys(snp?.platformInfo ?? {}).length > 0,
      mitigations: (snp?.mitigations ?? []).length > 0,
      minGuestSvn: snp?.minGuestSvn != null,
      machines: snp?.machines != null,
    }),
    ...of('tdx', scope.tdx, TDX, {
      septVeDisable: tdx?.septVeDisable === true,
      allowMigratable: tdx?.allowMigratable === true,
      allowPerfmon: tdx?.allowPerfmon === false,
      xfamMask: tdx?.xfamMask != null,
      mrServiceTd: tdx?.mrServiceTd != null,
      machines: tdx?.machines != null,
    }),
    ...of('tpm', scope.vtpm, VTPM, {
      trackResets: tpm?.trackResets === true,
      quotedPcrs: (tpm?.quotedPcrs ?? []).length > 0,
      runtimePcrs: (tpm?.runtimePcrs ?? []).length > 0,
    }),
    ...of('maa', scope.maa, MAA, {
      complianceStatus: maa?.complianceStatus != null,
      attestationType: maa?.attestationType != null,
      issuers: maa?.issuers != null,
    }),
    ...of('maa', scope.maaOfTds, `${MAA} about a TD`, { tcbStatus: maa?.tcbStatus != null }),
    ...of('ita', scope.ita, ITA, {
      policyIds: ita?.policyIds != null,
      issuers: ita?.issuers != null,
      tcbStatus: ita?.tcbStatus != null,
    }),
  ];
}

function use(pointer: string, isAsked: boolean, isConsulted: boolean, about: string): Use {
  return { pointer, isAsked, isConsulted, about };
}

/** Reports members that contradict `accepts`, so that no evidence can pass. */
function neverAllowing(policy: PolicyMembers, scope: PolicyScope): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  if (scope.tokens && policy.routes.hardware === 'required') {
    problems.push(unusedMember('/routes/hardware', 'must be off, because accepts lists only tokens'));
  }
  problems.push(...tpmOnlyProblems(policy, scope));
  for (const route of ['maa', 'ita'] as const) {
    const isConsulted = route === 'maa' ? scope.maaOfTds : scope.ita;
    if (!scope.tdx || scope.snp || !isConsulted || statusesMeet(policy, route)) continue;
    const message = 'has no status of minimums.tdx.acceptedStatuses, so no TD would pass';
    problems.push(unusedMember(`/require/${route}/tcbStatus`, message));
  }
  const possible = possibleTypes(policy);
  const types = policy.require.maa?.attestationType ?? null;
  if (scope.maa && types !== null && !types.some((type) => possible.has(type))) {
    const which = [...possible].join(', ');
    const message = `has no type that a token about the evidence in accepts can have (${which}), so none would pass`;
    problems.push(unusedMember('/require/maa/attestationType', message));
  }
  return problems;
}

/** Reports routes of a policy for a vTPM alone, which has no hardware report and no TEE for a token. */
function tpmOnlyProblems({ routes }: PolicyMembers, { tpmOnly }: PolicyScope): readonly PolicyProblem[] {
  if (!tpmOnly) return [];
  return Object.entries(routes)
    .filter(([, wanted]) => wanted !== 'off')
    .map(([route]) => unusedMember(`/routes/${route}`, 'must be off, because accepts lists only tpm'));
}

/** The attestation types of Azure Attestation tokens that fit the accepted types of evidence. */
function possibleTypes({ accepts }: PolicyMembers): ReadonlySet<string> {
  return new Set(accepts.flatMap(attestationTypesOf));
}

/** Attestation types of the TEEs that Azure Attestation appraises. */
const BARE_TYPES: { readonly [tee in Tee]?: MaaAttestationType } = { snp: 'sevsnpvm', tdx: 'tdxvm' };

/**
 * The attestation types for a type of evidence. Guest attestation covers both TEEs, and bare evidence can be a
 * paravisor's.
 */
function attestationTypesOf(type: EvidenceType): readonly MaaAttestationType[] {
  const tee = tokenRouteOf(type) === 'ita' ? 'tdx' : teeOf(type);
  if (tee === null) return MAA_ATTESTATION_TYPES;
  const bare = BARE_TYPES[tee];
  return bare === undefined ? [] : ['azurevm', bare];
}

/** Whether a status can be in both lists, with their waivers. Token and evidence must have the same status. */
function statusesMeet({ minimums: { tdx }, require, waivers }: PolicyMembers, route: TokenRoute): boolean {
  const accepted = require[route]?.tcbStatus ?? null;
  if (accepted === null || tdx === null || tdx === 'any') return true;
  const waivedAs = (id: 'tdx_tcb_status' | `${TokenRoute}_tcb_status`) =>
    waivers.flatMap((waiver) => (waiver.check === id ? [waiver.value] : []));
  const found = [...tdx.acceptedStatuses, ...waivedAs('tdx_tcb_status')];
  return [...accepted, ...waivedAs(`${route}_tcb_status`)].some((status) => found.includes(status));
}
