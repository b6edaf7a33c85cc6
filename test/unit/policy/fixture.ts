import type { Check, CheckResult } from '../../../src/core/check.js';
import type {
  Claims,
  EventLogClaims,
  HclClaims,
  SnpClaims,
  SnpTcb,
  TdAttributesClaim,
  TdxClaims,
  TdxTcbClaim,
  TokenClaims,
  TpmClaims,
} from '../../../src/core/claims.js';
import type { CheckId } from '../../../src/core/codes.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { EventLogGaps, Verification } from '../../../src/core/verification.js';
import type { Verified } from '../../../src/core/verified.js';
import type { AppraisalInput } from '../../../src/policy/appraise/appraisal-topic.js';
import { appraise, type PolicyAppraisal } from '../../../src/policy/appraise/appraise.js';
import { type Policy, parsePolicy } from '../../../src/policy/document/policy-document.js';

/** Claims as a verifier would give them, for policies to be held against. Nothing here is evidence. */

const AT = new Date('2026-06-01T12:00:00Z');

export const MEASUREMENT = 'a1'.repeat(48);
export const ID_KEY_DIGEST = 'b2'.repeat(48);
export const AUTHOR_KEY_DIGEST = 'c3'.repeat(48);
export const HOST_DATA = 'd4'.repeat(32);
export const PCR_7 = 'e5'.repeat(32);
/** PCR 0 to 6, as every quote here has them. */
const BOOT_PCRS = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [String(index), 'aa'.repeat(32)]));
export const VM_ID = '5a0c7d1e-1f2b-4c3d-8e9f-0a1b2c3d4e5f';

/** Exactly at the minimums of the baseline for Milan. */
export const TCB: SnpTcb = { bootloader: 4, tee: 0, snp: 24, microcode: 219 };

export function snpClaims(overrides: Partial<SnpClaims> = {}): SnpClaims {
  return {
    version: 3,
    product: 'Milan',
    part: 'Milan',
    cpuid: { family: 0x19, model: 1, stepping: 1 },
    firmware: { current: '1.55.29', committed: '1.55.29' },
    signingKey: 'vcek',
    vmpl: 0,
    guestSvn: 7,
    policy: {
      abiMajor: 0,
      abiMinor: 31,
      smt: true,
      migrateMa: false,
      debug: false,
      singleSocket: false,
      cxlAllow: false,
      memAes256Xts: false,
      raplDis: false,
      ciphertextHidingDram: false,
      pageSwapDisable: false,
    },
    platformInfo: {
      smtEnabled: true,
      tsmeEnabled: false,
      eccEnabled: true,
      raplDisabled: false,
      ciphertextHidingDramEnabled: false,
      aliasCheckComplete: true,
      iommuWriteSafe: false,
      tioEnabled: false,
      unknownBits: [],
    },
    tcb: { current: TCB, committed: TCB, reported: TCB, launch: TCB },
    authorKeyEnabled: false,
    measurement: MEASUREMENT,
    hostData: HOST_DATA,
    idKeyDigest: ID_KEY_DIGEST,
    authorKeyDigest: '00'.repeat(48),
    reportId: '11'.repeat(32),
    reportIdMa: 'ff'.repeat(32),
    chipId: '22'.repeat(64),
    reportData: '33'.repeat(64),
    familyId: '01'.repeat(16),
    imageId: '02'.repeat(16),
    ...overrides,
  };
}

/** A TCB below the fixture's in one component. */
export function lowered(component: keyof SnpTcb, by = 1): SnpTcb {
  return { ...TCB, [component]: (TCB[component] ?? 0) - by };
}

export const MRTD = 'a0'.repeat(48);
export const RTMRS = ['b0'.repeat(48), 'b1'.repeat(48), 'b2'.repeat(48), 'b3'.repeat(48)] as const;
export const MR_CONFIG_ID = 'c0'.repeat(48);
export const MR_OWNER = 'c1'.repeat(48);
export const MR_OWNER_CONFIG = 'c2'.repeat(48);
export const MR_SEAM = 'd0'.repeat(48);

/** A TD of body 1.0, exactly at the minimums of the baseline. */
export function tdxClaims(overrides: Partial<TdxClaims> = {}): TdxClaims {
  return {
    quoteVersion: 4,
    mrtd: MRTD,
    rtmr: RTMRS,
    mrConfigId: MR_CONFIG_ID,
    mrOwner: MR_OWNER,
    mrOwnerConfig: MR_OWNER_CONFIG,
    mrSeam: MR_SEAM,
    mrSignerSeam: '00'.repeat(48),
    teeTcbSvn: '0d010400000000000000000000000000',
    tdAttributes: tdAttributes(),
    xfam: 'e702060000000000',
    reportData: 'e0'.repeat(64),
    ppid: 'f0'.repeat(16),
    fmspc: '90c06f000000',
    pceId: '0000',
    tcb: tdxTcb(),
    ...overrides,
  };
}

