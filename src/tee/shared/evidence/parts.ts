import type { Check, Checks } from '../../../core/check.js';
import type { CertifiedKeyClaims, SnpClaims, TdxClaims, TpmClaims } from '../../../core/claims.js';
import type { CheckId } from '../../../core/codes.js';
import type { SnpEndorsementRequest, TdxCollateralRequest } from '../../../core/endorsement.js';
import type { CertifiedKeyInput, SnpEndorsementInput, TdxCollateral, TpmQuoteInput } from '../../../core/evidence.js';
import type { TcbShortfall } from '../../../core/tcb-shortfall.js';
import type {
  CollateralIssued,
  ExpectedBinding,
  SnpSubmission,
  Submission,
  Verification,
  VerificationContext,
} from '../../../core/verification.js';
import type { Verified } from '../../../core/verified.js';
import type { EcKey, RsaKey } from '../../../formats/public-key.js';

/** Parts that several types of evidence contain. An injected verifier verifies each part. */

/** The context that the verifier of a part needs. */
export type PartContext = Pick<VerificationContext, 'at' | 'endorsements'>;

/** The members that the verification of every part has. */
type PartVerification = Pick<Verification, 'checks' | 'required' | 'endorsements' | 'validUntil'>;

/** Verifies an SEV-SNP report, as evidence or inside other evidence. */
export interface SnpReportVerifier {
  /**
   * @param about JSON pointers of the report and of the endorsements in the request
   * @throws {FormatError} if the report or a certificate in the request is malformed
   */
  open(report: Uint8Array, input: SnpEndorsementInput, about: SnpReportPlaces): OpenedSnpReport;
}

export interface SnpReportPlaces {
  readonly report: string;
  readonly endorsements: string;
}

export interface OpenedSnpReport {
  readonly needs: readonly SnpEndorsementRequest[];
  /** @throws {FormatError} if a chain or CRL in the request is malformed */
  verify(context: PartContext): Promise<SnpReportVerification>;
}

export interface SnpReportVerification extends PartVerification {
  /** Null if signature or chain is invalid, or could not be verified. */
  readonly claims: Verified<SnpClaims> | null;
  /** REPORT_DATA, 64 bytes; null under the same condition. */
  readonly reportData: Verified<Uint8Array> | null;
  /** DER of the certificates: VCEK or VLEK, ASK or ASVK, ARK. Null under the same condition. */
  readonly certificates: SnpSubmission['certificates'] | null;
}

/** Builds the submission of a report to another verifier; null if the report failed verification. */
export function submissionOf(
  report: Uint8Array,
  runtimeData: Uint8Array | null,
  { certificates }: SnpReportVerification,
): Submission | null {
  return certificates === null ? null : { tee: 'snp', report, certificates, runtimeData };
}

/** Verifies a TD quote, as evidence or inside other evidence. */
export interface TdQuoteVerifier {
  /**
   * @param about JSON pointers of the quote and of the collateral in the request
   * @param tdReport the TDREPORT that the quote must be made from, if one was sent
   * @throws {FormatError} if the TDREPORT or the quote is malformed
   */
  open(
    quote: Uint8Array,
    collateral: TdxCollateral | null,
    about: TdQuotePlaces,
    tdReport?: GivenTdReport | null,
  ): OpenedTdQuote;
}

/** A TDREPORT that came with a quote. */
export interface GivenTdReport {
  /** The TDREPORT and the bytes after it, which the verifier ignores. */
  readonly bytes: Uint8Array;
  /** JSON pointer of it in the request. */
  readonly about: string;
}

export interface TdQuotePlaces {
  readonly quote: string;
  readonly collateral: string;
}

export interface OpenedTdQuote {
  readonly needs: readonly TdxCollateralRequest[];
  /** The unverified content of the quote. */
  readonly said: QuotedTd;
  /**
   * Verifies that the quote was made from the TDREPORT.
   * @returns whether it was; true without a TDREPORT
   */
  verifyTdReport(checks: Checks): boolean;
  /**
   * Verifies the quote. SEPT_VE_DISABLE and RTMRs of zero are claims and not checks: Azure's TDs have both values of
   * SEPT_VE_DISABLE and zero RTMRs, so a policy decides.
   * @throws {FormatError} if collateral in the request is malformed
   */
  verify(context: PartContext): TdQuoteVerification;
}

