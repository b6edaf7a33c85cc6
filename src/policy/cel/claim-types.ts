import { LINE_NAME } from '../../core/amd-lines.js';
import type {
  EventLogClaims,
  HclClaims,
  ServiceTdClaim,
  SnpClaims,
  SnpPlatformInfoClaim,
  SnpPolicyClaim,
  SnpTcb,
  TdAttributesClaim,
  TdxClaims,
  TdxTcbClaim,
  TokenClaims,
  TpmClaims,
} from '../../core/claims.js';
import { EVIDENCE_TYPES } from '../../core/evidence-traits.js';
import {
  BOOL,
  hexOf,
  INT,
  integerOf,
  listType,
  type ObjectType,
  object,
  oneOf,
  type ScalarType,
  TEXT,
  textMatching,
  UINT8,
  UINT16,
  UINT32,
  VMPL,
} from './claim-type.js';
import { ITA_TOKEN_TYPE, MAA_TOKEN_TYPE, VM_CONFIGURATION_TYPE } from './token-claim-types.js';

const TCB = object<SnpTcb>({ fmc: UINT8, bootloader: UINT8, tee: UINT8, snp: UINT8, microcode: UINT8 });

const SNP = object<SnpClaims>({
  version: UINT32,
  product: textMatching('the name of a product line, such as Milan', LINE_NAME),
  part: textMatching('unknown, or the name of a part, such as Milan-X', /^(?:unknown|[A-Z][A-Za-z0-9-]{0,31})$/),
  cpuid: object<NonNullable<SnpClaims['cpuid']>>({ family: UINT8, model: UINT8, stepping: UINT8 }),
  firmware: object<SnpClaims['firmware']>({ current: TEXT, committed: TEXT }),
  mitigation: object<NonNullable<SnpClaims['mitigation']>>({ current: TEXT, launch: TEXT }),
  signingKey: oneOf(['vcek', 'vlek']),
  vmpl: VMPL,
  guestSvn: UINT32,
  policy: object<SnpPolicyClaim>({
    abiMajor: UINT8,
    abiMinor: UINT8,
    smt: BOOL,
    migrateMa: BOOL,
    debug: BOOL,
    singleSocket: BOOL,
    cxlAllow: BOOL,
    memAes256Xts: BOOL,
    raplDis: BOOL,
    ciphertextHidingDram: BOOL,
    pageSwapDisable: BOOL,
  }),
  platformInfo: object<SnpPlatformInfoClaim>({
    smtEnabled: BOOL,
    tsmeEnabled: BOOL,
    eccEnabled: BOOL,
    raplDisabled: BOOL,
    ciphertextHidingDramEnabled: BOOL,
    aliasCheckComplete: BOOL,
    iommuWriteSafe: BOOL,
    tioEnabled: BOOL,
    unknownBits: listType(integerOf([0, 63])),
  }),
  tcb: object<SnpClaims['tcb']>({ current: TCB, committed: TCB, reported: TCB, launch: TCB }),
  authorKeyEnabled: BOOL,
  measurement: hexOf(48),
  hostData: hexOf(32),
  idKeyDigest: hexOf(48),
  authorKeyDigest: hexOf(48),
  reportId: hexOf(32),
  reportIdMa: hexOf(32),
  chipId: hexOf(64),
  cspId: TEXT,
  reportData: hexOf(64),
  familyId: hexOf(16),
  imageId: hexOf(16),
});

/**
 * The bank is SHA-256 for a vTPM, and SHA-384 for a TD. Variables are SHA-256 of their contents in both. MokList is the
 * list that shim measured. Command lines are texts, if the log has them. `register`: numbers of PCRs or RTMRs.
 */
function eventLog(digestBytes: number, register: ScalarType): ObjectType {
  return object<EventLogClaims>({
    replayed: listType(register),
    notCovered: listType(register),
    secureBoot: BOOL,
    pk: hexOf(32),
    kek: hexOf(32),
    db: hexOf(32),
    dbx: hexOf(32),
    mokList: hexOf(digestBytes),
    applications: listType(hexOf(digestBytes)),
    commandLines: listType(TEXT),
    files: listType(hexOf(digestBytes)),
  });
}

