import type { SnpProduct, SnpTcb } from './claims.js';
import type { CheckId } from './codes.js';
import type { TdxCollateral, TokenType } from './evidence.js';
import type { P256PublicKey } from './p256-public-key.js';
import type { RsaPublicKey } from './rsa-public-key.js';

/** The origin of endorsement material. `carried`: a public certificate that is part of the product. */
export type EndorsementOrigin = 'evidence' | 'cache' | 'store' | 'network' | 'carried';

/** A certificate or CRL. Not verified. Its holder computes the digest once. */
export interface HashedDer {
  readonly der: Uint8Array;
  /** SHA-256, lower-case hex. */
  readonly sha256: string;
}

/** A certificate and its issuer. */
export type DerChain = readonly [HashedDer, HashedDer];

/** Material and its origin. Not verified. */
export interface Sourced<T> {
  readonly value: T;
  readonly origin: EndorsementOrigin;
  /** When the service fetched it; null or absent if it did not, or if the time is unknown. */
  readonly fetchedAt?: Date | null;
}

/** The origin and fetch time of material. */
export type Provenance = Pick<Sourced<unknown>, 'origin' | 'fetchedAt'>;

/** The CRL of a certificate's own series, or a substitute. */
export interface SourcedCrl extends Sourced<HashedDer> {
  /** Why AMD KDS did not confirm within 48 hours that it is the newest, as message. Absent if it did or need not. */
  readonly unconfirmed?: string;
}

/** Origins of the parts of TDX collateral: of two sets, the newer of each part is used. */
export interface CollateralOrigins {
  readonly tcbInfo: EndorsementOrigin;
  readonly qeIdentity: EndorsementOrigin;
  readonly pckCrl: EndorsementOrigin;
  readonly rootCaCrl: EndorsementOrigin;
}

/** Times of the parts of TDX collateral. */
export type CollateralTimes = { readonly [Part in keyof CollateralOrigins]?: Date };

/** Why no source confirms that the collateral of a request is Intel's newest. */
export interface Unconfirmed {
  /** The message. Lower case, no period. */
  readonly why: string;
  /** Earliest permitted issue time of parts with a short validity; null if that is not checked. */
  readonly issuedSince: Date | null;
}

export interface SourcedCollateral extends Sourced<TdxCollateral> {
  /** When the service fetched each part; absent for a part that it did not fetch. */
  readonly partsFetchedAt?: CollateralTimes;
  /** Present if not all parts come from `origin`, which is that of the TCB info. */
  readonly partOrigins?: CollateralOrigins;
  /** Absent if a source of Intel's was contacted recently, or no part comes from the request. */
  readonly unconfirmed?: Unconfirmed;
}

/** Why material is missing. */
export interface Unavailable {
  readonly code: CheckId;
  /** One sentence as message, without secrets and addresses. */
  readonly detail: string;
  readonly retryable: boolean;
  /** How long the source asked not to be contacted; absent if it named no time. */
  readonly retryAfterSeconds?: number;
}

/** `VCEK` signs with a key of the chip, `VLEK` with a key of the cloud provider (KEY_INFO.SIGNING_KEY). */
export type SnpSigningKey = 'vcek' | 'vlek';

/**
 * The endorsements that the verification of an SNP report needs. Derived from unverified bytes: sources use it as a
 * search key and contact only configured origins.
 */
export interface SnpEndorsementRequest {
  readonly kind: 'amd-snp';
  readonly signingKey: SnpSigningKey;
  /** Possible product lines, the likeliest first. A version 2 report does not distinguish Milan from Genoa. */
  readonly products: readonly SnpProduct[];
  /** CHIP_ID, 64 bytes; all zero if masked. */
  readonly chipId: Uint8Array;
  /** How many of these bytes the certificates of each candidate line have. */
  readonly chipIdBytes: (product: SnpProduct) => 8 | 64;
  /** REPORTED_TCB read with the layout of each candidate line. */
  readonly reportedTcb: (product: SnpProduct) => SnpTcb;
  /** The endorsements in the request itself. Sources do not look up a key certificate or chain that it has. */
  readonly supplied: {
    readonly vek: SuppliedVek | null;
    readonly chain: boolean;
    /** Whether the request supplies a CRL: then it waits only briefly for AMD's. */
    readonly crls: boolean;
  };
  /**
   * Whether the path of a key certificate is valid up to a pinned root, without time. Certificates of the request
   * replace `vek` and `chain`, which are null if a source has none.
   */
  readonly hasPath: (vek: HashedDer | null, chain: DerChain | null) => boolean;
}

