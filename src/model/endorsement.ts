import type { SnpProduct, SnpTcb } from './claims.js';
import type { CheckId } from './codes.js';

/** Where endorsement material came from. */
export type EndorsementOrigin = 'evidence' | 'cache' | 'store' | 'network';

/** Material and where it came from. Not verified. */
export interface Sourced<T> {
  readonly value: T;
  readonly origin: EndorsementOrigin;
}

/** Why material is not there. */
export interface Unavailable {
  readonly code: CheckId;
  /** One sentence for people, naming no secret and no address. */
  readonly detail: string;
  readonly retryable: boolean;
}

/** `VCEK` signs with a key of the chip, `VLEK` with a key of the cloud provider (KEY_INFO.SIGNING_KEY). */
export type SnpSigningKey = 'vcek' | 'vlek';

/**
 * What a verification of an SNP report needs beside the report. Made from unverified bytes: sources take it as a
 * search key and contact only configured origins.
 */
export interface SnpEndorsementRequest {
  readonly kind: 'amd-snp';
  readonly signingKey: SnpSigningKey;
  /** Product lines that fit, the likeliest first. A version 2 report cannot tell Milan from Genoa. */
  readonly products: readonly SnpProduct[];
  /** CHIP_ID, 64 bytes; all zero where masked. */
  readonly chipId: Uint8Array;
  /** REPORTED_TCB read with the layout of each candidate line. */
  readonly reportedTcb: (product: SnpProduct) => SnpTcb;
  /** What the request itself brings is not looked for. */
  readonly has: { readonly vek: boolean; readonly chain: boolean };
}

/** Endorsement requests of every TEE, by `kind`. */
export type EndorsementRequest = SnpEndorsementRequest;

/** What was found for an SNP report. */
export interface SnpEndorsementSet {
  /** VCEK or VLEK, DER. Null where the request brings it. */
  readonly vek: Sourced<Uint8Array> | Unavailable | null;
  /**
   * Chains by product line, each DER: ASK or ASVK, then ARK. Null where the request brings it.
   * The line is the one under which the source holds them; the verifier looks at what they say themselves.
   */
  readonly chains: ReadonlyMap<SnpProduct, Sourced<readonly [Uint8Array, Uint8Array]>>;
  /** Why a chain is missing, where one is. */
  readonly chainProblem: Unavailable | null;
  /** CRLs, DER, by product line. At most the newest held of each line. */
  readonly crls: ReadonlyMap<SnpProduct, Sourced<Uint8Array>>;
  /** Why a CRL is missing, stale or rolled back, by product line (`crl_unavailable`, `crl_stale`, `crl_rollback`). */
  readonly crlProblems: ReadonlyMap<SnpProduct, Unavailable>;
}

/** What was fetched for a verification, by kind of request. */
export interface EndorsementSet {
  readonly snp: SnpEndorsementSet | null;
}

export const NO_ENDORSEMENTS: EndorsementSet = { snp: null };

/** How one request is fetched. */
export interface FetchContext {
  /** The instant the request is judged at. */
  readonly at: Date;
  /** A historical request reads caches and stores, but writes nothing and advances no memory. */
  readonly historical: boolean;
  /** Aborts when the time for fetching has passed. To be read only where something is fetched: it is made then. */
  readonly signal: AbortSignal;
}

/** Finds endorsements: in a configured directory, a cache, or at the vendor. Never throws for what is out of reach. */
export interface EndorsementSource {
  fetch(requests: readonly EndorsementRequest[], context: FetchContext): Promise<EndorsementSet>;
}

/** An endorsement that a verification rested on, as the answer lists it. */
export interface UsedEndorsement {
  readonly kind: 'vcek' | 'vlek' | 'ask' | 'asvk' | 'ark' | 'crl';
  /** SHA-256 of the DER, hex. */
  readonly sha256: string;
  readonly source: EndorsementOrigin;
  /** notAfter of a certificate, nextUpdate of a CRL. */
  readonly notAfter: Date;
  readonly revocation: 'good' | 'revoked' | 'unavailable' | 'not_applicable';
}
