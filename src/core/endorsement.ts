import type { SnpProduct, SnpTcb } from './claims.js';
import type { CheckId } from './codes.js';
import type { TdxCollateral, TokenType } from './evidence.js';
import type { P256PublicKey } from './p256-public-key.js';
import type { RsaPublicKey } from './rsa-public-key.js';

/** Where endorsement material came from. `carried`: a public certificate that is a part of the product. */
export type EndorsementOrigin = 'evidence' | 'cache' | 'store' | 'network' | 'carried';

/** A certificate or CRL. Not verified. Whoever keeps it computes its digest, once. */
export interface HashedDer {
  readonly der: Uint8Array;
  /** SHA-256, lower-case hex. */
  readonly sha256: string;
}

/** A certificate and the one that issued it. */
export type DerChain = readonly [HashedDer, HashedDer];

/** Material and where it came from. Not verified. */
export interface Sourced<T> {
  readonly value: T;
  readonly origin: EndorsementOrigin;
  /** When the service fetched it; null or absent if it did not, or if the time is unknown. */
  readonly fetchedAt?: Date | null;
}

/** Where material came from, and when. */
export type Provenance = Pick<Sourced<unknown>, 'origin' | 'fetchedAt'>;

/** The CRL of a certificate's own series, or one in its place. */
export interface SourcedCrl extends Sourced<HashedDer> {
  /** Why AMD KDS did not confirm within 48 hours that it is the newest, for people. Absent where it did or need not. */
  readonly unconfirmed?: string;
}

/** Where the parts of TDX collateral came from: of two sets the newer part counts each. */
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
  /** For people. Lower case, no period. */
  readonly why: string;
  /** Time before which no part with a short validity may have been issued; null where that is not judged. */
  readonly issuedSince: Date | null;
}

export interface SourcedCollateral extends Sourced<TdxCollateral> {
  /** When the service fetched each part; absent for a part that it did not fetch. */
  readonly partsFetchedAt?: CollateralTimes;
  /** Where the parts are not all from `origin`, which is that of the TCB info. */
  readonly partOrigins?: CollateralOrigins;
  /** Absent where a source of Intel's was asked lately, and where nothing of it is the request's. */
  readonly unconfirmed?: Unconfirmed;
}

/** Why material is not there. */
export interface Unavailable {
  readonly code: CheckId;
  /** One sentence for people, naming no secret and no address. */
  readonly detail: string;
  readonly retryable: boolean;
  /** How long the source asked not to be contacted, where it said so. */
  readonly retryAfterSeconds?: number;
}

/** `VCEK` signs with a key of the chip, `VLEK` with a key of the cloud provider (KEY_INFO.SIGNING_KEY). */
export type SnpSigningKey = 'vcek' | 'vlek';

/**
 * The needs of a verification of an SNP report beside the report. Made from unverified bytes: sources take it as a
 * search key and contact only configured origins.
 */
export interface SnpEndorsementRequest {
  readonly kind: 'amd-snp';
  readonly signingKey: SnpSigningKey;
  /** Product lines that fit, the likeliest first. A version 2 report cannot tell Milan from Genoa. */
  readonly products: readonly SnpProduct[];
  /** CHIP_ID, 64 bytes; all zero where masked. */
  readonly chipId: Uint8Array;
  /** How many of these bytes the certificates of each candidate line have. */
  readonly chipIdBytes: (product: SnpProduct) => 8 | 64;
  /** REPORTED_TCB read with the layout of each candidate line. */
  readonly reportedTcb: (product: SnpProduct) => SnpTcb;
  /** The endorsements in the request itself. A source is not asked for a key certificate or a chain that the request has. */
  readonly supplied: {
    readonly vek: SuppliedVek | null;
    readonly chain: boolean;
    /** A request that supplies a CRL waits only briefly for AMD's. */
    readonly crls: boolean;
  };
  /**
   * Whether the path of a key certificate holds up to a pinned root, whatever the time. Those of the request take the
   * place of `vek` and `chain`, which are null where a source has none.
   */
  readonly hasPath: (vek: HashedDer | null, chain: DerChain | null) => boolean;
}

/** VCEK or VLEK of a request: where a line has several chains, the one that signed it is wanted. */
export interface SuppliedVek {
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  /** Whether it names an issuer of AMD's for the kind of key that it is: else no chain can have signed it. */
  readonly namesIssuer: boolean;
  /** Whether the first certificate of a chain signed it. */
  readonly isIssuedBy: (chain: DerChain) => boolean;
}

/**
 * The key set of a token's issuer. The issuer is one that the configuration names, character by character: what a
 * token says of where its keys are is never a place to look.
 */
export interface TokenKeysRequest {
  readonly kind: 'token-keys';
  readonly type: TokenType;
  readonly issuer: string;
  /** `kid` of the token: an unknown one is a reason to fetch the set again. */
  readonly kid: string;
}

/** The needs of a verification of a TD quote beside it. Made from unverified bytes: a search key, and nothing else. */
export interface TdxCollateralRequest {
  readonly kind: 'intel-tdx';
  /** 6 bytes, lower-case hex. */
  readonly fmspc: string;
  /** The issuer of the PCK certificate: it selects one of the two CRLs. */
  readonly ca: 'platform' | 'processor';
  /** The endorsements in the request; null if there are none. Newer collateral of a source takes precedence. */
  readonly supplied: TdxCollateral | null;
}

/**
 * Certificates that may stand above one of an attestation key's chain. A search key made from unverified bytes: who
 * signed what, and where a path may end, is for the verifier.
 */
export interface AkIssuersRequest {
  readonly kind: 'ak-issuers';
  /** Name of the issuer that is missing, DER. */
  readonly issuer: Uint8Array;
}

