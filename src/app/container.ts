import 'reflect-metadata';
import {
  type DependencyContainer,
  container as globalContainer,
  type InjectionToken,
  instanceCachingFactory,
} from 'tsyringe';
import type { Configuration } from '../config/configuration.js';
import type { EvidenceType } from '../core/evidence.js';
import { TOKENS } from '../core/injection-tokens.js';
import { NO_TRACER } from '../core/traces.js';
import type { EvidenceVerifier } from '../core/verification.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import { VerifyEvidence, type VerifyEvidenceOptions, type VerifyEvidenceParts } from '../judge/answer.js';
import { NO_WAITS } from '../judge/waits.js';
import { AzSnpVtpmVerifier } from '../tee/azure/az-snp-vtpm-verifier.js';
import { AzTdxVtpmVerifier } from '../tee/azure/az-tdx-vtpm-verifier.js';
import { paravisorFloors } from '../tee/azure/known-paravisors.js';
import { ItaTokenVerifier, type ItaTokenVerifierOptions } from '../tee/ita/ita-token-verifier.js';
import { MaaTokenVerifier, type MaaTokenVerifierOptions } from '../tee/maa/maa-token-verifier.js';
import { type AkRoots, AZURE_VTPM_ROOT_PINS } from '../tee/shared/attestation-key/ak-roots.js';
import { AMD_ROOT_PINS, type AmdRootPins } from '../tee/snp/amd/roots.js';
import { AmdSnpReportVerifier, type SnpReportVerifierOptions } from '../tee/snp/snp-report-verifier.js';
import { SnpVerifier } from '../tee/snp/snp-verifier.js';
import { INTEL_SGX_ROOT_PINS } from '../tee/tdx/intel/roots.js';
import { DcapTdQuoteVerifier, type TdQuoteVerifierOptions } from '../tee/tdx/td-quote-verifier.js';
import { TdxVerifier } from '../tee/tdx/tdx-verifier.js';
import { TpmOnlyVerifier } from '../tee/tpm/tpm-only-verifier.js';
import { Tpm2QuoteVerifier } from '../tee/tpm/tpm-quote-verifier.js';
import { InspectEvidence } from '../workbench/inspections.js';
import { servedLines, servedPins } from './amd-lines.js';
import { newDecisionId } from './decision-id.js';
import { type ConfiguredRoots, NO_CONFIGURED_ROOTS } from './reload/configured-roots.js';
import { itaIssuers, maaIssuers } from './token-issuers.js';

/** Changes registrations before anything is resolved. */
export type Override = (container: DependencyContainer) => void;

type VerifierClasses = { readonly [T in EvidenceType]: new (...parts: never[]) => EvidenceVerifier<T> };

/** One line for each TEE, and for each other verifier's token. Adding a type of evidence without a line here does not compile. */
export const EVIDENCE_VERIFIER_CLASSES = {
  snp: SnpVerifier,
  tdx: TdxVerifier,
  'az-snp-vtpm': AzSnpVtpmVerifier,
  'az-tdx-vtpm': AzTdxVtpmVerifier,
  tpm: TpmOnlyVerifier,
  'maa-token': MaaTokenVerifier,
  'ita-token': ItaTokenVerifier,
} as const satisfies VerifierClasses;

/** Classes that the container makes: each of their parameters carries a token. */
export const INJECTED_CLASSES = [
  ...Object.values(EVIDENCE_VERIFIER_CLASSES),
  AmdSnpReportVerifier,
  DcapTdQuoteVerifier,
  Tpm2QuoteVerifier,
] as const;

/**
 * The verifiers and what they need. Starts from an empty child of the global container, so that two services in one
 * process share nothing.
 *
 * @param roots what the files of the configuration hold, looked at for each request: without them, Trust Authorities
 *   that have some are not accepted, and certificates of attestation keys end at Azure's root only
 */
