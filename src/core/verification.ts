import type { Check } from './check.js';
import type { BootClaim, Claims } from './claims.js';
import type { CheckId } from './codes.js';
import type { EndorsementRequest, EndorsementSet, Unavailable, UsedEndorsement } from './endorsement.js';
import type { EvidenceOf, EvidenceType, TokenEvidence, TokenRoute, TokenType } from './evidence.js';
import type { EVIDENCE_TRAITS } from './evidence-traits.js';
import type { JsonObject } from './json.js';
import type { TcbShortfall } from './tcb-shortfall.js';
import type { Verified } from './verified.js';

/** Places that can hold the caller's nonce. */
export type FreshnessPlace = (typeof EVIDENCE_TRAITS)[EvidenceType]['noncePlaces'][number];

/**
 * The form of the caller's nonce and key in the evidence.
 * `value` is X: the nonce itself, or, with a bound key, `veritee1` and the hash over nonce and key thumbprint.
 */
export interface ExpectedBinding {
  readonly nonce: Uint8Array;
  readonly value: Uint8Array;
  /** RFC 7638 SHA-256 thumbprint of the bound key, base64url; null without one. */
  readonly jkt: string | null;
  /**
   * A key that the evidence holds as PEM. It is not bound to the nonce. `text` is hashed, `jkt` is the thumbprint. Absent if
   * none was sent.
   */
  readonly pem?: { readonly text: Uint8Array; readonly jkt: string };
}

export interface VerificationContext {
  /** The verification time of the request. */
  readonly at: Date;
  readonly endorsements: EndorsementSet;
  /** Null where the caller sent no nonce. */
  readonly binding: ExpectedBinding | null;
}

/** The result of a verifier. */
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
  /** The facts that the event log does not show, for policies that demand them. Absent if no log was sent, or it does not verify. */
  readonly eventLogGaps?: EventLogGaps;
  /**
   * RFC 7638 SHA-256 thumbprint of the key that signed the quote of the claims, base64url: what a vTPM is remembered by.
   * Absent where no quote is verified.
   */
  readonly akThumbprint?: string;
  /** The reasons why a TDX TCB is not up to date: for the appraisal of its status. Absent if there is no TD. */
  readonly tcbShortfalls?: readonly TcbShortfall[];
  /** Absent where there is no TD, or no collateral that could be relied on. */
  readonly collateralIssued?: CollateralIssued;
  /** The verified hardware evidence as other verifiers take it; null where there is none. */
  readonly submission?: Submission | null;
}

export interface EventLogGaps {
  /** Quoted registers that are not in their initial state, and that the log has no event for; an OS may not extend them. */
  readonly unexplained: readonly number[];
  /** Why a claim is null. */
  readonly absent: { readonly [claim in BootClaim]?: AbsentClaim };
  /** Of the command lines, digests that stand where files do: that they are of no file, only the log says. */
  readonly loadOptions: readonly string[];
}

/** Why an event log does not show a claim. */
export interface AbsentClaim {
  /** The check that a policy which reads the claim fails. */
  readonly check: 'tpm_pcr_not_quoted' | 'eventlog_replay' | 'eventlog_unverified' | 'secure_boot_unknown';
  /** One sentence for people. Lower case, no period. */
  readonly detail: string;
  /** The register that the claim rests on, as people call it, where it was not quoted. */
  readonly register?: string;
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

/** The result for a token, beside that of every verification. */
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
  /** The values in the places of the caller's nonce: place to lower-case hex. Absent if none was looked for. */
  readonly held?: JsonObject;
}

/** A token that was read: its form holds, nothing is verified. */
export interface OpenedToken extends OpenedEvidence {
  /**
   * Algorithm, issuer, key, signature, times, then what it says; what rests on a failed check is skipped.
   * @throws {FormatError} where the token shows to be malformed once its key is known
   */
  verify(context: VerificationContext): Promise<TokenVerification>;
}

/** Verifies the tokens of one other verifier. Pure, as every verifier. */
export interface TokenVerifier<T extends TokenType = TokenType> extends EvidenceVerifier<T> {
  /**
   * Reads a token that came beside evidence. That the nonce of the request stands nowhere in it is for the caller to
   * judge: `bound` lists the places.
   *
   * @param about JSON pointer of the token in the request
   * @throws {FormatError} where the token is malformed
   */
  openResult(evidence: TokenEvidence<T>, about: string): OpenedToken;
}

/** Evidence that was read into its structures: its form holds, nothing is verified. */
export interface OpenedEvidence {
  /** The endorsements that its verification needs. Derived from unverified bytes: sources contact configured origins only. */
  readonly needs: readonly EndorsementRequest[];
  /**
   * Verifies every signature, chain and binding of what was read, in the order of the specification, and records each
   * check. What rests on a failed check is skipped; claims come only from bytes that passed.
   *
   * @throws {FormatError} where what depends on an outcome (a chain, a CRL) is malformed
   */
  verify(context: VerificationContext): Promise<Verification>;
}

/** Verifies one type of evidence. Pure: what it needs is given, the verification time included. */
export interface EvidenceVerifier<T extends EvidenceType = EvidenceType> {
  /** The `type` in openapi.yaml that this verifier judges. */
  readonly evidenceType: T;
  /**
   * Reads the evidence, once.
   * @throws {FormatError} where the evidence is malformed
   */
  open(evidence: EvidenceOf<T>): OpenedEvidence;
}

/**
 * The claim by which a verified token shows that it answers a call: the nonce that was sent, or the earliest `iat` in whole
 * seconds.
 */
export type CallAnswer = { readonly nonce: string } | { readonly issuedSince: number };

/** How another verifier answered. Nothing of it is verified. */
export type SubmissionResult =
  | { readonly token: string; readonly expected: CallAnswer }
  /** It judged the evidence, and does not vouch for it: one sentence for people. */
  | { readonly refused: string }
  | Unavailable;

/** Sends evidence to another verifier. Only to configured origins, and only where submitting is configured. */
export interface AttestationService {
  readonly route: TokenRoute;
  /** Whether tokens of this issuer, by `iss`, are of one of the endpoints that it asks. */
  issues(issuer: string): boolean;
  /** Whether it judges this kind of evidence at all. */
  accepts(submission: Submission): boolean;
  /**
   * Never throws for a service that is out of reach.
   * @param signal aborts when the time of the request has passed
   * @param principal of the caller, for fair turns
   */
  attest(submission: Submission, signal: AbortSignal, principal?: string): Promise<SubmissionResult>;
}