/** The statements of a quote about its TD. */
export interface QuotedTd {
  /** REPORTDATA, 64 bytes. */
  readonly reportData: Uint8Array;
  /** VMID of body type 4; 0 in any other body. */
  readonly vmId: number;
}

export interface TdQuoteVerification extends PartVerification {
  /** Null if signature, chain or collateral is invalid, or could not be verified. */
  readonly claims: Verified<TdxClaims> | null;
  /** The TCB components that are not up to date; empty if all are up to date, or their status is unknown. */
  readonly shortfalls: readonly TcbShortfall[];
  /** Null without valid collateral. */
  readonly collateralIssued: CollateralIssued | null;
  /** REPORTDATA, 64 bytes: verified by the quote's signature and the PCK chain, even if collateral is unavailable. */
  readonly reportData: Verified<Uint8Array> | null;
}

/** A key that signs quotes. */
export type QuoteKey = Pick<RsaKey, 'kind' | 'modulus' | 'exponent'> | EcKey;

/** Verifies a TPM quote inside other evidence. */
export interface TpmQuoteVerifier {
  /** Checks that must have an outcome for every quote. */
  readonly required: readonly CheckId[];
  /**
   * @param about JSON pointer of the quote in the request
   * @throws {FormatError} `tpm_format`
   */
  open(quote: TpmQuoteInput, about: string): OpenedTpmQuote;
  /**
   * Reads the certification of a key of the same TPM.
   * @param about JSON pointer of the certification
   * @throws {FormatError} `tpm_format`
   */
  openCertifiedKey(input: CertifiedKeyInput, about: string): OpenedCertifiedKey;
  /**
   * Reads the public area of a key (TPM2B_PUBLIC). Verifies nothing.
   * @throws {FormatError} `tpm_format`
   */
  readPublic(area: Uint8Array): StatedPublic;
}

/** A key as its public area states it. */
export interface StatedPublic {
  readonly key: QuoteKey;
  /** Whether the attributes are those of a restricted signing key. */
  readonly isRestrictedSigningKey: boolean;
}

export interface OpenedTpmQuote {
  /** The unverified content of the quote; null if the structure is not a quote. */
  readonly said: QuotedState | null;
  /**
   * Verifies the quote under a key that other evidence vouches for.
   * @throws {FormatError} `tpm_format` if the signature is malformed
   */
  verify(key: Verified<QuoteKey>, binding: ExpectedBinding | null): TpmQuoteVerification;
}

export interface TpmQuoteVerification {
  readonly checks: readonly Check[];
  readonly claims: Verified<TpmClaims> | null;
  /** SHA-256 PCRs in the signed selection, even if their values were not sent; null without a valid signature. */
  readonly selectedPcrs: readonly number[] | null;
  /** Whether extraData is exactly X. */
  readonly bound: boolean;
}

/** The state of the TPM in a quote. */
export interface QuotedState {
  readonly extraData: Uint8Array;
  /** TPML_PCR_SELECTION. */
  readonly pcrSelect: Uint8Array;
  /** The PCR values that were sent, in the order of the selection. */
  readonly values: readonly Uint8Array[];
  /** Selected indices of the SHA-256 bank. */
  readonly selectedPcrs: readonly number[];
}

export interface OpenedCertifiedKey {
  /**
   * Verifies the certification under the attestation key, which also verifies the quote.
   * @param quoted content of the quote that came with it, valid or not
   * @throws {FormatError} `tpm_format` if the signature is malformed
   */
  verify(key: Verified<QuoteKey>, binding: ExpectedBinding | null, quoted: QuotedState | null): CertifiedKey;
}

export interface CertifiedKey {
  readonly checks: readonly Check[];
  /**
   * The key, if it may be bound although the quote does not hold its thumbprint: it is certified, never leaves the
   * TPM, and can be used under the quoted PCR values only. Counts only if the quote verifies too.
   */
  readonly bindable: Verified<CertifiedKeyClaims> | null;
}
