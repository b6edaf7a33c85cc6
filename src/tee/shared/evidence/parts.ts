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

/** The verifier of a part. */
export type PartContext = Pick<VerificationContext, 'at' | 'endorsements'>;

/** The members of every part's verification. */
type PartVerification = Pick<Verification, 'checks' | 'required' | 'endorsements' | 'validUntil'>;

/** Verifies a hardware report of SEV-SNP, as evidence or inside of other evidence. */
export interface SnpReportVerifier {
  /**
   * @param about JSON pointers of the report and of the endorsements in the request
   * @throws {FormatError} where report or certificates of the request are malformed
   */
  open(report: Uint8Array, input: SnpEndorsementInput, about: SnpReportPlaces): OpenedSnpReport;
}

export interface SnpReportPlaces {
  readonly report: string;
  readonly endorsements: string;
}

export interface OpenedSnpReport {
  readonly needs: readonly SnpEndorsementRequest[];
  /** @throws {FormatError} where a chain or CRL of the request is malformed */
  verify(context: PartContext): Promise<SnpReportVerification>;
}

export interface SnpReportVerification extends PartVerification {
  /** Null where signature or chain did not hold, or could not be judged. */
  readonly claims: Verified<SnpClaims> | null;
  /** REPORT_DATA, 64 bytes, under the same condition. */
  readonly reportData: Verified<Uint8Array> | null;
  /** DER of what the report was verified with, under the same condition: VCEK or VLEK, ASK or ASVK, ARK. */
  readonly certificates: SnpSubmission['certificates'] | null;
}

/** A report as another verifier takes it; null where it did not hold. */
export function submissionOf(
  report: Uint8Array,
  runtimeData: Uint8Array | null,
  { certificates }: SnpReportVerification,
): Submission | null {
  return certificates === null ? null : { tee: 'snp', report, certificates, runtimeData };
}

/** Verifies a TD quote, as evidence or inside of other evidence. */
export interface TdQuoteVerifier {
  /**
   * @param about JSON pointers of the quote and of the collateral in the request
   * @param tdReport what the quote has to be made from, where something says it
   * @throws {FormatError} where the TDREPORT or the quote is malformed
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
  /** The TDREPORT and the bytes after it, which are not read here. */
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
   * @returns whether it was; true where no TDREPORT was given
   */
  verifyTdReport(checks: Checks): boolean;
  /**
   * Properties that a policy may leave open on a bare TD and must leave open on Azure (SEPT_VE_DISABLE, zero RTMRs) are claims,
   * and no check.
   * @throws {FormatError} where collateral of the request is malformed
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
  /** Null where signature or chain did not hold, or could not be judged. */
  readonly claims: Verified<TdxClaims> | null;
  /** The reasons why the TCB is not up to date, component by component; empty if nothing is behind, or nothing is known. */
  readonly shortfalls: readonly TcbShortfall[];
  /** Null where there was no collateral that could be relied on. */
  readonly collateralIssued: CollateralIssued | null;
  /** REPORTDATA, 64 bytes: verified as far as the quote's signature and the PCK chain go, also where collateral is out of reach. */
  readonly reportData: Verified<Uint8Array> | null;
}

/** A key that signs quotes. */
export type QuoteKey = Pick<RsaKey, 'kind' | 'modulus' | 'exponent'> | EcKey;

/** Verifies a quote of a TPM inside of other evidence. */
export interface TpmQuoteVerifier {
  /** Checks that every quote must have an outcome for. */
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
   * Reads the public area of a key (TPM2B_PUBLIC). Nothing in it is verified.
   * @throws {FormatError} `tpm_format`
   */
  readPublic(area: Uint8Array): StatedPublic;
}

/** A key as its public area states it. */
export interface StatedPublic {
  readonly key: QuoteKey;
  /** Whether its attributes are those of a restricted signing key of a TPM. */
  readonly isRestrictedSigningKey: boolean;
}

export interface OpenedTpmQuote {
  /** The structure in it. Nothing of this is verified; null if it is no quote. */
  readonly said: QuotedState | null;
  /**
   * Verifies it under a key that something else vouches for.
   * @throws {FormatError} `tpm_format` where the signature is malformed
   */
  verify(key: Verified<QuoteKey>, binding: ExpectedBinding | null): TpmQuoteVerification;
}

export interface TpmQuoteVerification {
  readonly checks: readonly Check[];
  readonly claims: Verified<TpmClaims> | null;
  /** SHA-256 PCRs that the signed selection names, whatever values were sent; null where the quote is not signed. */
  readonly selectedPcrs: readonly number[] | null;
  /** Whether extraData is exactly X. */
  readonly bound: boolean;
}

/** The state of the TPM in a quote. */
export interface QuotedState {
  readonly extraData: Uint8Array;
  /** TPML_PCR_SELECTION. */
  readonly pcrSelect: Uint8Array;
  /** The values that were sent, in the order of the selection. */
  readonly values: readonly Uint8Array[];
  /** Indices of the SHA-256 bank that are selected. */
  readonly selectedPcrs: readonly number[];
}

export interface OpenedCertifiedKey {
  /**
   * Verifies it under the key that the quote is verified under.
   * @param quoted of the quote that came with it, whether or not that quote holds
   * @throws {FormatError} `tpm_format` where the signature is malformed
   */
  verify(key: Verified<QuoteKey>, binding: ExpectedBinding | null, quoted: QuotedState | null): CertifiedKey;
}

export interface CertifiedKey {
  readonly checks: readonly Check[];
  /**
   * The key, where it may be bound without being in the quote: certified, private to the TPM, and used under the quoted
   * PCR values alone. It rests on the quote: it is nothing where the quote does not hold.
   */
  readonly bindable: Verified<CertifiedKeyClaims> | null;
}
