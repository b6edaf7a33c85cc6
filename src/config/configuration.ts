import type { AzureIdentity } from '../model/azure-identity.js';
import type { Role } from '../model/caller.js';
import type { SnpProduct } from '../model/claims.js';

/**
 * The effective configuration, deep-frozen. docs/configuration.md says what each key means and what holds by default.
 * Paths are as written, relative ones relative to the working directory. Null: not set.
 */
export interface Configuration {
  readonly listen: ListenConfiguration;
  readonly policies: { readonly directory: string; readonly default: string };
  /** Whether requests may name a past verification time (`at`). */
  readonly historical: boolean;
  readonly limits: { readonly bodyBytes: number; readonly batchBytes: number; readonly eventLogBytes: number };
  readonly deadlineSeconds: number;
  readonly time: { readonly tokenLeewaySeconds: number };
  readonly amd: AmdConfiguration;
  readonly intel: { readonly pcs: string; readonly collateral: string };
  readonly azure: AzureConfiguration;
  /** PEM files with roots of AK certificates, added to what is built in. */
  readonly tpm: { readonly roots: readonly string[] };
  readonly maa: MaaConfiguration;
  readonly ita: ItaConfiguration;
  readonly challenges: ChallengesConfiguration;
  readonly decisions: DecisionsConfiguration;
  readonly receipts: ReceiptsConfiguration;
  /** Keys that may be released, by the id that a request names. */
  readonly keys: Readonly<Record<string, ReleasableKeyConfiguration>>;
  /** Who may call, by name. Empty: loopback only, everybody there. */
  readonly callers: Readonly<Record<string, CallerConfiguration>>;
  readonly log: { readonly level: LogLevel };
}

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface ListenConfiguration {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Whether to serve without callers on an address that is not loopback. */
  readonly insecure: boolean;
  /** PEM files. */
  readonly tls: { readonly cert: string | null; readonly key: string | null; readonly clientCa: string | null };
  /** Addresses or ranges whose X-Forwarded-For counts. */
  readonly trustedProxies: readonly string[];
}

export interface AmdConfiguration {
  /** Origin of the Key Distribution Service, or `off`. */
  readonly kds: string;
  /** Directory of certificates and CRLs. */
  readonly chains: string;
  readonly refuseProducts: readonly SnpProduct[];
}

export interface AzureConfiguration {
  /** URL of the host's certificate cache, or `off`. */
  readonly thim: string;
  readonly paravisors: ParavisorsConfiguration;
}

/** What makes a paravisor known, added to what is built in. Digests are 48 bytes, lower-case hex. */
export interface ParavisorsConfiguration {
  /** A digest alone keeps the floor that is built in for it, or has none. */
  readonly idKeyDigests: readonly (string | ParavisorConfiguration)[];
  readonly mrtds: readonly string[];
  /** `off`, or the day, `YYYY-MM-DD` in UTC, from which AK certificates of confidential VMs count. */
  readonly akCertificates: string;
}

export interface ParavisorConfiguration {
  readonly digest: string;
  /** Least value of the lower 16 bits of GUEST_SVN. */
  readonly minGuestSvn: number;
}

export interface MaaConfiguration {
  /** The public shared providers: all, none, or those of some regions. */
  readonly shared: boolean | readonly string[];
  readonly issuers: readonly MaaIssuerConfiguration[];
  readonly submit: {
    /** Origins; each one is an accepted issuer too. Empty: evidence never leaves the service. */
    readonly endpoints: readonly string[];
    readonly apiVersion: string;
    /** Null: no token is sent. */
    readonly credential: AzureIdentity | null;
  };
}

export interface MaaIssuerConfiguration {
  /** Exact text of `iss`. */
  readonly issuer: string;
  /** `jwks`: from the issuer; else a file. */
  readonly keys: string;
  /** Hashes that `x-ms-policy-hash` may have, base64url; null for built-in shared providers only. */
  readonly policyHash: 'any' | readonly string[] | null;
  /** SHA-256 of the certificates (DER, lower-case hex) that may have signed its policy; null: not looked at. */
  readonly policySigner: readonly string[] | null;
  /** Whether the key of a token must be one that a TEE vouches for. Where it is, that is verified either way. */
  readonly teeSigner: 'any' | 'required';
}

export interface ItaConfiguration {
  /** Those of the configuration, then the built-in ones that it does not name. */
  readonly issuers: readonly ItaIssuerConfiguration[];
  /** Null: evidence never leaves the service. */
  readonly submit: ItaSubmitConfiguration | null;
}

export interface ItaSubmitConfiguration {
  /** Origin of its interface. */
  readonly api: string;
  readonly apiKeyFile: string;
  /** Policies to judge by. Every Trust Authority token must have matched them, whoever supplies it. */
  readonly policyIds: readonly string[];
  /** Whether a token is to be issued only where all of them match. */
  readonly policyMustMatch: boolean;
  readonly signingAlgorithm: 'PS384' | 'RS256';
}

export interface ItaIssuerConfiguration {
  /** Exact text of `iss`. */
  readonly issuer: string;
  /** URL of the key set, or a file. */
  readonly keys: string;
  /** PEM file that x5c must chain to; null: the origin or file is the trust. */
  readonly roots: string | null;
  /** Ids of policies, in lower case, that every token of this issuer has to have matched. */
  readonly policyIds: readonly string[];
}

export interface ChallengesConfiguration {
  /** `memory`, or a redis URL. */
  readonly store: string;
  readonly lifetimeSeconds: number;
  /** File of the MAC key; null: `challenges.key` in the data directory. */
  readonly key: string | null;
}

export interface DecisionsConfiguration {
  /** SQLite file, `off`, or a redis URL. */
  readonly store: string;
  readonly keepEvidence: 'hash' | 'full';
  readonly retentionDays: number;
}

export interface ReceiptsConfiguration {
  /** Null: the listening URL. */
  readonly issuer: string | null;
  /** `ephemeral`, a PEM or JWK file, or the URL of a Key Vault key. */
  readonly key: string;
  readonly lifetimeSeconds: number;
}

export interface ReleasableKeyConfiguration {
  readonly vault: string;
  readonly name: string;
  readonly version: string | null;
  readonly policy: string;
  readonly enc: string;
}

/** A caller. Exactly one of `apiKeySha256`, `oidc`, `mtls` and `kubernetes` says how it is recognised. */
export interface CallerConfiguration {
  /** SHA-256 of the key, lower-case hex. */
  readonly apiKeySha256: string | null;
  /** Time from which the key is no longer valid, ISO 8601 in UTC. */
  readonly expires: string | null;
  readonly roles: readonly Role[];
  /** Policies that the caller may name; null: any. */
  readonly policies: readonly string[] | null;
  /** Audiences that the caller may name; null: any. */
  readonly audience: readonly string[] | null;
  readonly tenant: string;
  readonly oidc: object | null;
  readonly mtls: object | null;
  readonly kubernetes: object | null;
}
