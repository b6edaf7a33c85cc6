import type { Check } from './check.js';
import type { Claims, SnpClaims, TdxClaims, TpmClaims } from './claims.js';
import type { CheckId } from './codes.js';
import type {
  EndorsementRequest,
  EndorsementSet,
  SnpEndorsementRequest,
  TdxCollateralRequest,
  UsedEndorsement,
} from './endorsement.js';
import type {
  ContractEvidenceType,
  EvidenceOf,
  EvidenceType,
  SnpEndorsementInput,
  TdxCollateral,
  TokenEvidence,
  TokenType,
  TpmQuoteInput,
} from './evidence.js';
import type { EVIDENCE_TRAITS } from './evidence-traits.js';
import type { JsonObject } from './json.js';
import type { RsaPublicKey } from './rsa-public-key.js';
import type { TcbShortfall } from './tcb-shortfall.js';
import type { Verified } from './verified.js';

/** Places that can hold the caller's nonce. */
export type FreshnessPlace = (typeof EVIDENCE_TRAITS)[ContractEvidenceType]['noncePlaces'][number];

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
  /**
   * `vm-configuration` of runtime claims of which only the key is vouched for: no claim, unless something else makes the
   * paravisor known. Absent where there is none.
   */
  readonly withheldConfiguration?: JsonObject;
  /** Least security version of GUEST_SVN for the ID_KEY_DIGEST of a paravisor. Absent where the digest is not listed. */
  readonly paravisorMinGuestSvn?: number;
  /**
   * SHA-256 PCRs that the signed selection of the quote names: claims have none of them where their values do not hold.
   * Absent where no quote is signed.
   */
  readonly selectedPcrs?: readonly number[];
  /** What keeps a TDX TCB from being up to date: for whoever judges its status. Absent where there is no TD. */
  readonly tcbShortfalls?: readonly TcbShortfall[];
  /** Absent where there is no TD, or no collateral that could be relied on. */
  readonly collateralIssued?: CollateralIssued;
  /** The verified hardware evidence as other verifiers take it; null where there is none. */
  readonly submission?: Submission | null;
}

/** When the parts of TDX collateral that live for a month were issued; null where one does not say. */
export interface CollateralIssued {
  readonly tcbInfo: Date;
  readonly qeIdentity: Date;
  readonly pckCrl: Date | null;
}

/** Hardware evidence as another verifier takes it. Signature, chain and binding were verified here before. */
export type Submission = SnpSubmission | TdxSubmission;

export interface TdxSubmission {
  readonly tee: 'tdx';
  readonly quote: Uint8Array;
  /** Bytes whose SHA-256 is in REPORTDATA; null where none came with the evidence. */
  readonly runtimeData: Uint8Array | null;
}

export interface SnpSubmission {
  readonly tee: 'snp';
  /** ATTESTATION_REPORT, 1184 bytes. */
  readonly report: Uint8Array;
  /** DER: VCEK or VLEK, ASK or ASVK, ARK. */
  readonly certificates: readonly [Uint8Array, Uint8Array, Uint8Array];
  /** Bytes whose SHA-256 is in REPORT_DATA; null where none came with the evidence. */
  readonly runtimeData: Uint8Array | null;
}

/** What a token came to, beside what every verification has. */
export interface TokenVerification extends Verification {
  /**
   * Whether a paravisor that the token speaks of is known by it: verified, of an issuer whose policy is pinned, and
   * called a compliant confidential VM.
   */
  readonly vouchesForParavisor: boolean;
  /**
   * How far the issuer's clock is ahead of ours, in seconds, where times of the token show it: positive where it was
   * issued in our future, negative where it had expired within the leeway. Null where nothing shows.
   */
  readonly clockSkewSeconds: number | null;
  /** What stands in the places that can hold the caller's nonce: place to lower-case hex. Absent where none was looked for. */
  readonly held?: JsonObject;
}

export interface TokenContext extends VerificationContext {
  /** JSON pointer of the token in the request. */
  readonly about: string;
}

/** Verifies the tokens of one other verifier. Pure, as every verifier. */
export interface TokenVerifier<T extends TokenType = TokenType> extends EvidenceVerifier<T> {
  /**
   * Names the keys needed: none where the issuer is not a configured one.
   * @throws {FormatError} where the token is malformed
   */
  keysFor(evidence: TokenEvidence<T>, about: string): readonly EndorsementRequest[];
  /**
   * Form, algorithm, issuer, key, signature, times, then what it says; what rests on a failed check is skipped.
   * A nonce of the request that stands nowhere in the token is for the caller to judge: `bound` lists the places.
   * @throws {FormatError} where the token is malformed
   */
  verifyToken(evidence: TokenEvidence<T>, context: TokenContext): Promise<TokenVerification>;
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
  ): readonly SnpEndorsementRequest[];
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
  /** DER of what the report was verified with, under the same condition: VCEK or VLEK, ASK or ASVK, ARK. */
  readonly certificates: SnpSubmission['certificates'] | null;
}

/** A TD quote inside other evidence, or as evidence: how a paravisor's verifier sees the TEE below it. */
export interface TdQuoteVerifier {
  /** @throws {FormatError} where the quote is malformed */
  quoteEndorsements(
    quote: Uint8Array,
    collateral: TdxCollateral | null,
    about: TdQuoteContext['about'],
  ): readonly TdxCollateralRequest[];
  /**
   * What a policy may leave open on a bare TD and must leave open on Azure (SEPT_VE_DISABLE, zero RTMRs) is a claim,
   * and no check.
   * @throws {FormatError} where quote or collateral of the request are malformed
   */
  verifyQuote(quote: Uint8Array, context: TdQuoteContext): Promise<TdQuoteVerification>;
}

export interface TdQuoteContext {
  readonly at: Date;
  readonly endorsements: EndorsementSet;
  /** JSON pointers of the quote and of the collateral in the request. */
  readonly about: { readonly quote: string; readonly collateral: string };
}

export interface TdQuoteVerification {
  readonly checks: readonly Check[];
  readonly required: readonly CheckId[];
  /** Null where signature or chain did not hold, or could not be judged. */
  readonly claims: Verified<TdxClaims> | null;
  /** What keeps the TCB from being up to date, component by component; empty where nothing is behind, or nothing is known. */
  readonly shortfalls: readonly TcbShortfall[];
  /** Null where there was no collateral that could be relied on. */
  readonly collateralIssued: CollateralIssued | null;
  /** REPORTDATA, 64 bytes: verified as far as the quote's signature and the PCK chain go, also where collateral is out of reach. */
  readonly reportData: Verified<Uint8Array> | null;
  readonly endorsements: readonly UsedEndorsement[];
  readonly validUntil: Date | null;
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
  /** SHA-256 PCRs that the signed selection names, whatever values were sent; null where the quote is not signed. */
  readonly selectedPcrs: readonly number[] | null;
  /** Whether extraData is exactly X. */
  readonly bound: boolean;
}
