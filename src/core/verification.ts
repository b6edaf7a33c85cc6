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
   * A key that the evidence contains as PEM. It is not bound to the nonce. `text` is hashed, `jkt` is the thumbprint. Absent if
   * none was sent.
   */
  readonly pem?: { readonly text: Uint8Array; readonly jkt: string };
}

export interface VerificationContext {
  /** The verification time of the request. */
  readonly at: Date;
  readonly endorsements: EndorsementSet;
  /** Null if the caller sent no nonce. */
  readonly binding: ExpectedBinding | null;
}

/** The result of a verifier. */
export interface Verification {
  readonly checks: readonly Check[];
  /**
   * Checks that must have a result for this evidence. A missing check, or one skipped without a failure,
   * is an internal error, never a pass.
   */
  readonly required: readonly CheckId[];
  /** Only statements of verified bytes. */
  readonly claims: Verified<Claims>;
  readonly endorsements: readonly UsedEndorsement[];
  /** Places that contain X. */
  readonly bound: readonly FreshnessPlace[];
  /** Earliest expiry of an input of the result; null if there is none. */
  readonly validUntil: Date | null;
  /**
   * `vm-configuration` of runtime claims of which only the key is verified: no claim, unless another check identifies the
   * paravisor. Absent if there is none.
   */
  readonly withheldConfiguration?: JsonObject;
  /** Minimum of GUEST_SVN for the ID_KEY_DIGEST of a paravisor. Absent if the digest is not listed. */
  readonly paravisorMinGuestSvn?: number;
  /**
   * SHA-256 PCRs in the signed selection of the quote: claims have none of them if their values do not match.
   * Absent without a signed quote.
   */
  readonly selectedPcrs?: readonly number[];
  /** The facts that the event log does not show, for policies that require them. Absent if no log was sent, or it does not verify. */
  readonly eventLogGaps?: EventLogGaps;
  /**
   * RFC 7638 SHA-256 thumbprint of the key that signed the quote of the claims, base64url: identifies a vTPM in memory.
   * Absent without a verified quote.
   */
  readonly akThumbprint?: string;
  /** The reasons why a TDX TCB is not up to date: for the appraisal of its status. Absent if there is no TD. */
  readonly tcbShortfalls?: readonly TcbShortfall[];
  /** Absent if there is no TD, or no usable collateral. */
  readonly collateralIssued?: CollateralIssued;
  /** The verified hardware evidence in the form for other verifiers; null if there is none. */
  readonly submission?: Submission | null;
}

export interface EventLogGaps {
  /** Quoted registers that differ from their initial state without an event in the log; an OS may not extend them. */
  readonly unexplained: readonly number[];
  /** Why a claim is null. */
  readonly absent: { readonly [claim in BootClaim]?: AbsentClaim };
  /** Digests among the command lines that belong to load options according to the log; they could also be files. */
  readonly loadOptions: readonly string[];
}

/** Why an event log does not show a claim. */
export interface AbsentClaim {
  /** The failed check of a policy that reads the claim. */
  readonly check: 'tpm_pcr_not_quoted' | 'eventlog_replay' | 'eventlog_unverified' | 'secure_boot_unknown';
  /** One sentence as message: lower case, no period. */
  readonly detail: string;
  /** The display name of the claim's register, if it was not quoted. */
  readonly register?: string;
}

/** Issue times of the TDX collateral parts that are valid for a month; null for a part without one. */
export interface CollateralIssued {
  readonly tcbInfo: Date;
  readonly qeIdentity: Date;
  readonly pckCrl: Date | null;
}

/** Hardware evidence in the form for another verifier. Signature, chain and binding are verified. */
export type Submission = SnpSubmission | TdxSubmission;

export interface TdxSubmission {
  readonly tee: 'tdx';
  readonly quote: Uint8Array;
  /** Bytes whose SHA-256 is in REPORTDATA; null if the evidence has none. */
  readonly runtimeData: Uint8Array | null;
}

