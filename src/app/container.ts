import 'reflect-metadata';
import { type DependencyContainer, container as globalContainer, instanceCachingFactory } from 'tsyringe';
import type { Configuration } from '../config/configuration.js';
import { NO_TRACER } from '../core/traces.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import { VerifyEvidence, type VerifyEvidenceOptions, type VerifyEvidenceParts } from '../judge/answer.js';
import { NO_WAITS } from '../judge/waits.js';
import { paravisorFloors } from '../tee/azure/known-paravisors.js';
import type { ItaTokenVerifierOptions } from '../tee/ita/ita-token-verifier.js';
import type { MaaTokenVerifierOptions } from '../tee/maa/maa-token-verifier.js';
import { evidenceVerifiers, type VerifierParts } from '../tee/registry.js';
import { type AkRoots, AZURE_VTPM_ROOT_PINS } from '../tee/shared/attestation-key/ak-roots.js';
import { AMD_ROOT_PINS, type AmdRootPins } from '../tee/snp/amd/roots.js';
import { AmdSnpReportVerifier, type SnpReportVerifierOptions } from '../tee/snp/snp-report-verifier.js';
import { INTEL_SGX_ROOT_PINS } from '../tee/tdx/intel/roots.js';
import { DcapTdQuoteVerifier, type TdQuoteVerifierOptions } from '../tee/tdx/td-quote-verifier.js';
import { Tpm2QuoteVerifier } from '../tee/tpm/tpm-quote-verifier.js';
import { InspectEvidence } from '../workbench/inspections.js';
import { servedLines, servedPins } from './amd-lines.js';
import { newDecisionId } from './decision-id.js';
import { TOKENS } from './injection-tokens.js';
import { type ConfiguredRoots, NO_CONFIGURED_ROOTS } from './reload/configured-roots.js';
import { itaIssuers, maaIssuers } from './token-issuers.js';

/** Changes registrations before anything is resolved. */
export type Override = (container: DependencyContainer) => void;

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
  app.register(TOKENS.snpReportVerifier, {
    useFactory: instanceCachingFactory(
      (from) => new AmdSnpReportVerifier(from.resolve(TOKENS.snpReportVerifierOptions)),
    ),
  });
  app.register(TOKENS.tdQuoteVerifier, {
    useFactory: instanceCachingFactory((from) => new DcapTdQuoteVerifier(from.resolve(TOKENS.tdQuoteVerifierOptions))),
  });
  app.register(TOKENS.tpmQuoteVerifier, { useFactory: instanceCachingFactory(() => new Tpm2QuoteVerifier()) });
  const { tokenLeewaySeconds: leewaySeconds } = configuration.time;
  const refuseProducts = new Set(configuration.amd.refuseProducts);
  const ofMaa: MaaTokenVerifierOptions = { issuers: maaIssuers(configuration), leewaySeconds, refuseProducts };
  const ofIta: ItaTokenVerifierOptions = { issuers: itaIssuers(configuration, roots), leewaySeconds };
  app.register(TOKENS.maaTokenVerifierOptions, { useValue: ofMaa });
  app.register(TOKENS.itaTokenVerifierOptions, { useValue: ofIta });
  const { eventLogBytes } = configuration.limits;
  app.register(TOKENS.evidenceVerifiers, {
    useFactory: instanceCachingFactory((from) => evidenceVerifiers({ ...verifierParts(from), eventLogBytes })),
  });
  const inspectEvidence = () => new InspectEvidence(eventLogBytes);
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

/** What verifiers are made of, as it is registered when the first of them is asked for. */
function verifierParts(from: DependencyContainer): Omit<VerifierParts, 'eventLogBytes'> {
  return {
    snpReports: from.resolve(TOKENS.snpReportVerifier),
    tdQuotes: from.resolve(TOKENS.tdQuoteVerifier),
    tpmQuotes: from.resolve(TOKENS.tpmQuoteVerifier),
    paravisorFloors: from.resolve(TOKENS.paravisorFloors),
    paravisorMrtds: from.resolve(TOKENS.paravisorMrtds),
    akRoots: from.resolve(TOKENS.akRoots),
    maaTokens: from.resolve(TOKENS.maaTokenVerifierOptions),
    itaTokens: from.resolve(TOKENS.itaTokenVerifierOptions),
  };
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
