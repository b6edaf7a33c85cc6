import type { AmdLines } from '../core/amd-lines.js';
import type { SnpProduct } from '../core/claims.js';
import type { ItaIssuer } from './ita/key-trust.js';
import type { MaaIssuer } from './maa/issuer-policy.js';
import type { AkRoots } from './shared/attestation-key/ak-roots.js';
import type { SnpReportVerifier, TdQuoteVerifier, TpmQuoteVerifier } from './shared/evidence/parts.js';
import type { ParavisorFloors } from './shared/paravisor/paravisor-claims.js';
import type { AmdRootPins } from './snp/amd/roots.js';

/** Trust anchors, floors and limits of the verifiers. Each defaults to what AMD, Intel and Azure publish. */
export interface VerifierOptions {
  /**
   * AMD's product lines by name, with the layouts of their reports and certificates. Default: Milan, Genoa and Turin.
   */
  readonly amdLines?: AmdLines;
  /**
   * Trusted ARKs by product line: SHA-256 of the SubjectPublicKeyInfo, 64 lower-case hex digits. Default: those of
   * `amdLines`.
   */
  readonly amdPins?: AmdRootPins;
  /** Product lines that are denied although AMD vouches for them (`snp_product_refused`). Default: none. */
  readonly refuseProducts?: ReadonlySet<SnpProduct>;
  /** Trusted Intel SGX root CAs, pinned as `amdPins`. Default: Intel's own. */
  readonly intelPins?: ReadonlySet<string>;
  /**
   * Trusted roots of attestation key certificates, pinned as `amdPins`. Default: Azure's, which make no paravisor
   * known.
   */
  readonly akRoots?: AkRoots;
  /**
   * Minimum GUEST_SVN of known paravisors on SEV-SNP by ID_KEY_DIGEST, 96 lower-case hex digits. Default: Microsoft's.
   */
  readonly paravisorFloors?: ParavisorFloors;
  /** Known paravisors on TDX: MRTD, 96 lower-case hex digits. Default: none, since Microsoft publishes none. */
  readonly paravisorMrtds?: ReadonlySet<string>;
  /** Accepted instances of Azure Attestation by `iss`. Default: the shared providers of the public cloud. */
  readonly maaIssuers?: ReadonlyMap<string, MaaIssuer>;
  /** Accepted instances of Intel Trust Authority by `iss`. Default: Intel's own. */
  readonly itaIssuers?: ReadonlyMap<string, ItaIssuer>;
  /** Leeway for the times of tokens in both directions, in seconds. Default: 60. */
  readonly tokenLeewaySeconds?: number;
  /** Maximum length of an event log, in bytes (`eventlog_limit`). Default: 1 MiB. */
  readonly eventLogBytes?: number;
}

/** Every option with its value, and the verifiers of reports and quotes. The verifier of each type is made of these. */
export interface ChosenOptions extends Required<VerifierOptions> {
  readonly snpReports: SnpReportVerifier;
  readonly tdQuotes: TdQuoteVerifier;
  readonly tpmQuotes: TpmQuoteVerifier;
}