export function tdAttributes(overrides: Partial<TdAttributesClaim> = {}): TdAttributesClaim {
  return {
    debug: false,
    septVeDisable: true,
    migratable: false,
    pks: false,
    keyLocker: false,
    perfmon: false,
    icssd: false,
    serviceTdExt: false,
    lass: false,
    tpa: false,
    ...overrides,
  };
}

export function tdxTcb(overrides: Partial<TdxTcbClaim> = {}): TdxTcbClaim {
  return {
    status: 'UpToDate',
    platformStatus: 'UpToDate',
    moduleStatus: 'UpToDate',
    qeStatus: 'UpToDate',
    date: '2024-03-13T00:00:00Z',
    evaluationDataNumber: 17,
    qeEvaluationDataNumber: 17,
    advisories: [],
    ...overrides,
  };
}

export function hclClaims(overrides: Partial<HclClaims> = {}): HclClaims {
  return {
    reportType: 'snp',
    paravisor: { known: true, by: 'idKeyDigest' },
    akThumbprint: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    userData: null,
    vmConfiguration: { secureBoot: true, tpmEnabled: true, vmUniqueId: VM_ID.toUpperCase() },
    ...overrides,
  };
}

export function tpmClaims(overrides: Partial<TpmClaims> = {}): TpmClaims {
  return {
    pcrs: { sha256: { ...BOOT_PCRS, '7': PCR_7 } },
    firmwareVersion: '1122334455667788',
    clock: { resetCount: 3, restartCount: 0, safe: true },
    ...overrides,
  };
}

export const APPLICATION = 'a4'.repeat(32);
export const FILE = 'f9'.repeat(32);
export const COMMAND_LINE = '/vmlinuz root=/dev/sda1 ro';
export const VARIABLE = 'db'.repeat(32);

/** The log of a boot without faults. */
export function eventLogClaims(overrides: Partial<EventLogClaims> = {}): EventLogClaims {
  return {
    replayed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    notCovered: [],
    secureBoot: true,
    pk: VARIABLE,
    kek: VARIABLE,
    db: VARIABLE,
    dbx: VARIABLE,
    mokList: null,
    applications: [APPLICATION],
    commandLines: [COMMAND_LINE],
    files: [FILE],
    ...overrides,
  };
}

/** The content of a reliable token of Azure Attestation or Trust Authority. */
export function tokenClaims(stated: Partial<TokenClaims['stated']> = {}, attestationType = 'azurevm'): TokenClaims {
  return {
    issuer: 'https://sharedweu.weu.attest.azure.net',
    attestationType,
    policyHash: null,
    claims: {},
    stated: {
      complianceStatus: 'azure-compliant-cvm',
      secureBoot: true,
      tcbStatus: null,
      matchedPolicyIds: [],
      ...stated,
    },
  };
}

export function check(id: CheckId, result: CheckResult = 'pass', overrides: Partial<Check> = {}): Check {
  return {
    id,
    result,
    about: '/evidence',
    expected: null,
    actual: null,
    detail: 'as it is',
    policy: null,
    ...overrides,
  };
}

const AZ_CHECKS: readonly CheckId[] = ['snp_signature', 'snp_debug', 'hcl_binding', 'tpm_signature', 'nonce_mismatch'];
const BARE_CHECKS: readonly CheckId[] = ['snp_signature', 'snp_debug', 'nonce_mismatch'];
const TPM_CHECKS: readonly CheckId[] = ['ak_cert_untrusted', 'cert_validity', 'tpm_signature', 'nonce_mismatch'];
const TD_CHECKS: readonly CheckId[] = ['tdx_signature', 'tdx_debug', 'tdx_attributes', 'tdx_xfam', 'nonce_mismatch'];
const AZ_TD_CHECKS: readonly CheckId[] = ['tdx_report_mismatch', ...TD_CHECKS, 'hcl_binding', 'tpm_signature'];

/** The default claims of evidence of a type; a token has those of bare SEV-SNP evidence. */
function usual(type: AppraisalInput['evidenceType']): {
  readonly ids: readonly CheckId[];
  readonly claims: Claims;
  readonly bound: Verification['bound'];
} {
  const guest: Verification['bound'] = ['tpm.extraData', 'hcl.userData'];
  if (type === 'az-snp-vtpm') return { ids: AZ_CHECKS, claims: azClaims(), bound: guest };
  if (type === 'az-tdx-vtpm') return { ids: AZ_TD_CHECKS, claims: azTdxClaims(), bound: guest };
  if (type === 'tpm') return { ids: TPM_CHECKS, claims: { tpm: tpmClaims() }, bound: ['tpm.extraData'] };
  if (type === 'tdx') return { ids: TD_CHECKS, claims: { tdx: tdxClaims() }, bound: ['tdx.reportData'] };
  return { ids: BARE_CHECKS, claims: { snp: snpClaims() }, bound: ['snp.reportData'] };
}

