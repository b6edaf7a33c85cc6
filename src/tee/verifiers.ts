import { AMD_LINES, type AmdLines } from '../core/amd-lines.js';
import type { SnpProduct } from '../core/claims.js';
import type { EvidenceType } from '../core/evidence.js';
import type { EvidenceVerifier } from '../core/verification.js';
import { paravisorFloors } from './azure/known-paravisors.js';
import { type ItaIssuer, publicItaIssuers } from './ita/key-trust.js';
import { type MaaIssuer, sharedMaaIssuers } from './maa/issuer-policy.js';
import { evidenceVerifiers } from './registry.js';
import { type AkRoots, AZURE_VTPM_ROOT_PINS } from './shared/attestation-key/ak-roots.js';
import type { ParavisorFloors } from './shared/paravisor/paravisor-claims.js';
import type { AmdRootPins } from './snp/amd/roots.js';
import { AmdSnpReportVerifier } from './snp/snp-report-verifier.js';
import { INTEL_SGX_ROOT_PINS } from './tdx/intel/roots.js';
import { DcapTdQuoteVerifier } from './tdx/td-quote-verifier.js';
import { Tpm2QuoteVerifier } from './tpm/tpm-quote-verifier.js';

/** Trust anchors, floors and limits of the verifiers. Each defaults to what AMD, Intel and Azure publish. */
export interface VerifierOptions {
  /** AMD's product lines by name: how their reports and certificates are read. Default: Milan, Genoa and Turin. */
  readonly amdLines?: AmdLines;
  /** Trusted ARKs by product line: SHA-256 of the SubjectPublicKeyInfo, 64 lower-case hex digits. Default: those of `amdLines`. */
  readonly amdPins?: AmdRootPins;
  /** Product lines that are denied although AMD vouches for them (`snp_product_refused`). Default: none. */
  readonly refuseProducts?: ReadonlySet<SnpProduct>;
  /** Trusted Intel SGX root CAs, pinned as `amdPins`. Default: Intel's own. */
  readonly intelPins?: ReadonlySet<string>;
  /** Trusted roots of attestation key certificates, pinned as `amdPins`. Default: Azure's, which make no paravisor known. */
  readonly akRoots?: AkRoots;
  /** Known paravisors on SEV-SNP: ID_KEY_DIGEST, 96 lower-case hex digits, to the least GUEST_SVN. Default: Microsoft's. */
  readonly paravisorFloors?: ParavisorFloors;
  /** Known paravisors on TDX: MRTD, 96 lower-case hex digits. Default: none, since Microsoft publishes none. */
  readonly paravisorMrtds?: ReadonlySet<string>;
  /** Accepted instances of Azure Attestation by `iss`. Default: the shared providers of the public cloud. */
  readonly maaIssuers?: ReadonlyMap<string, MaaIssuer>;
  /** Accepted instances of Intel Trust Authority by `iss`. Default: Intel's own. */
  readonly itaIssuers?: ReadonlyMap<string, ItaIssuer>;
  /** Leeway for the times of tokens in both directions, in seconds. Default: 60. */
  readonly tokenLeewaySeconds?: number;
  /** The longest event log that is read, in bytes (`eventlog_limit`). Default: 1 MiB. */
  readonly eventLogBytes?: number;
}

const ONLY_AZURE: AkRoots = { azure: AZURE_VTPM_ROOT_PINS, configured: new Set(), paravisorsSince: null };

const DEFAULTS = {
  amdLines: AMD_LINES,
  refuseProducts: new Set<SnpProduct>(),
  intelPins: INTEL_SGX_ROOT_PINS,
  akRoots: ONLY_AZURE,
  paravisorFloors: paravisorFloors([]),
  paravisorMrtds: new Set<string>(),
  maaIssuers: sharedMaaIssuers(),
  itaIssuers: publicItaIssuers(),
  tokenLeewaySeconds: 60,
  eventLogBytes: 2 ** 20,
} as const satisfies VerifierOptions;

/**
 * Makes the verifier of each type of evidence. An option that is undefined counts as left out.
 * @throws {RangeError} for a leeway or a length that is no number, or negative: comparisons with it would hold for anything
 */
export function createVerifiers(options: VerifierOptions = {}): ReadonlyMap<EvidenceType, EvidenceVerifier> {
  const chosen = { ...DEFAULTS, ...given(options) };
  requireBound('tokenLeewaySeconds', chosen.tokenLeewaySeconds);
  requireBound('eventLogBytes', chosen.eventLogBytes);
  const { amdLines, amdPins = pinsOf(amdLines), refuseProducts, tokenLeewaySeconds: leewaySeconds } = chosen;
  return evidenceVerifiers({
    snpReports: new AmdSnpReportVerifier({ refuseProducts, pins: amdPins, lines: amdLines }),
    tdQuotes: new DcapTdQuoteVerifier({ pins: chosen.intelPins }),
    tpmQuotes: new Tpm2QuoteVerifier(),
    paravisorFloors: chosen.paravisorFloors,
    paravisorMrtds: chosen.paravisorMrtds,
    akRoots: chosen.akRoots,
    maaTokens: { issuers: chosen.maaIssuers, leewaySeconds, refuseProducts },
    itaTokens: { issuers: chosen.itaIssuers, leewaySeconds },
    eventLogBytes: chosen.eventLogBytes,
  });
}

/** A caller whose types allow undefined members must not lose a default by them. */
function given(options: VerifierOptions): VerifierOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function requireBound(name: string, value: number): void {
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name} is no number of 0 or more`);
}

function pinsOf(lines: AmdLines): AmdRootPins {
  return new Map([...lines].map(([product, { arkSpki }]) => [product, arkSpki]));
}