/** VCEK or VLEK of a request: if a line has several chains, its issuer selects one. */
export interface SuppliedVek {
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  /** Whether it names an AMD issuer for its kind of key: otherwise no chain can have signed it. */
  readonly namesIssuer: boolean;
  /** Whether the first certificate of a chain signed it. */
  readonly isIssuedBy: (chain: DerChain) => boolean;
}

/**
 * The key set of a token's issuer. The configuration names the issuer, character by character: the token itself
 * never decides which server supplies its keys.
 */
export interface TokenKeysRequest {
  readonly kind: 'token-keys';
  readonly type: TokenType;
  readonly issuer: string;
  /** `kid` of the token: an unknown one causes another fetch. */
  readonly kid: string;
}

/** The endorsements that the verification of a TD quote needs. Derived from unverified bytes: only a search key. */
export interface TdxCollateralRequest {
  readonly kind: 'intel-tdx';
  /** 6 bytes, lower-case hex. */
  readonly fmspc: string;
  /** The issuer of the PCK certificate, which selects one of the two CRLs. */
  readonly ca: 'platform' | 'processor';
  /** The endorsements in the request; null if there are none. Newer collateral of a source takes precedence. */
  readonly supplied: TdxCollateral | null;
}

/**
 * Possible issuers for the chain of an attestation key. A search key derived from unverified bytes: the verifier
 * checks signatures and the end of the path.
 */
export interface AkIssuersRequest {
  readonly kind: 'ak-issuers';
  /** Name of the missing issuer, DER. */
  readonly issuer: Uint8Array;
}

/** Endorsement requests of every kind of evidence, by `kind`. */
export type EndorsementRequest = SnpEndorsementRequest | TdxCollateralRequest | TokenKeysRequest | AkIssuersRequest;

/** A key that signs tokens. Only its strength is verified. */
export interface TokenKey {
  readonly kid: string;
  /** `alg` of the JWK; null if it has none. */
  readonly alg: string | null;
  readonly key: RsaPublicKey | P256PublicKey;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** `x5c`, DER, that of the key first; empty if there is none. The first contains `key`. */
  readonly certificates: readonly Uint8Array[];
}

/** The keys of one issuer (RFC 7517, section 5). */
export interface TokenKeySet {
  /** By `kid`, an opaque string: every entry with it. `alg` distinguishes different keys. */
  readonly keys: ReadonlyMap<string, readonly TokenKey[]>;
  /** CRLs of the certificates, DER, if they are configured or served by the origin of the keys. */
  readonly crls: readonly Uint8Array[];
  /** When the set was fetched, if a later renewal failed; else absent. */
  readonly unrenewedSince?: Date;
}

/** The endorsements for an SNP report. */
export interface SnpEndorsementSet {
  /** VCEK or VLEK. Null if the request supplies it. */
  readonly vek: Sourced<HashedDer> | Unavailable | null;
  /**
   * Chains by product line: ASK or ASVK, then ARK. Null if the request supplies it.
   * The line is that of the source's index; the verifier checks the certificates themselves.
   */
  readonly chains: ReadonlyMap<SnpProduct, Sourced<DerChain>>;
  /** Why a chain is missing; null if none is. */
  readonly chainProblem: Unavailable | null;
  /** CRLs by product line: of the certificate's own series (VCEK or VLEK), or a substitute. */
  readonly crls: ReadonlyMap<SnpProduct, SourcedCrl>;
  /** All other available CRLs, by product line, of either series: a valid one of them can also revoke. */
  readonly otherCrls: ReadonlyMap<SnpProduct, readonly Sourced<HashedDer>[]>;
  /** Why there is no CRL in `crls`, by product line. */
  readonly crlProblems: ReadonlyMap<SnpProduct, MissingCrl>;
}

