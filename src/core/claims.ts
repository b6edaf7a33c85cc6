import type { JsonObject } from './json.js';

/** Claims of a verified request, by their source. Numbers are numbers, booleans booleans, digests lower-case hex. */
export interface Claims {
  readonly snp?: SnpClaims;
  readonly tdx?: TdxClaims;
  readonly hcl?: HclClaims;
  readonly tpm?: TpmClaims;
  /** Claims of a token of Microsoft Azure Attestation. */
  readonly maa?: TokenClaims;
  /** Claims of a token of Intel Trust Authority. */
  readonly ita?: TokenClaims;
}

/** The content of another verifier's token, under its issuer's names. */
export interface TokenClaims {
  readonly issuer: string;
  /** `x-ms-attestation-type` of the token itself, or `attester_type`. */
  readonly attestationType: string;
  /** `x-ms-policy-hash`; null if the token has none. */
  readonly policyHash: string | null;
  /** The whole payload, as issued. */
  readonly claims: JsonObject;
  /** Statements that policies use, each read from its exact path and type; null if missing. */
  readonly stated: {
    /** `x-ms-compliance-status` of the TEE. */
    readonly complianceStatus: string | null;
    /** `secureboot` of guest attestation. */
    readonly secureBoot: boolean | null;
    /** `attester_tcb_status` of a TD. */
    readonly tcbStatus: string | null;
    /** Ids in `policy_ids_matched`, in lower case; empty for Azure Attestation, whose policies have no ids. */
    readonly matchedPolicyIds: readonly string[];
  };
}

export const SNP_TCB_COMPONENTS = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const;
export type SnpTcbComponent = (typeof SNP_TCB_COMPONENTS)[number];

/** One TCB_VERSION by component (AMD 56860, TCB_VERSION). `fmc` exists in the layout that came with Turin. */
export type SnpTcb = { readonly [component in Exclude<SnpTcbComponent, 'fmc'>]: number } & { readonly fmc?: number };

/** The name of a product line, built in (`amd-lines.ts`) or configured. */
export type SnpProduct = string;

/** The name of a part of a product line: AMD numbers the microcode of each part separately. */
export type SnpPart = string;

export interface SnpPolicyClaim {
  readonly abiMajor: number;
  readonly abiMinor: number;
  readonly smt: boolean;
  readonly migrateMa: boolean;
  readonly debug: boolean;
  readonly singleSocket: boolean;
  readonly cxlAllow: boolean;
  readonly memAes256Xts: boolean;
  readonly raplDis: boolean;
  readonly ciphertextHidingDram: boolean;
  readonly pageSwapDisable: boolean;
}

/** Named bits of PLATFORM_INFO, from bit 0 on (AMD 56860, PLATFORM_INFO). */
export const SNP_PLATFORM_BITS = [
  'smtEnabled',
  'tsmeEnabled',
  'eccEnabled',
  'raplDisabled',
  'ciphertextHidingDramEnabled',
  'aliasCheckComplete',
  'iommuWriteSafe',
  'tioEnabled',
] as const;
export type SnpPlatformBit = (typeof SNP_PLATFORM_BITS)[number];

/** PLATFORM_INFO. `unknownBits` has the numbers of set bits without a name. */
export type SnpPlatformInfoClaim = { readonly [bit in SnpPlatformBit]: boolean } & {
  readonly unknownBits: readonly number[];
};

export interface SnpClaims {
  readonly version: number;
  readonly product: SnpProduct;
  /** `unknown`: a model of a known line that is not in the table of parts. */
  readonly part: SnpPart | 'unknown';
  /** Absent in version 2 reports. */
  readonly cpuid?: { readonly family: number; readonly model: number; readonly stepping: number };
  /** `major.minor.build`. */
  readonly firmware: { readonly current: string; readonly committed: string };
  /** Mitigation vectors as 0x-prefixed hex, version 5 only. */
  readonly mitigation?: { readonly current: string; readonly launch: string };
  readonly signingKey: 'vcek' | 'vlek';
  readonly vmpl: number;
  readonly guestSvn: number;
  readonly policy: SnpPolicyClaim;
  readonly platformInfo: SnpPlatformInfoClaim;
  readonly tcb: {
    readonly current: SnpTcb;
    readonly committed: SnpTcb;
    readonly reported: SnpTcb;
    readonly launch: SnpTcb;
  };
  readonly authorKeyEnabled: boolean;
  readonly measurement: string;
  readonly hostData: string;
  readonly idKeyDigest: string;
  readonly authorKeyDigest: string;
  readonly reportId: string;
  readonly reportIdMa: string;
  readonly chipId: string;
  /** The cloud provider that a VLEK was issued to, by the name in its certificate. Absent under a VCEK. */
  readonly cspId?: string;
  readonly reportData: string;
  readonly familyId: string;
  readonly imageId: string;
}

/** TDATTRIBUTES by bit (Intel TDX Module ABI Specification, ATTRIBUTES). */
export interface TdAttributesClaim {
  readonly debug: boolean;
  readonly septVeDisable: boolean;
  readonly migratable: boolean;
  readonly pks: boolean;
  readonly keyLocker: boolean;
  readonly perfmon: boolean;
  /** Bits 16, 27, 17 and 62. */
  readonly icssd: boolean;
  readonly lass: boolean;
  readonly serviceTdExt: boolean;
  readonly tpa: boolean;
}

/** Words of Intel's TCB status in collateral, merged or of one part. */
export type TdxStatusWord = string;