export interface SnpSubmission {
  readonly tee: 'snp';
  /** ATTESTATION_REPORT, 1184 bytes. */
  readonly report: Uint8Array;
  /** DER: VCEK or VLEK, ASK or ASVK, ARK. */
  readonly certificates: readonly [Uint8Array, Uint8Array, Uint8Array];
  /** Bytes whose SHA-256 is in REPORT_DATA; null if the evidence has none. */
  readonly runtimeData: Uint8Array | null;
}

/** The result for a token, in addition to that of every verification. */
export interface TokenVerification extends Verification {
  /**
   * Whether the token identifies a paravisor: it is verified, the policy of its issuer is pinned, and it
   * states a compliant confidential VM.
   */
  readonly vouchesForParavisor: boolean;
  /**
   * How far the issuer's clock is ahead of this service, in seconds, if times of the token show it: positive if it was
   * issued in the future, negative if it had expired within the leeway. Null if they show nothing.
   */
  readonly clockSkewSeconds: number | null;
  /** The values in the places of the caller's nonce: place to lower-case hex. Absent if no nonce is expected. */
  readonly held?: JsonObject;
}

/** A parsed token. Nothing of it is verified. */
export interface OpenedToken extends OpenedEvidence {
  /**
   * Verifies algorithm, issuer, key, signature, times, then claims; checks that depend on a failed one are skipped.
   * @throws {FormatError} if the token turns out to be malformed once its key is known
   */
  verify(context: VerificationContext): Promise<TokenVerification>;
}

/** Verifies the tokens of one other verifier. Pure, like every verifier. */
export interface TokenVerifier<T extends TokenType = TokenType> extends EvidenceVerifier<T> {
  /**
   * Reads a token beside evidence. `bound` lists the places of the nonce: the caller must check
   * for a token without it.
   *
   * @param about JSON pointer of the token in the request
   * @throws {FormatError} if the token is malformed
   */
  openResult(evidence: TokenEvidence<T>, about: string): OpenedToken;
}

/** Evidence parsed into its structures. Nothing of it is verified. */
export interface OpenedEvidence {
  /** The endorsements for its verification. Derived from unverified bytes: sources contact configured origins only. */
  readonly needs: readonly EndorsementRequest[];
  /**
   * Verifies every signature, chain and binding, in the order of the specification, and records each
   * check. Checks that depend on a failed one are skipped; claims come only from verified bytes.
   *
   * @throws {FormatError} if a part that depends on a result (a chain, a CRL) is malformed
   */
  verify(context: VerificationContext): Promise<Verification>;
}

/** Verifies one type of evidence. Pure: all inputs are parameters, including the verification time. */
export interface EvidenceVerifier<T extends EvidenceType = EvidenceType> {
  /** The `type` in openapi.yaml that this verifier verifies. */
  readonly evidenceType: T;
  /**
   * Parses the evidence, once.
   * @throws {FormatError} if the evidence is malformed
   */
  open(evidence: EvidenceOf<T>): OpenedEvidence;
}

/**
 * The claim by which a verified token proves that it answers a call: the nonce of the call, or the earliest `iat` in whole
 * seconds.
 */
export type CallAnswer = { readonly nonce: string } | { readonly issuedSince: number };

/** The answer of another verifier. Nothing of it is verified. */
export type SubmissionResult =
  | { readonly token: string; readonly expected: CallAnswer }
  /** It appraised the evidence, and does not vouch for it: one sentence as message. */
  | { readonly refused: string }
  | Unavailable;

/** Sends evidence to another verifier. Only to configured origins, and only if submission is configured. */
export interface AttestationService {
  readonly route: TokenRoute;
  /** Whether one of its endpoints issues tokens with this `iss`. */
  issues(issuer: string): boolean;
  /** Whether it supports this kind of evidence. */
  accepts(submission: Submission): boolean;
  /**
   * Never throws if the service is unreachable.
   * @param signal aborts at the end of the request's time
   * @param principal principal of the caller, for fair turns
   */
  attest(submission: Submission, signal: AbortSignal, principal?: string): Promise<SubmissionResult>;
}