/** Why there is no CRL of the certificate's own series: `crl_unavailable`, `crl_stale` or `crl_rollback`. */
export interface MissingCrl extends Unavailable {
  /** When a genuine CRL of the request may be used instead: null unless KDS is off or unreachable. */
  readonly substitute: SubstituteTerms | null;
}

/** Conditions for a CRL of a request that replaces one of AMD's. */
export interface SubstituteTerms {
  /** The newest CRL that was used before: an older one is rejected. Null if there is none. */
  readonly newest: { readonly number: bigint; readonly thisUpdate: Date } | null;
  /** CRLs of the other series: SHA-256 of their DER, lower-case hex. */
  readonly otherSeries: readonly string[];
}

/** The endorsements for a verification, by kind of request. */
export interface EndorsementSet {
  readonly snp: SnpEndorsementSet | null;
  /**
   * Collateral for the verification: that of the request if no source has newer. `collateral_unavailable`,
   * `collateral_stale` or `collateral_rollback` if none is usable; absent if none was requested.
   */
  readonly tdx?: SourcedCollateral | Unavailable | null;
  /** `jwks_unavailable`, `jwks_invalid` or `jwks_stale` if no set is usable; absent if none was requested. */
  readonly tokenKeys?: Sourced<TokenKeySet> | Unavailable | null;
  /** Certificates with that name, and their issuers; absent if none were requested. */
  readonly akIssuers?: readonly Sourced<HashedDer>[];
}

export const NO_ENDORSEMENTS: EndorsementSet = { snp: null };

/** The conditions of a fetch. */
export interface FetchContext {
  /** The verification time. */
  readonly at: Date;
  /** A historical request reads caches and stores, but writes nothing and advances no memory. */
  readonly historical: boolean;
  /** Aborts at the end of the time for fetching. Read it only for a fetch: it is created on first use. */
  readonly signal: AbortSignal;
  /** Name of the caller, for turns that are fair among callers. Absent: the service itself. */
  readonly principal?: string;
  /** The tenant of that caller. Absent: the service itself. */
  readonly tenant?: string;
}

/** Finds endorsements: in a configured directory, a cache, or at the vendor. Never throws for an unreachable source. */
export interface EndorsementSource {
  fetch(requests: readonly EndorsementRequest[], context: FetchContext): Promise<EndorsementSet>;
}

/** An endorsement from the service, for download. */
export interface HeldEndorsement extends Pick<UsedEndorsement, 'kind' | 'sha256'> {
  /** The digested bytes: DER, the text of collateral in UTF-8, or the SubjectPublicKeyInfo of a token key. */
  readonly value: Uint8Array;
}

/** An endorsement that a verification used, for the answer. */
export interface UsedEndorsement {
  readonly kind:
    | 'vcek'
    | 'vlek'
    | 'ask'
    | 'asvk'
    | 'ark'
    | 'crl'
    | 'pck'
    | 'pck-ca'
    | 'sgx-root'
    | 'tcb-signing'
    | 'tcb-info'
    | 'qe-identity'
    | 'ak'
    | 'ak-ca'
    | 'token-key';
  /** SHA-256, hex: of the DER of a certificate or CRL, or of the SubjectPublicKeyInfo of a token key. */
  readonly sha256: string;
  readonly source: EndorsementOrigin;
  /** notAfter of a certificate, nextUpdate of a CRL; null for a token key without a certificate. */
  readonly notAfter: Date | null;
  /** When the service fetched it; null if it did not, or if the time is unknown. */
  readonly fetchedAt: Date | null;
  readonly revocation: 'good' | 'revoked' | 'unavailable' | 'not_applicable';
}
