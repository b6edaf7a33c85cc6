import { AMD_LINES, type AmdLines } from '../core/amd-lines.js';
import type { SnpProduct } from '../core/claims.js';
import type { EvidenceType } from '../core/evidence.js';
import type { EvidenceVerifier } from '../core/verification.js';
import { paravisorFloors } from './azure/known-paravisors.js';
import { publicItaIssuers } from './ita/key-trust.js';
import { sharedMaaIssuers } from './maa/issuer-policy.js';
import { evidenceVerifiers } from './registry.js';
import { type AkRoots, AZURE_VTPM_ROOT_PINS } from './shared/attestation-key/ak-roots.js';
import type { AmdRootPins } from './snp/amd/roots.js';
import { AmdSnpReportVerifier } from './snp/snp-report-verifier.js';
import { INTEL_SGX_ROOT_PINS } from './tdx/intel/roots.js';
import { DcapTdQuoteVerifier } from './tdx/td-quote-verifier.js';
import { Tpm2QuoteVerifier } from './tpm/tpm-quote-verifier.js';
import type { VerifierOptions } from './verifier-options.js';

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
 * Makes the verifier of each type of evidence. An undefined option has its default.
 * @throws {RangeError} for a leeway or a length that is NaN or negative, because comparisons with it would always hold
 */
export function createVerifiers(options: VerifierOptions = {}): ReadonlyMap<EvidenceType, EvidenceVerifier> {
  const chosen = { ...DEFAULTS, ...given(options) };
  requireBound('tokenLeewaySeconds', chosen.tokenLeewaySeconds);
  requireBound('eventLogBytes', chosen.eventLogBytes);
  const { amdLines, amdPins = pinsOf(amdLines), refuseProducts, intelPins } = chosen;
  return evidenceVerifiers({
    ...chosen,
    amdPins,
    snpReports: new AmdSnpReportVerifier({ refuseProducts, pins: amdPins, lines: amdLines }),
    tdQuotes: new DcapTdQuoteVerifier({ pins: intelPins }),
    tpmQuotes: new Tpm2QuoteVerifier(),
  });
}

/** Removes undefined members, so that they do not replace defaults. */
function given(options: VerifierOptions): VerifierOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function requireBound(name: string, value: number): void {
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name} is no number of 0 or more`);
}

function pinsOf(lines: AmdLines): AmdRootPins {
  return new Map([...lines].map(([product, { arkSpki }]) => [product, arkSpki]));
}
