import { AMD_LINES, LINE_NAME, lineOfPart, SNP_PARTS } from '../../core/amd-lines.js';
import { SNP_PLATFORM_BITS, SNP_TCB_COMPONENTS, type SnpPart } from '../../core/claims.js';
import { EVIDENCE_TYPES } from '../../core/evidence-traits.js';
import { isObject } from '../../core/json.js';
import { MAA_ATTESTATION_TYPES, misspeltCompliance } from '../../core/maa-words.js';
import { POLICY_ID } from '../../core/request.js';
import { TDX_STATUSES } from '../../core/tdx-status.js';
import { either, optional, type Read, refined, type Schema, whole } from '../../schema/schema.js';
import { list, naming, object, section, someOf, variants } from '../../schema/structures.js';
import {
  anything,
  choice,
  day,
  flag,
  hex,
  integer,
  lowerCase,
  pattern,
  refused,
  someText,
  uuid,
} from '../../schema/values.js';
import { CHECK_IDS, CHECKS, waivableChecks } from '../../tee/catalogue.js';
import { alternatives, REFERENCE_SET } from './reference-grammar.js';

/** The form of an id of a policy or rule, in words. */
export const ID_FORM = 'up to 64 letters a to z, digits and hyphens, not starting with a hyphen';

const identifier = pattern(POLICY_ID, ID_FORM);

const TOKEN_ROUTE = ['required', 'optional', 'off'] as const;
const COMPONENTS_BEFORE_TURIN = SNP_TCB_COMPONENTS.filter((component) => component !== 'fmc');

/** A member that is either the explicit word `any` or a value of the schema. */
function anyOr<T>(schema: Schema<T>): Schema<T | 'any'> {
  return either('any, or an object', choice('any'), schema);
}

/** Minimum values of the compared components. */
export type TcbFloor = Read<ReturnType<typeof tcbFloorOf>>;

/** A floor with the components of a part. A configured part may have each component; its line decides which. */
function tcbFloorOf(part: SnpPart) {
  const hasNoFmc = lineOfPart(part, AMD_LINES)?.layout === 'milan';
  return someOf(hasNoFmc ? COMPONENTS_BEFORE_TURIN : SNP_TCB_COMPONENTS, () => integer(0, 255));
}

/** Minimums by part. A part that is not listed does not pass. */
const snpMinimums = anyOr(someOf(SNP_PARTS, tcbFloorOf, LINE_NAME));
export type SnpMinimums = Read<typeof snpMinimums>;

const tdxMinimums = anyOr(
  object({
    acceptedStatuses: list(choice(...TDX_STATUSES), 'filled'),
    earliestTcbDate: optional(day, null),
    /** Least tcbEvaluationDataNumber of TCB info and QE identity. */
    minEvaluationDataNumber: optional(integer(1, 0xffff_ffff), null),
    /** Greatest age of TCB info, QE identity and PCK CRL, by their issue. */
    maxCollateralAgeDays: optional(integer(1, 366), null),
  }),
);
export type TdxMinimums = Read<typeof tdxMinimums>;

/** Null: the policy has no minimums for this TEE, and accepts none of its evidence. */
const minimumsByTee = object({ snp: optional(snpMinimums, null), tdx: optional(tdxMinimums, null) });

const minimums: typeof minimumsByTee = refined(anyOr(minimumsByTee), (read) =>
  read === 'any' ? { snp: 'any', tdx: 'any' } : read,
);

const routes = section({
  hardware: optional(choice('required', 'off'), 'required'),
  maa: optional(choice(...TOKEN_ROUTE), 'off'),
  ita: optional(choice(...TOKEN_ROUTE), 'off'),
});

/** Tokens with a known status in the wrong case are rejected, so such a value would never allow. */
const compliance: Schema<string> = refined(someText, (text, at) => {
  const meant = misspeltCompliance(text);
  return meant === null ? text : at.refuse(`must be in lower case: ${meant}`);
});

/** CHIP_ID. On Turin 8 bytes count, and zeros follow in the report. A policy can use either form. */
const chipId: Schema<string> = refined(
  pattern(/^(?:[0-9a-f]{16}|[0-9a-f]{128})$/i, '64 bytes in hex, or the 8 of a Turin, in quotes'),
  (text) => text.toLowerCase().padEnd(128, '0'),
);

const pcrs = optional(list(integer(0, 23), 'filled'), []);

/** Machines by the identity in the VEK: the chip in a VCEK, the provider in a VLEK. At least one is set. */
const snpMachines = naming(object({ chipId: alternatives(chipId), cspId: alternatives(someText) }));
export type SnpMachines = Read<typeof snpMachines>;

const snpRequirements = object({
  committedEqualsCurrent: optional(flag, false),
  platformInfo: optional(
    someOf(SNP_PLATFORM_BITS, () => flag),
    {},
  ),
  /** Numbers of the bits that both mitigation vectors must have set. */
  mitigations: optional(list(integer(0, 63), 'filled'), []),
  minGuestSvn: optional(integer(0, 0xffff_ffff), null),
  machines: optional(snpMachines, null),
});
export type SnpRequirements = Read<typeof snpRequirements>;

