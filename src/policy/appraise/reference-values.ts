import type { Checks } from '../../core/check.js';
import type { Claims, HclClaims, SnpClaims, TdxClaims, TpmClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import type { EvidenceType } from '../../core/evidence.js';
import { placeOf, teeOf, traitsOf } from '../../core/evidence-traits.js';
import type { JsonValue } from '../../core/json.js';
import { registerNames } from '../../core/register-names.js';
import {
  type BootReferences,
  REFERENCE_SECTIONS,
  type ReferenceSection,
  type ReferenceSet,
  TDX_REGISTERS,
  type TdxRegister,
} from '../document/reference-grammar.js';
import type { AppraisalTopic, ClaimSection, Findings } from './appraisal-topic.js';
import { bootComparisons } from './boot-references.js';

/** One claim, and the values that a set accepts for it. */
export interface ReferenceComparison {
  readonly id: CheckId;
  /** Name of the claim in answers. */
  readonly claim: string;
  readonly accepted: readonly JsonValue[];
  readonly actual: JsonValue;
  readonly holds: boolean;
  /** The fault if it does not match: "is …". */
  readonly finding: string;
  /** The open question if it matches. */
  readonly remark?: string;
  readonly place: ClaimSection | 'eventLog';
  /** The member of the set that lists the accepted values. */
  readonly setting: string;
  /** As in a check. */
  readonly faults?: readonly string[];
}

/** Reference values. The sets that apply are alternatives: one of them must match in all its members. */
export const referenceValues: AppraisalTopic = {
  needs: ({ referenceValues: sets }, evidenceType) => {
    if (sets.length === 0) return [];
    const sections = sectionsOf(evidenceType);
    // Only a verified report shows which sets apply.
    return sections.filter((section) => section === teeOf(evidenceType) || sets.some((set) => set[section] !== null));
  },
  required: ({ referenceValues: sets }) => (sets.length === 0 ? [] : ['reference_not_applicable']),
  appraise: ({ referenceValues: sets }, { evidenceType, verification }, checks) => {
    if (sets.length === 0) return;
    const applying = compareApplyingSets(sets, evidenceType, verification);
    const [closest] = applying.map(({ comparisons }) => comparisons).sort((a, b) => mismatches(a) - mismatches(b));
    const detail = `${applying.length} of ${sets.length} sets of reference values apply`;
    const faults = applicable(evidenceType, verification.claims);
    checks.require(closest !== undefined, 'reference_not_applicable', { detail, otherwise: detail, faults });
    for (const comparison of closest ?? []) {
      record(comparison, applying.length, checks.at(placeOf(comparison.place, evidenceType)));
    }
  },
};

/** The claims that sets are compared with. */
type ComparedClaims = Pick<Findings, 'claims' | 'eventLogGaps'>;

const NOTHING_VERIFIED: ComparedClaims = { claims: {} };

/** A set of reference values, with one comparison for each of its members. */
export interface ComparedSet {
  /** Index of the set in the policy. */
  readonly index: number;
  readonly comparisons: readonly ReferenceComparison[];
}

/** Compares every set that applies, even after one matches. */
export function compareApplyingSets(
  sets: readonly ReferenceSet[],
  evidenceType: EvidenceType,
  verification: ComparedClaims,
): readonly ComparedSet[] {
  return sets.flatMap((set, index) =>
    applies(set, evidenceType, verification.claims) ? [{ index, comparisons: comparisonsOf(set, verification) }] : [],
  );
}

/** Names of the claims that a set compares, as `snp.measurement` or `tpm.eventLog.files`, each once. */
export function comparedClaimsOf(set: ReferenceSet): readonly string[] {
  return acceptedValuesOf(set).map(({ claim }) => claim);
}

/** The claims that a set compares, with the values that it accepts. */
export function acceptedValuesOf(set: ReferenceSet): readonly Pick<ReferenceComparison, 'claim' | 'accepted'>[] {
  return comparisonsOf(set, NOTHING_VERIFIED);
}

/** Sections in sets of reference values that verified evidence of a type always has. */
function sectionsOf(evidenceType: EvidenceType): readonly ReferenceSection[] {
  const { always } = traitsOf(evidenceType);
  return REFERENCE_SECTIONS.filter((section) => always.includes(section));
}

function applies({ appliesTo, ...set }: ReferenceSet, evidenceType: EvidenceType, claims: Claims): boolean {
  if (appliesTo.product !== null && appliesTo.product !== claims.snp?.product) return false;
  // Bare evidence can also contain the runtime claims of a paravisor.
  return (
    sectionsOf(evidenceType).some((section) => set[section] !== null) || (set.hcl !== null && claims.hcl !== undefined)
  );
}

/** The properties that a set must have to apply. */
function applicable(evidenceType: EvidenceType, { snp }: Claims): readonly string[] {
  const sections = sectionsOf(evidenceType);
  return [
    ...(sections.length === 0 ? [] : [`section ${sections.join(' or ')}`]),
    snp === undefined ? 'no appliesTo.product' : `appliesTo.product ${snp.product} or none`,
  ];
}

function mismatches(comparisons: readonly ReferenceComparison[]): number {
  return comparisons.filter(({ holds }) => !holds).length;
}

function record(
  { id, claim, accepted, actual, holds, finding, remark = '', setting, faults = [] }: ReferenceComparison,
  tried: number,
  checks: Checks,
): void {
  checks.require(holds, id, {
    expected: accepted,
    actual,
    detail: `${claim} is among the reference values${remark}`,
    otherwise: `${claim} ${finding}${tried === 1 ? '' : ` (closest of ${tried} sets that apply)`}`,
    setting,
    ...(faults.length === 0 ? {} : { faults }),
  });
}

function comparisonsOf(set: ReferenceSet, verification: ComparedClaims): readonly ReferenceComparison[] {
  const { snp, tdx, hcl, tpm } = verification.claims;
  return [
    ...(set.snp === null ? [] : snpComparisons(set.snp, snp)),
    ...(set.tdx === null ? [] : tdxComparisons(set.tdx, tdx)),
    ...(set.hcl === null ? [] : compare('hcl_reference', 'hcl', 'vmUniqueId', set.hcl.vmUniqueId, vmUniqueId(hcl))),
    ...(set.tpm === null ? [] : pcrComparisons(set.tpm, tpm)),
    ...bootOf('tdx', set.tdx?.boot ?? null, verification),
    ...bootOf('tpm', set.tpm?.boot ?? null, verification),
  ];
}

function bootOf(
  section: 'tpm' | 'tdx',
  references: BootReferences | null,
  { claims, eventLogGaps }: ComparedClaims,
): readonly ReferenceComparison[] {
  if (references === null) return [];
  const log = { claims: claims[section]?.eventLog, gaps: eventLogGaps, ...BOUND_BY[section] };
  return bootComparisons(references, log).map(({ member, ...compared }) => ({
    ...compared,
    claim: `${section}.eventLog.${member}`,
    setting: `referenceValues[].${section}.boot.${member}`,
    place: 'eventLog',
  }));
}

/** The quoted bank, and the check of its registers. */
const BOUND_BY = {
  tpm: { bank: 'sha256', mismatch: 'tpm_pcr' },
  tdx: { bank: 'sha384', mismatch: 'tdx_measurement' },
} as const;

function snpComparisons(
  references: NonNullable<ReferenceSet['snp']>,
  snp: SnpClaims | undefined,
): readonly ReferenceComparison[] {
  // Without AUTHOR_KEY_EN the field is not the digest of any key (AMD 56860, KEY_INFO).
  const authorKeyDigest = snp?.authorKeyEnabled === true ? snp.authorKeyDigest : undefined;
  return [
    ...compare('snp_measurement', 'snp', 'measurement', references.measurement, snp?.measurement),
    ...compare('snp_id_key', 'snp', 'idKeyDigest', references.idKeyDigest, snp?.idKeyDigest),
    ...compare('snp_id_key', 'snp', 'authorKeyDigest', references.authorKeyDigest, authorKeyDigest),
    ...compare('snp_host_data', 'snp', 'hostData', references.hostData, snp?.hostData),
    ...compare('snp_vmpl', 'snp', 'vmpl', references.vmpl, snp?.vmpl),
  ];
}

function tdxComparisons(
  references: NonNullable<ReferenceSet['tdx']>,
  tdx: TdxClaims | undefined,
): readonly ReferenceComparison[] {
  const [rtmr0, rtmr1, rtmr2, rtmr3] = tdx?.rtmr ?? [];
  const registers: { readonly [register in TdxRegister]?: string | undefined } = { ...tdx, rtmr0, rtmr1, rtmr2, rtmr3 };
  return TDX_REGISTERS.flatMap((register) =>
    compare('tdx_measurement', 'tdx', register, references[register], registers[register]),
  );
}

function pcrComparisons(
  { sha256Pcrs }: NonNullable<ReferenceSet['tpm']>,
  tpm: TpmClaims | undefined,
): readonly ReferenceComparison[] {
  return sha256Pcrs.flatMap(({ index, values }) => {
    const actual = tpm?.pcrs['sha256']?.[String(index)];
    const id = actual === undefined ? 'tpm_pcr_not_quoted' : 'tpm_pcr';
    const compared = compare(id, 'tpm', `pcrs.sha256.${index}`, values, actual);
    return compared.map((comparison) => ({ ...comparison, faults: [registerNames('PCR', [index])] }));
  });
}

/** The id of the VM in lower case: a GUID that some hosts write in upper and others in lower case. */
function vmUniqueId(hcl: HclClaims | undefined): string | undefined {
  const id = hcl?.vmConfiguration?.['vmUniqueId'];
  return typeof id === 'string' ? id.toLowerCase() : undefined;
}

/** Compares a claim with accepted values. An undefined claim is not in the verified evidence and never matches. */
function compare(
  id: CheckId,
  section: ClaimSection,
  member: string,
  accepted: readonly JsonValue[] | null,
  actual: JsonValue | undefined,
): readonly ReferenceComparison[] {
  if (accepted === null) return [];
  // Type and value must be equal: a number is not equal to its string.
  const holds = actual !== undefined && accepted.includes(actual);
  const finding = actual === undefined ? 'is nowhere in the evidence' : 'is not among the reference values';
  const claim = `${section}.${member}`;
  const setting = `referenceValues[].${claim}`;
  return [{ id, claim, accepted, actual: actual ?? null, holds, finding, place: section, setting }];
}