const TDX = object<TdxClaims>({
  quoteVersion: UINT16,
  mrtd: hexOf(48),
  rtmr: listType(hexOf(48)),
  mrConfigId: hexOf(48),
  mrOwner: hexOf(48),
  mrOwnerConfig: hexOf(48),
  mrSeam: hexOf(48),
  mrSignerSeam: hexOf(48),
  mrServiceTd: hexOf(48),
  teeTcbSvn: hexOf(16),
  tdAttributes: object<TdAttributesClaim>({
    debug: BOOL,
    septVeDisable: BOOL,
    migratable: BOOL,
    pks: BOOL,
    keyLocker: BOOL,
    perfmon: BOOL,
    icssd: BOOL,
    lass: BOOL,
    serviceTdExt: BOOL,
    tpa: BOOL,
  }),
  xfam: hexOf(8),
  serviceTd: object<ServiceTdClaim>({
    initHash: hexOf(48),
    initAttributes: hexOf(8),
    currentHash: hexOf(48),
    currentAttributes: hexOf(8),
    initTcbSvn: hexOf(16),
    initCpuSvn: hexOf(16),
    initModel: hexOf(12),
  }),
  reportData: hexOf(64),
  ppid: hexOf(16),
  fmspc: hexOf(6),
  pceId: hexOf(2),
  // Values that Intel defines. Intel may define more.
  tcb: object<TdxTcbClaim>({
    status: TEXT,
    platformStatus: TEXT,
    moduleStatus: TEXT,
    qeStatus: TEXT,
    date: TEXT,
    evaluationDataNumber: INT,
    qeEvaluationDataNumber: INT,
    advisories: listType(TEXT),
  }),
  eventLog: eventLog(48, integerOf([0, 3])),
});

const HCL = object<HclClaims>({
  reportType: oneOf(['snp', 'tdx', 'tvm']),
  paravisor: object<HclClaims['paravisor']>({
    known: BOOL,
    by: oneOf(['idKeyDigest', 'mrtd', 'maa', 'akCertificate']),
  }),
  akThumbprint: TEXT,
  userData: hexOf(64),
  vmConfiguration: VM_CONFIGURATION_TYPE,
});

const PCRS = Object.fromEntries(Array.from({ length: 24 }, (_, index) => [String(index), hexOf(32)]));

const TPM = object<TpmClaims>({
  // SHA-256 alone: values of the SHA-1 bank are never claims, and no other bank is quoted on Azure.
  pcrs: object<{ sha256: unknown }>({ sha256: object(PCRS) }),
  firmwareVersion: hexOf(8),
  clock: object<TpmClaims['clock']>({ resetCount: UINT32, restartCount: UINT32, safe: BOOL }),
  eventLog: eventLog(32, integerOf([0, 23])),
  // Its JWK is what `binding` is about.
  certifiedKey: object<{ jkt: string }>({ jkt: TEXT }),
});

/** Of a verified token. `stated` is this service's reading of it, and no claim of its own. */
function token(claims: ObjectType): ObjectType {
  return object<Omit<TokenClaims, 'stated'>>({ issuer: TEXT, attestationType: TEXT, policyHash: TEXT, claims });
}

const SECTIONS = {
  evidence: object<{ type: string }>({ type: oneOf(EVIDENCE_TYPES) }),
  snp: SNP,
  tdx: TDX,
  hcl: HCL,
  tpm: TPM,
  maa: token(MAA_TOKEN_TYPE),
  ita: token(ITA_TOKEN_TYPE),
} satisfies { readonly [section: string]: ObjectType };

/** Sections of claims that rules can name. Each has an origin in scripts/claim-origins.ts, or the project does not compile. */
export type RuleSection = keyof typeof SECTIONS;

/** Everything that a rule can name, by section. `evidence.type` is there whatever was verified. */
export const RULE_CLAIMS: ReadonlyMap<string, ObjectType> = new Map(Object.entries(SECTIONS));