export function createAppContainer(
  configuration: Configuration,
  override: Override = () => undefined,
  roots: ConfiguredRoots = NO_CONFIGURED_ROOTS,
): DependencyContainer {
  const app = globalContainer.createChildContainer();
  useRootPins(app, configuration, AMD_ROOT_PINS);
  useIntelRootPins(app, INTEL_SGX_ROOT_PINS);
  const { paravisors } = configuration.azure;
  const { akCertificates } = paravisors;
  const akRoots: AkRoots = {
    azure: AZURE_VTPM_ROOT_PINS,
    get configured() {
      return roots.ak;
    },
    paravisorsSince: akCertificates === 'off' ? null : new Date(akCertificates),
  };
  app.register(TOKENS.akRoots, { useValue: akRoots });
  app.register(TOKENS.paravisorFloors, { useValue: paravisorFloors(paravisors.idKeyDigests) });
  // Microsoft publishes none.
  app.register(TOKENS.paravisorMrtds, { useValue: new Set(paravisors.mrtds) });
  app.register(TOKENS.eventLogBytes, { useValue: configuration.limits.eventLogBytes });
  app.register(TOKENS.snpReportVerifier, {
    useFactory: instanceCachingFactory((from) => from.resolve(AmdSnpReportVerifier)),
  });
  app.register(TOKENS.tdQuoteVerifier, {
    useFactory: instanceCachingFactory((from) => from.resolve(DcapTdQuoteVerifier)),
  });
  app.register(TOKENS.tpmQuoteVerifier, {
    useFactory: instanceCachingFactory((from) => from.resolve(Tpm2QuoteVerifier)),
  });
  const { tokenLeewaySeconds: leewaySeconds } = configuration.time;
  const refuseProducts = new Set(configuration.amd.refuseProducts);
  const ofMaa: MaaTokenVerifierOptions = { issuers: maaIssuers(configuration), leewaySeconds, refuseProducts };
  const ofIta: ItaTokenVerifierOptions = { issuers: itaIssuers(configuration, roots), leewaySeconds };
  app.register(TOKENS.maaTokenVerifierOptions, { useValue: ofMaa });
  app.register(TOKENS.itaTokenVerifierOptions, { useValue: ofIta });
  app.register(TOKENS.evidenceVerifiers, { useFactory: instanceCachingFactory(evidenceVerifiers) });
  const inspectEvidence = () => new InspectEvidence(configuration.limits.eventLogBytes);
  app.register(TOKENS.inspectEvidence, { useFactory: instanceCachingFactory(inspectEvidence) });
  override(app);
  return app;
}

/**
 * Registers the roots of the built-in product lines that count, in the place of those that did: for a lab. A configuration
 * adds those of its own lines, and changes none of these.
 */
export function useRootPins(app: DependencyContainer, configuration: Configuration, pins: AmdRootPins): void {
  const options: SnpReportVerifierOptions = {
    refuseProducts: new Set(configuration.amd.refuseProducts),
    pins: servedPins(configuration, pins),
    lines: servedLines(configuration),
  };
  app.register(TOKENS.snpReportVerifierOptions, { useValue: options });
}

/** Registers the roots of TDX that count, SHA-256 of their SubjectPublicKeyInfo: likewise. */
export function useIntelRootPins(app: DependencyContainer, pins: ReadonlySet<string>): void {
  const options: TdQuoteVerifierOptions = { pins };
  app.register(TOKENS.tdQuoteVerifierOptions, { useValue: options });
}

function evidenceVerifiers(from: DependencyContainer): ReadonlyMap<EvidenceType, EvidenceVerifier> {
  const verifiers: readonly EvidenceVerifier[] = Object.values(EVIDENCE_VERIFIER_CLASSES).map((verifier) =>
    from.resolve(verifier as InjectionToken<EvidenceVerifier>),
  );
  return new Map(verifiers.map((verifier) => [verifier.evidenceType, verifier]));
}

/** What differs between the service, the command line and a replay. */
export type JudgingParts = Pick<
  VerifyEvidenceParts,
  'endorsements' | 'services' | 'tenants' | 'nonces' | 'early' | 'clock' | 'log'
> &
  Partial<VerifyEvidenceParts>;

/** Without more parts, decisions are neither signed nor recorded. */
const UNRECORDED = { receipts: null, recorder: null, keep: null, waits: NO_WAITS, tracer: NO_TRACER } as const;

/** The use case that judges, with the verifiers of a container. */
export function createVerifyEvidence(
  container: DependencyContainer,
  parts: JudgingParts,
  options: VerifyEvidenceOptions,
): VerifyEvidence {
  const verifiers = container.resolve<VerifyEvidenceParts['verifiers']>(TOKENS.evidenceVerifiers);
  return new VerifyEvidence(
    { ...UNRECORDED, verifiers, keyThumbprint: jwkThumbprint, newId: newDecisionId, ...parts },
    options,
  );
}

/** How requests are judged; only the service itself uses challenges up. */
export function verifyOptions(configuration: Configuration, consumesChallenges: boolean): VerifyEvidenceOptions {
  return {
    historical: configuration.historical,
    deadlineMs: configuration.deadlineSeconds * 1000,
    lifetimeMs: configuration.receipts.lifetimeSeconds * 1000,
    consumesChallenges,
  };
}
