import type { JsonObject } from './json.js';

/** Decoded evidence of a request. Nothing in here is verified. */

/** Certificates and CRLs that a request supplies for SEV-SNP. */
export interface SnpEndorsementInput {
  /** VCEK or VLEK, DER, or PEM as text. */
  readonly vek: CertificateInput | null;
  /** PEM: ASK or ASVK, then ARK. */
  readonly chain: string | null;
  /** Certificate table of the SNP extended report (GHCB, SNP_EXT_GUEST_REQUEST). */
  readonly certificateTable: Uint8Array | null;
  /** CRLs, DER. */
  readonly crls: readonly Uint8Array[];
}

/** A certificate as sent: PEM text or DER bytes. */
export type CertificateInput = { readonly pem: string } | { readonly der: Uint8Array };

export interface SnpEvidence {
  readonly type: 'snp';
  /** ATTESTATION_REPORT, 1184 bytes. */
  readonly report: Uint8Array;
  /** Bytes whose SHA-256 REPORT_DATA should contain. */
  readonly runtimeData: Uint8Array | null;
  readonly endorsements: SnpEndorsementInput;
  /** Bytes whose SHA-256 HOST_DATA should be. Absent if none were sent. */
  readonly initData?: Uint8Array;
  /** Whether launch endorsements were sent, which the service does not verify. Absent: none. */
  readonly hasLaunchEndorsements?: boolean;
}

/** A TPM 2.0 quote and the PCR values that it covers. */
export interface TpmQuoteInput {
  /** TPMS_ATTEST, without size prefix. */
  readonly message: Uint8Array;
  /** Bare RSA signature, or TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
  /** PCR values by bank and index, as sent: bank name, then index, then value. */
  readonly pcrs: ReadonlyMap<PcrBank, ReadonlyMap<number, Uint8Array>>;
}

export type PcrBank = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** Certificate of a vTPM's attestation key, and the chain above it. Verified whenever it is sent. */
export interface AkCertificateInput {
  /** Zero bytes after the DER come from an NV index of fixed size. */
  readonly certificate: CertificateInput;
  /** PEM, the issuer of the leaf first, the root last; null if only the leaf was sent. */
  readonly chain: string | null;
}

/** Event logs in the order in which they extend registers: the firmware's, then a Canonical Event Log of the system. */
export type EventLogInput = readonly [firmware: Uint8Array, canonical?: Uint8Array];

/**
 * The parts of a paravisor's report that hashes and signatures cover, split by the guest. Only in a dialect: unmeasured header and request
 * data are not sent.
 */
export interface HclParts {
  /** ATTESTATION_REPORT; null on TDX, where only the quote of the TDREPORT is sent. */
  readonly hardwareReport: Uint8Array | null;
  /** The exact bytes of the runtime claims, which are hashed. */
  readonly runtimeClaims: Uint8Array;
}

/** A key that the attestation key certified (TPM2_Certify). */
export interface CertifiedKeyInput {
  /** TPMS_ATTEST, without size prefix. */
  readonly info: Uint8Array;
  /** Bare RSA signature, or TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
  /** TPM2B_PUBLIC of the certified key. */
  readonly publicArea: Uint8Array;
  /** JSON pointer of it, if it is outside the evidence. */
  readonly about?: string;
}

/** The vTPM data of Azure's guest attestation client beside the quote. In a dialect, or a body that requests a release. */
export interface AzureGuestMembers {
  /** TPM2B_PUBLIC of the attestation key. */
  readonly akPublic?: Uint8Array;
  /** The guest's name for it, for messages. Only in a dialect. */
  readonly akPublicName?: string;
  /** SubjectPublicKeyInfo of the attestation key, DER, instead of `akPublic`. Only in a dialect. */
  readonly akSpki?: Uint8Array;
  readonly certifiedKey?: CertifiedKeyInput;
}

/** Copies of parts of the HCL report and the quote, which must be equal to them. Only in a dialect. */
export interface RestatedParts {
  /** ATTESTATION_REPORT. */
  readonly hardwareReport: Uint8Array;
  readonly runtimeClaims: JsonObject;
  /** Null if none was stated. */
  readonly nonce: Uint8Array | null;
}

export interface AzSnpVtpmEvidence extends AzureGuestMembers {
  readonly type: 'az-snp-vtpm';
  readonly restated?: RestatedParts;
  /** Report of the paravisor (HCL), as read from NV index 0x01400001. */
  readonly hclReport: Uint8Array | HclParts;
  readonly tpmQuote: TpmQuoteInput;
  readonly endorsements: SnpEndorsementInput;
  readonly ak: AkCertificateInput | null;
  readonly eventLog: EventLogInput | null;
}

