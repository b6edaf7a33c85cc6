import type { Check } from './check.js';
import type { Claims, SnpClaims, TpmClaims } from './claims.js';
import type { CheckId } from './codes.js';
import type { EndorsementRequest, EndorsementSet, UsedEndorsement } from './endorsement.js';
import type { EvidenceOf, EvidenceType, SnpEndorsementInput, TpmQuoteInput } from './evidence.js';
import type { Verified } from './verified.js';

/** Places that can hold the caller's nonce. */
export type FreshnessPlace = 'snp.reportData' | 'runtimeData.nonce' | 'hcl.userData' | 'tpm.extraData';

/**
 * What the caller's nonce and key must appear as in the evidence.
 * `value` is X: the nonce itself, or, with a bound key, `veritee1` and the hash over nonce and key thumbprint.
 */
export interface ExpectedBinding {
  readonly nonce: Uint8Array;
  readonly value: Uint8Array;
  /** RFC 7638 SHA-256 thumbprint of the bound key, base64url; null without one. */
  readonly jkt: string | null;
}

export interface VerificationContext {
  /** The one instant of the request. */
  readonly at: Date;
  readonly endorsements: EndorsementSet;
  /** Null where the caller sent no nonce. */
  readonly binding: ExpectedBinding | null;
}

/** What a verifier found. */
export interface Verification {
  readonly checks: readonly Check[];
  /**
   * Checks that this evidence must have an outcome for. One that is missing, or skipped although nothing failed,
   * is an internal error, never a pass.
   */
  readonly required: readonly CheckId[];
  /** Only what verified bytes say. */
  readonly claims: Verified<Claims>;
  readonly endorsements: readonly UsedEndorsement[];
  /** Places that held X. */
  readonly bound: readonly FreshnessPlace[];
  /** Earliest end of what the result rests on; null where nothing ends. */
  readonly validUntil: Date | null;
}

/** Verifies one type of evidence. Pure: what it needs is given, the instant included. */
export interface EvidenceVerifier<T extends EvidenceType = EvidenceType> {
  /** The `type` in openapi.yaml that this verifier judges. */
  readonly evidenceType: T;
  /**
   * Names the endorsements needed. Reads unverified bytes, so that sources contact configured origins only.
   * @throws {FormatError} where the evidence is malformed
   */
  endorsementsFor(evidence: EvidenceOf<T>): readonly EndorsementRequest[];
  /**
   * Checks every signature, chain and binding, in the order of the specification, recording each check.
   * What rests on a failed check is skipped; claims come only from bytes that passed.
   * @throws {FormatError} where the evidence is malformed
   */
  verify(evidence: EvidenceOf<T>, context: VerificationContext): Promise<Verification>;
}

/** A hardware report inside other evidence: how a paravisor's verifier sees the TEE below it. */
export interface SnpReportVerifier {
  /** @throws {FormatError} where the report is malformed */
  reportEndorsements(
    report: Uint8Array,
    input: SnpEndorsementInput,
    about: SnpReportContext['about'],
  ): readonly EndorsementRequest[];
  /** @throws {FormatError} where report or endorsements of the request are malformed */
  verifyReport(
    report: Uint8Array,
    input: SnpEndorsementInput,
    context: SnpReportContext,
  ): Promise<SnpReportVerification>;
}

export interface SnpReportContext {
  readonly at: Date;
  readonly endorsements: EndorsementSet;
  /** JSON pointers of the report and of the endorsements in the request. */
  readonly about: { readonly report: string; readonly endorsements: string };
}

export interface SnpReportVerification {
  readonly checks: readonly Check[];
  readonly required: readonly CheckId[];
  /** Null where signature or chain did not hold, or could not be judged. */
  readonly claims: Verified<SnpClaims> | null;
  /** REPORT_DATA, 64 bytes, under the same condition. */
  readonly reportData: Verified<Uint8Array> | null;
  readonly endorsements: readonly UsedEndorsement[];
  readonly validUntil: Date | null;
}

/** RSA public key of a vTPM, as the JWK members of the runtime claims give it. */
export interface RsaPublicKey {
  /** Modulus, big endian, first byte not zero. */
  readonly n: Uint8Array;
  readonly e: Uint8Array;
}

/** A vTPM quote inside other evidence. */
export interface TpmQuoteVerifier {
  /** Checks that every quote must have an outcome for. */
  readonly required: readonly CheckId[];
  /**
   * Reads the quote and the PCR values.
   * @param about JSON pointer of the quote in the request
   * @throws {FormatError} `tpm_format`
   */
  requireFormat(quote: TpmQuoteInput, about: string): void;
  /**
   * Verifies a quote under a key that something else vouches for.
   * @param about JSON pointer of the quote in the request
   * @throws {FormatError} `tpm_format`
   */
  verifyQuote(
    quote: TpmQuoteInput,
    key: Verified<RsaPublicKey>,
    binding: ExpectedBinding | null,
    about: string,
  ): TpmQuoteVerification;
}

export interface TpmQuoteVerification {
  readonly checks: readonly Check[];
  readonly claims: Verified<TpmClaims> | null;
  /** Whether extraData is exactly X. */
  readonly bound: boolean;
}