export interface Situation {
  readonly type?: AppraisalInput['evidenceType'];
  readonly claims?: Claims;
  /** Base checks that are not a pass, or are beside those that every verification here has. */
  readonly findings?: readonly Check[];
  readonly bound?: Verification['bound'];
  readonly nonce?: AppraisalInput['nonce'];
  readonly results?: AppraisalInput['results'];
  readonly resets?: AppraisalInput['resets'];
  readonly boundKey?: boolean;
  readonly keyAsPem?: boolean;
  readonly at?: Date;
  readonly required?: readonly CheckId[];
  readonly tcbShortfalls?: Verification['tcbShortfalls'] & {};
  readonly collateralIssued?: Verification['collateralIssued'] & {};
  readonly paravisorMinGuestSvn?: number;
  readonly selectedPcrs?: readonly number[];
  readonly eventLogGaps?: EventLogGaps;
  readonly withheldConfiguration?: JsonObject;
}

/** The verification of a genuine Azure SEV-SNP VM, or of evidence of another type, with a fresh nonce, except for the changes of a test. */
export function situation(given: Situation = {}): AppraisalInput {
  const { type = 'az-snp-vtpm', findings = [], ...others } = given;
  const { ids, claims: usualClaims, bound: usualBound } = usual(type);
  const {
    required = ids,
    claims = usualClaims,
    bound = usualBound,
    nonce = { origin: 'caller' },
    results = new Map(),
    resets = { state: 'none' },
    boundKey = false,
    keyAsPem = false,
    at = AT,
    ...ofSomeVerifications
  } = others;
  const passed = ids.filter((id) => !findings.some((finding) => finding.id === id));
  return {
    evidenceType: type,
    verification: {
      checks: [...passed.map((id) => check(id)), ...findings],
      required,
      claims: claims as Verified<Claims>,
      endorsements: [],
      bound,
      validUntil: null,
      ...ofSomeVerifications,
    },
    nonce,
    results,
    resets,
    boundKey,
    keyAsPem,
    at,
  };
}

export function azClaims(overrides: Claims = {}): Claims {
  return { snp: snpClaims(), hcl: hclClaims(), tpm: tpmClaims(), ...overrides };
}

/** A TD behind a paravisor of Azure. */
export function azTdxClaims(overrides: Claims = {}): Claims {
  const hcl = hclClaims({ reportType: 'tdx', paravisor: { known: true, by: 'mrtd' } });
  return { tdx: tdxClaims(), hcl, tpm: tpmClaims(), ...overrides };
}

/** The members that a policy cannot do without, and that ask for as little as can be. */
export const LEAST = {
  apiVersion: 'veritee/v1',
  id: 'least',
  version: 1,
  accepts: ['snp', 'az-snp-vtpm'],
  minimums: { snp: 'any' },
};

/** As little as can be asked of TDs. */
export const LEAST_OF_TDS = { accepts: ['tdx', 'az-tdx-vtpm'], minimums: { tdx: 'any' } };

export function policyText(members: JsonObject = {}): string {
  return JSON.stringify({ ...LEAST, ...members });
}

export function policy(members: JsonObject = {}): Policy {
  return parsePolicy(policyText(members), { format: 'json' });
}

export function appraised(members: JsonObject, given: Situation = {}): PolicyAppraisal {
  return appraise(policy(members), situation(given));
}

/** As `appraised`, under a policy for TDs; bare evidence where the situation does not say otherwise. */
export function appraisedTd(members: JsonObject, given: Situation = {}): PolicyAppraisal {
  return appraised({ ...LEAST_OF_TDS, ...members }, { type: 'tdx', ...given });
}

/** Results of all checks with an id, in order. */
export function results(appraisal: Pick<PolicyAppraisal, 'checks'>, id: CheckId): readonly CheckResult[] {
  return appraisal.checks.filter((found) => found.id === id).map(({ result }) => result);
}

/** The one check with an id. */
export function only(appraisal: Pick<PolicyAppraisal, 'checks'>, id: CheckId): Check {
  const found = appraisal.checks.filter((candidate) => candidate.id === id);
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} checks ${id}`);
  return first;
}

/** Ids of the checks that failed. */
export function failed(appraisal: Pick<PolicyAppraisal, 'checks'>): readonly CheckId[] {
  return appraisal.checks.filter(({ result }) => result === 'fail').map(({ id }) => id);
}