/** TDX collateral (Intel PCS v4), in the form of the contract. Nothing in it is verified. */
export interface TdxCollateral {
  /** The signed JSON text of TCB info and QE identity, byte for byte: the values of `tcbInfo` and `enclaveIdentity`. */
  readonly tcbInfo: string;
  readonly qeIdentity: string;
  /** r‖s, 64 bytes. */
  readonly tcbInfoSignature: Uint8Array;
  readonly qeIdentitySignature: Uint8Array;
  /** PEM, leaf first, root last. */
  readonly tcbInfoIssuerChain: string;
  readonly qeIdentityIssuerChain: string;
  readonly pckCrlIssuerChain: string;
  /** DER. */
  readonly pckCrl: Uint8Array;
  readonly rootCaCrl: Uint8Array;
  /** PEM, a copy of the certificates of the quote, which some senders add. Only in a request. */
  readonly pckCertificateChain?: string;
}

export interface TdxEvidence {
  readonly type: 'tdx';
  /** TD quote, version 4 or 5. */
  readonly quote: Uint8Array;
  /** Bytes whose SHA-256 REPORTDATA should contain. */
  readonly runtimeData: Uint8Array | null;
  /**
   * Only in a body for Intel Trust Authority, whose clients put SHA-512 of these bytes and the runtime data into
   * REPORTDATA (Intel Trust Authority client): Intel's nonce, `val` and `iat`. Empty if the body has none.
   */
  readonly verifierNonce?: Uint8Array;
  readonly collateral: TdxCollateral | null;
  /** Log data of the CCEL; null if none was sent. */
  readonly ccel: Uint8Array | null;
}

export interface AzTdxVtpmEvidence extends AzureGuestMembers {
  readonly type: 'az-tdx-vtpm';
  /** Report of the paravisor (HCL), with a TDREPORT. */
  readonly hclReport: Uint8Array | HclParts;
  readonly tdQuote: Uint8Array;
  readonly tpmQuote: TpmQuoteInput;
  readonly collateral: TdxCollateral | null;
  readonly ak: AkCertificateInput | null;
  readonly eventLog: EventLogInput | null;
}

/** A single event log to inspect, and the expected values of its registers. */
export interface EventLogFile {
  readonly type: 'event-log';
  readonly log: Uint8Array;
  /** Null if none were sent. */
  readonly pcrs: TpmQuoteInput['pcrs'] | null;
}

/** Kinds of structures that can be inspected alone. */
export type StructureKind =
  | 'snp-report'
  | 'snp-extended-report'
  | 'snp-certificate-table'
  | 'hcl-report'
  | 'td-quote'
  | 'td-report'
  | 'tpm-quote'
  | 'pem'
  | 'certificate'
  | 'crl'
  | 'token'
  | 'event-log'
  | 'collateral';

/** A single structure to inspect. */
export interface StructureFile {
  readonly type: 'bytes';
  /** The stated kind; null: recognised by its bytes. */
  readonly as: StructureKind | null;
  readonly value: Uint8Array;
}

/** Objects that can be inspected, but not all appraised. */
export type Inspected = Evidence | EventLogFile | StructureFile;

/** A vTPM alone: of a Trusted Launch VM, or of any other machine. No hardware vouches for it. */
export interface TpmEvidence extends AzureGuestMembers {
  readonly type: 'tpm';
  /** Exact length of the nonce, in bytes; zeros up to 64 bytes may follow it in the quote. No key can be bound. Only in a dialect. */
  readonly exactNonce?: number;
  readonly tpmQuote: TpmQuoteInput;
  readonly ak: AkCertificateInput;
  readonly eventLog: EventLogInput | null;
}

/** Types of other verifiers' tokens: Microsoft Azure Attestation, Intel Trust Authority. */
export type TokenType = 'maa-token' | 'ita-token';

/** Another verifier's token (an Attestation Result of its own, RFC 9334), as sent: JWS Compact Serialization. */
export interface TokenEvidence<T extends TokenType = TokenType> {
  readonly type: T;
  readonly token: string;
}

export type MaaTokenEvidence = TokenEvidence<'maa-token'>;
export type ItaTokenEvidence = TokenEvidence<'ita-token'>;

/** Evidence that this build can verify. */
export type Evidence =
  | SnpEvidence
  | TdxEvidence
  | AzSnpVtpmEvidence
  | AzTdxVtpmEvidence
  | TpmEvidence
  | MaaTokenEvidence
  | ItaTokenEvidence;

export type EvidenceType = Evidence['type'];

export type EvidenceOf<T extends EvidenceType> = Extract<Evidence, { type: T }>;

/** Another verifier whose tokens are verified, by the name of its route in a policy. */
export type TokenRoute = 'maa' | 'ita';