const tdxRequirements = object({
  septVeDisable: optional(flag, false),
  allowMigratable: optional(flag, false),
  allowPerfmon: optional(flag, true),
  xfamMask: optional(hex(8), null),
  mrServiceTd: alternatives(hex(48)),
  /** Machines by the PPID of the PCK certificate. */
  machines: optional(object({ ppid: list(hex(16), 'filled') }), null),
});
export type TdxRequirements = Read<typeof tdxRequirements>;

const maaRequirements = object({
  complianceStatus: alternatives(compliance),
  attestationType: alternatives(choice(...MAA_ATTESTATION_TYPES)),
  issuers: alternatives(someText),
  /** Accepted `attester_tcb_status` of a tdxvm token. */
  tcbStatus: alternatives(choice(...TDX_STATUSES)),
});

const itaRequirements = object({
  /** Every id must be in `policy_ids_matched`. Compared without case, because UUIDs occur in both. */
  policyIds: alternatives(lowerCase(uuid)),
  issuers: alternatives(someText),
  /** Accepted `attester_tcb_status`. */
  tcbStatus: alternatives(choice(...TDX_STATUSES)),
});

const requirements = section({
  snp: optional(snpRequirements, null),
  tdx: optional(tdxRequirements, null),
  /** `quotedPcrs`: PCRs that the signed selection must name. */
  tpm: optional(object({ trackResets: optional(flag, false), quotedPcrs: pcrs, runtimePcrs: pcrs }), null),
  maa: optional(maaRequirements, null),
  ita: optional(itaRequirements, null),
});

export type Requirements = Read<typeof requirements>;

const ruleMembers = object({
  id: identifier,
  cel: optional(someText, null),
  akv: optional(anything, null),
  comparison: optional(choice('strict', 'compatible'), null),
});

/** One rule, in one of the two languages. Its text is parsed after the members of the policy are valid. */
const rule = refined(ruleMembers, ({ id, cel, akv, comparison }, at) => {
  if (cel !== null && akv === null) {
    if (comparison !== null) return at.member('comparison').refuse('goes with akv alone');
    return { id, language: 'cel' as const, text: cel };
  }
  if (cel !== null || akv === null) return at.refuse('must have either cel or akv');
  return { id, language: 'akv' as const, policy: akv, comparison: comparison ?? 'strict' };
});
export type RuleMembers = Read<typeof rule>;

/** A waiver ends at the start (UTC) of the day `expires`. */
const waiverTerms = { reason: someText, approver: someText, expires: day };

const plainWaiver = object({
  check: choice(...waivableChecks('plain')),
  value: optional(refused('this check takes no value'), null),
  ...waiverTerms,
});

const statusWaiver = object({
  check: choice('tdx_tcb_status', 'maa_tcb_status', 'ita_tcb_status'),
  value: choice(...TDX_STATUSES),
  ...waiverTerms,
});

/** A floor whose components depend on the member `part`. */
const floorOfPart: Schema<{ readonly part: SnpPart; readonly floor: TcbFloor }> = {
  ...partAndFloor(''),
  read: (raw, at) => partAndFloor(isObject(raw) ? String(raw['part']) : '').read(raw, at),
};

function partAndFloor(part: SnpPart) {
  return object({ part: pattern(LINE_NAME, 'the name of a part, such as Milan-X'), floor: tcbFloorOf(part) });
}

const floorWaiver = object({
  check: choice('snp_tcb_low'),
  value: whole(floorOfPart),
  ...waiverTerms,
});

const waivable = variants('check', [plainWaiver, floorWaiver, statusWaiver]);

/** A tolerated finding, with an end, an approver and a reason. Its check decides the kind of its value. */
const waiver: typeof waivable = {
  ...waivable,
  read(raw, at) {
    const check = isObject(raw) ? raw['check'] : undefined;
    const isOfDebug = CHECK_IDS.some((id) => id === check && CHECKS[id].relaxedBy === 'allowDebug');
    if (!isOfDebug) return waivable.read(raw, at);
    return at.member('check').refuse(`${check} has no waiver; set allowDebug: true, which makes it a warning`);
  },
};
export type Waiver = Read<typeof waiver>;

const members = object({
  apiVersion: choice('veritee/v1'),
  id: identifier,
  version: integer(1, Number.MAX_SAFE_INTEGER),
  description: optional(someText, null),
  accepts: list(choice(...EVIDENCE_TYPES), 'filled', 'distinct'),
  minimums,
  paravisor: optional(choice('known', 'any'), 'known'),
  routes,
  freshness: optional(choice('required', 'strict', 'none'), 'required'),
  nonce: optional(choice('any', 'challenge'), 'any'),
  revocation: optional(choice('required', 'best-effort'), 'required'),
  binding: optional(choice('optional', 'required'), 'optional'),
  secureBoot: optional(choice('any', 'required'), 'any'),
  allowDebug: optional(flag, false),
  require: requirements,
  referenceValues: optional(list(REFERENCE_SET), []),
  rules: optional(list(rule), []),
  waivers: optional(list(waiver), []),
});

/** The schema of each member of a policy. `crossMemberProblems` checks contradictions between members. */
export const POLICY_SCHEMA = refined(members, ({ apiVersion: _, ...policy }) => policy);

/** The members of a policy without its rules. An absent requirement is null, false or empty. */
export type PolicyMembers = Omit<Read<typeof POLICY_SCHEMA>, 'rules'>;
