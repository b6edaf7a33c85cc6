import type { WaivableCheck } from '../model/checks/catalogue.js';
import type { SnpPart, SnpPlatformBit, SnpProduct, SnpTcbComponent } from '../model/claims.js';
import type { ContractEvidenceType } from '../model/evidence.js';
import type { TdxStatus } from '../model/tdx-status.js';

export { TDX_STATUSES, type TdxStatus } from '../model/tdx-status.js';

/** What a policy text says. A member that asks for nothing is null, false or empty. */
export interface PolicyMembers {
  readonly id: string;
  readonly version: number;
  readonly description: string | null;
  readonly accepts: readonly ContractEvidenceType[];
  readonly minimums: Minimums;
  readonly paravisor: 'known' | 'any';
  readonly routes: Routes;
  readonly freshness: 'required' | 'strict' | 'none';
  readonly nonce: 'any' | 'challenge';
  readonly revocation: 'required' | 'best-effort';
  readonly binding: 'optional' | 'required';
  readonly secureBoot: 'any' | 'required';
  readonly allowDebug: boolean;
  readonly require: Requirements;
  readonly referenceValues: readonly ReferenceSet[];
  readonly waivers: readonly Waiver[];
}

/** Null: the policy says nothing about this TEE, and accepts none. */
export interface Minimums {
  readonly snp: SnpMinimums | null;
  readonly tdx: TdxMinimums | null;
}

/** By part. A part that is not listed does not pass. */
export type SnpMinimums = 'any' | { readonly [part in SnpPart]?: TcbFloor };

/** Least values of the components that are compared. */
export type TcbFloor = { readonly [component in SnpTcbComponent]?: number };

export type TdxMinimums =
  | 'any'
  | {
      readonly acceptedStatuses: readonly TdxStatus[];
      readonly earliestTcbDate: string | null;
      /** Least tcbEvaluationDataNumber of TCB info and QE identity. */
      readonly minEvaluationDataNumber: number | null;
      /** Greatest age of TCB info, QE identity and PCK CRL, by their issue. */
      readonly maxCollateralAgeDays: number | null;
    };

export interface Routes {
  readonly hardware: 'required' | 'off';
  readonly maa: 'required' | 'optional' | 'off';
  readonly ita: 'required' | 'optional' | 'off';
}

export interface Requirements {
  readonly snp: SnpRequirements | null;
  readonly tdx: TdxRequirements | null;
  readonly tpm: TpmRequirements | null;
  readonly maa: MaaRequirements | null;
  readonly ita: ItaRequirements | null;
}

export interface SnpRequirements {
  readonly committedEqualsCurrent: boolean;
  readonly platformInfo: { readonly [bit in SnpPlatformBit]?: boolean };
  /** Numbers of the bits that both mitigation vectors must have set. */
  readonly mitigations: readonly number[];
  readonly minGuestSvn: number | null;
  /** Null: any machine. */
  readonly machines: SnpMachines | null;
}

/** Machines by what the VEK says of them: the chip under a VCEK, the provider under a VLEK. One at least is set. */
export interface SnpMachines {
  readonly chipId: readonly string[] | null;
  readonly cspId: readonly string[] | null;
}

export interface TdxRequirements {
  readonly septVeDisable: boolean;
  readonly allowMigratable: boolean;
  readonly allowPerfmon: boolean;
  readonly xfamMask: string | null;
  readonly mrServiceTd: readonly string[] | null;
  /** Machines by the PPID of the PCK certificate. Null: any machine. */
  readonly machines: { readonly ppid: readonly string[] } | null;
}

export interface TpmRequirements {
  readonly trackResets: boolean;
  /** PCRs that the signed selection must name. */
  readonly quotedPcrs: readonly number[];
  readonly runtimePcrs: readonly number[];
}

export interface MaaRequirements {
  readonly complianceStatus: readonly string[] | null;
  readonly attestationType: readonly string[] | null;
  readonly issuers: readonly string[] | null;
  /** Accepted `attester_tcb_status` of a tdxvm token. */
  readonly tcbStatus: readonly TdxStatus[] | null;
}

export interface ItaRequirements {
  /** Every one must be in `policy_ids_matched`. */
  readonly policyIds: readonly string[] | null;
  readonly issuers: readonly string[] | null;
}

/** One alternative of the reference values. A member that is null is not compared. */
/** Sections of claims that a set of reference values can speak about. */
export const REFERENCE_SECTIONS = ['snp', 'tdx', 'hcl', 'tpm'] as const;
export type ReferenceSection = (typeof REFERENCE_SECTIONS)[number];

export interface ReferenceSet {
  readonly appliesTo: { readonly product: SnpProduct | null };
  readonly snp: SnpReferences | null;
  readonly tdx: { readonly [register in TdxRegister]: readonly string[] | null } | null;
  readonly hcl: { readonly vmUniqueId: readonly string[] | null } | null;
  readonly tpm: { readonly sha256Pcrs: readonly PcrReference[] } | null;
}

export interface PcrReference {
  readonly index: number;
  readonly values: readonly string[];
}

export interface SnpReferences {
  readonly measurement: readonly string[] | null;
  readonly idKeyDigest: readonly string[] | null;
  readonly authorKeyDigest: readonly string[] | null;
  readonly hostData: readonly string[] | null;
  readonly vmpl: readonly number[] | null;
}

export const TDX_REGISTERS = [
  'mrtd',
  'mrConfigId',
  'mrOwner',
  'mrOwnerConfig',
  'rtmr0',
  'rtmr1',
  'rtmr2',
  'rtmr3',
  'mrSeam',
] as const;
export type TdxRegister = (typeof TDX_REGISTERS)[number];

/** A finding that is tolerated until a day, by somebody, for a reason. */
export type Waiver = WaiverTerms &
  (
    | { readonly check: WaivableCheck<'floor'>; readonly value: { readonly part: SnpPart; readonly floor: TcbFloor } }
    | { readonly check: WaivableCheck<'status'>; readonly value: TdxStatus }
    | { readonly check: WaivableCheck<'plain'>; readonly value: null }
  );

export interface WaiverTerms {
  readonly reason: string;
  readonly approver: string;
  /** The day, `YYYY-MM-DD`, at whose start (UTC) it ends. */
  readonly expires: string;
}