/** Endorsement requests of every kind of evidence, by `kind`. */
export type EndorsementRequest = SnpEndorsementRequest | TdxCollateralRequest | TokenKeysRequest | AkIssuersRequest;

/** A key that signs tokens. Strong enough to be used; nothing else is established. */
export interface TokenKey {
  readonly kid: string;
  /** `alg` of the JWK; null where it has none. */
  readonly alg: string | null;
  readonly key: RsaPublicKey | P256PublicKey;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** `x5c`, DER, the key's own first; empty where there is none. The first holds `key`. */
  readonly certificates: readonly Uint8Array[];
}

/** The keys of one issuer (RFC 7517, section 5). */
export interface TokenKeySet {
  /** By `kid`, an opaque string: every entry that has it. `alg` tells them apart, where the key is not the same. */
  readonly keys: ReadonlyMap<string, readonly TokenKey[]>;
  /** CRLs of the certificates, DER, as far as they are configured or served by the origin of the keys. */
  readonly crls: readonly Uint8Array[];
  /** When the set was fetched, where it should have been renewed since and could not be; else absent. */
  readonly unrenewedSince?: Date;
}

/** The endorsements for an SNP report. */
export interface SnpEndorsementSet {
  /** VCEK or VLEK. Null where the request supplies it. */
  readonly vek: Sourced<HashedDer> | Unavailable | null;
  /**
   * Chains by product line: ASK or ASVK, then ARK. Null where the request supplies it.
   * The line is the one under which the source holds them; the verifier looks at what they say themselves.
   */
  readonly chains: ReadonlyMap<SnpProduct, Sourced<DerChain>>;
  /** Why a chain is missing, where one is. */
  readonly chainProblem: Unavailable | null;
  /** CRLs by product line: the one of the certificate's own series (VCEK or VLEK), or one that stands in for it. */
  readonly crls: ReadonlyMap<SnpProduct, SourcedCrl>;
  /** All other available CRLs, by product line, of either series: what a valid one of them revokes is revoked. */
  readonly otherCrls: ReadonlyMap<SnpProduct, readonly Sourced<HashedDer>[]>;
  /** Why there is no CRL in `crls`, by product line. */
  readonly crlProblems: ReadonlyMap<SnpProduct, MissingCrl>;
}

/** Why there is no CRL of the certificate's own series: `crl_unavailable`, `crl_stale` or `crl_rollback`. */
export interface MissingCrl extends Unavailable {
  /** When a genuine CRL of the request may be used instead: null unless KDS is off or out of reach. */
  readonly substitute: SubstituteTerms | null;
}

/** Conditions for a CRL of a request that is used instead of one of AMD's. */
export interface SubstituteTerms {
  /** The newest CRL that was relied on before: an older one is refused. Null where there is none. */
  readonly newest: { readonly number: bigint; readonly thisUpdate: Date } | null;
  /** CRLs that are known to be of the other series: SHA-256 of their DER, lower-case hex. */
  readonly otherSeries: readonly string[];
}

/** The endorsements for a verification, by kind of request. */
export interface EndorsementSet {
  readonly snp: SnpEndorsementSet | null;
  /**
   * Collateral to judge by: that of the request where no source has newer. `collateral_unavailable`,
   * `collateral_stale` or `collateral_rollback` where there is none to rely on; absent where none was asked for.
   */
  readonly tdx?: SourcedCollateral | Unavailable | null;
  /** `jwks_unavailable`, `jwks_invalid` or `jwks_stale` where there is no set to rely on; absent where none was asked for. */
  readonly tokenKeys?: Sourced<TokenKeySet> | Unavailable | null;
  /** Certificates of that name, and of those that issued them; absent where none were asked for. */
  readonly akIssuers?: readonly Sourced<HashedDer>[];
}

export const NO_ENDORSEMENTS: EndorsementSet = { snp: null };

/** How one request is fetched. */
export interface FetchContext {
  /** The verification time. */
  readonly at: Date;
  /** A historical request reads caches and stores, but writes nothing and advances no memory. */
  readonly historical: boolean;
  /** Aborts when the time for fetching has passed. To be read only where something is fetched: it is made then. */
  readonly signal: AbortSignal;
  /** Name of the caller that asks, for turns that are fair among callers. Absent: the service itself. */
  readonly principal?: string;
  /** The tenant of that caller. Absent: the service itself. */
  readonly tenant?: string;
}

/** Finds endorsements: in a configured directory, a cache, or at the vendor. Never throws for what is out of reach. */
export interface EndorsementSource {
  fetch(requests: readonly EndorsementRequest[], context: FetchContext): Promise<EndorsementSet>;
}

/** An endorsement of the service's own, as it is given out. */
export interface HeldEndorsement extends Pick<UsedEndorsement, 'kind' | 'sha256'> {
  /** The bytes that the digest is of: DER, the text of collateral in UTF-8, or the SubjectPublicKeyInfo of a token key. */
  readonly value: Uint8Array;
}

/** An endorsement that a verification rested on, as the answer lists it. */
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
  /** SHA-256 of the DER, hex: of a certificate or CRL, or of the SubjectPublicKeyInfo of a token key. */
  readonly sha256: string;
  readonly source: EndorsementOrigin;
  /** notAfter of a certificate, nextUpdate of a CRL; null for a token key without a certificate. */
  readonly notAfter: Date | null;
  /** When the service fetched it; null if it did not, or if the time is unknown. */
  readonly fetchedAt: Date | null;
  readonly revocation: 'good' | 'revoked' | 'unavailable' | 'not_applicable';
}