/** The collateral's statement about the platform of a quote. */
export interface TdxTcbClaim {
  /**
   * Merged by Intel's table (Intel DCAP Quote Verification Library, convergence of TCB statuses). Null if platform
   * or module is behind every level.
   */
  readonly status: TdxStatusWord | null;
  /** Null if the platform is behind every level. */
  readonly platformStatus: TdxStatusWord | null;
  /** Null if TEE_TCB_SVN[1] is 0, since such modules have no levels, or if the module is behind every level. */
  readonly moduleStatus: TdxStatusWord | null;
  readonly qeStatus: TdxStatusWord;
  /** Earliest tcbDate of the three, RFC 3339. Null if there is no status. */
  readonly date: string | null;
  /** Numbers of the TCB info and of the QE identity: Intel does not raise both at once. */
  readonly evaluationDataNumber: number;
  readonly qeEvaluationDataNumber: number;
  /** Advisories of platform, module and QE, if they reach a level, in that order, without duplicates. */
  readonly advisories: readonly string[];
}

/** Service TDs that were bound to a TD, and the platform of the first one. Bytes are lower-case hex. */
export interface ServiceTdClaim {
  readonly initHash: string;
  readonly initAttributes: string;
  readonly currentHash: string;
  readonly currentAttributes: string;
  /** Not rated: Intel publishes no collateral for them. */
  readonly initTcbSvn: string;
  readonly initCpuSvn: string;
  readonly initModel: string;
}

/** Bytes are lower-case hex. */
export interface TdxClaims {
  readonly quoteVersion: 4 | 5;
  readonly mrtd: string;
  readonly rtmr: readonly [string, string, string, string];
  readonly mrConfigId: string;
  readonly mrOwner: string;
  readonly mrOwnerConfig: string;
  readonly mrSeam: string;
  readonly mrSignerSeam: string;
  /** Only in TD 1.5 bodies. */
  readonly mrServiceTd?: string;
  readonly teeTcbSvn: string;
  readonly tdAttributes: TdAttributesClaim;
  readonly xfam: string;
  /** Only in extended TD 1.5 bodies. A hash of zeros names no service TD. */
  readonly serviceTd?: ServiceTdClaim;
  readonly reportData: string;
  /** From the PCK certificate: it identifies one platform. */
  readonly ppid: string;
  readonly fmspc: string;
  readonly pceId: string;
  readonly tcb: TdxTcbClaim;
  /** From the CCEL. Absent if none was sent, or it does not verify. `replayed` and `notCovered` number RTMRs. */
  readonly eventLog?: EventLogClaims;
}

export type ParavisorEvidence = 'idKeyDigest' | 'mrtd' | 'maa' | 'akCertificate';

export interface HclClaims {
  readonly reportType: 'snp' | 'tdx' | 'tvm';
  readonly paravisor: { readonly known: boolean; readonly by: ParavisorEvidence | null };
  /** RFC 7638 SHA-256 thumbprint of `HCLAkPub`, base64url. */
  readonly akThumbprint: string;
  /** The 64 bytes of `user-data`, lower-case hex; null if the member is absent, or is not 64 bytes of hex. */
  readonly userData: string | null;
  /** Kebab members in camelCase, including unknown ones. Absent if only the AK is verified. */
  readonly vmConfiguration?: JsonObject;
}

export interface TpmClaims {
  /** Only values in the signed selection: bank, then index, then value. */
  readonly pcrs: { readonly [bank: string]: { readonly [index: string]: string } };
  /** 16 hex digits. */
  readonly firmwareVersion: string;
  readonly clock: { readonly resetCount: number; readonly restartCount: number; readonly safe: boolean };
  /** Absent if no log was sent, or it does not verify. `replayed` and `notCovered` number PCRs. */
  readonly eventLog?: EventLogClaims;
  /** A key certified by the attestation key, which the vTPM uses only with the quoted PCR values. */
  readonly certifiedKey?: CertifiedKeyClaims;
}

/** A key of the vTPM that may be bound although the quote does not contain it. */
export interface CertifiedKeyClaims {
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  readonly jkt: string;
  /** Public JWK: the required value of `binding.jwk` to bind this key. */
  readonly jwk:
    | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
    | { readonly kty: 'EC'; readonly crv: 'P-256' | 'P-384'; readonly x: string; readonly y: string };
}

/** Variables in an event log, by the SHA-256 of their contents; `mokList` by its digest in the bank of the quote. */
export const BOOT_VARIABLES = ['pk', 'kek', 'db', 'dbx', 'mokList'] as const;
export type BootVariable = (typeof BOOT_VARIABLES)[number];

/** Lists of an event log about a boot: started images, command lines of kernels, files that a loader read. */
export const BOOT_LISTS = ['applications', 'commandLines', 'files'] as const;
export type BootList = (typeof BOOT_LISTS)[number];

export type BootClaim = 'secureBoot' | BootVariable | BootList;

/**
 * The facts of an event log about a boot, for registers that it replays to. Null: the log does not show it, which is
 * never the same as false or empty.
 */
export type EventLogClaims = {
  /** Registers that the log replays to. */
  readonly replayed: readonly number[];
  /** Registers that events outside the log extended. */
  readonly notCovered: readonly number[];
  readonly secureBoot: boolean | null;
} & { readonly [variable in BootVariable]: string | null } & {
  /** Digests in hex; for a command line its text, if the log has the hashed text. */
  readonly [list in BootList]: readonly string[] | null;
};
