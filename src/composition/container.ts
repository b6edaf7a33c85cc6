import 'reflect-metadata';
import {
  type DependencyContainer,
  container as globalContainer,
  type InjectionToken,
  instanceCachingFactory,
} from 'tsyringe';
import type { Configuration } from '../config/configuration.js';
import type { EvidenceType } from '../model/evidence.js';
import type { EvidenceVerifier } from '../model/verification.js';
import { InspectEvidence } from '../service/inspect-evidence.js';
import { KNOWN_PARAVISOR_ID_KEY_DIGESTS } from '../verifiers/azure-cvm/known-paravisors.js';
import { AmdSnpReportVerifier, type SnpReportVerifierOptions } from '../verifiers/snp/snp-report-verifier.js';
import { AMD_ROOT_PINS, type AmdRootPins } from '../verifiers/snp/trust-anchors.js';
import { RsaTpmQuoteVerifier } from '../verifiers/tpm/tpm-quote-verifier.js';
import { EVIDENCE_VERIFIER_CLASSES } from './evidence-verifiers.js';
import { TOKENS } from './tokens.js';

/** Changes registrations before anything is resolved. */
export type Override = (container: DependencyContainer) => void;

/** Classes that the container makes: each of their parameters carries a token. */
export const INJECTED_CLASSES = [
  ...Object.values(EVIDENCE_VERIFIER_CLASSES),
  AmdSnpReportVerifier,
  RsaTpmQuoteVerifier,
] as const;

/**
 * The verifiers and what they need. Starts from an empty child of the global container, so that two services in one
 * process share nothing.
 */
export function createAppContainer(
  configuration: Configuration,
  override: Override = () => undefined,
): DependencyContainer {
  const app = globalContainer.createChildContainer();
  useRootPins(app, configuration, AMD_ROOT_PINS);
  app.register(TOKENS.paravisorIdKeyDigests, {
    useValue: new Set([...KNOWN_PARAVISOR_ID_KEY_DIGESTS, ...configuration.azure.paravisors.idKeyDigests]),
  });
  app.register(TOKENS.snpReportVerifier, {
    useFactory: instanceCachingFactory((from) => from.resolve(AmdSnpReportVerifier)),
  });
  app.register(TOKENS.tpmQuoteVerifier, {
    useFactory: instanceCachingFactory((from) => from.resolve(RsaTpmQuoteVerifier)),
  });
  app.register(TOKENS.evidenceVerifiers, { useFactory: instanceCachingFactory(evidenceVerifiers) });
  app.register(TOKENS.inspectEvidence, { useFactory: instanceCachingFactory(() => new InspectEvidence()) });
  override(app);
  return app;
}

/** Registers the roots that count, in the place of those that did: for a lab. No configuration can. */
export function useRootPins(app: DependencyContainer, { amd }: Configuration, pins: AmdRootPins): void {
  const options: SnpReportVerifierOptions = { refuseProducts: new Set(amd.refuseProducts), pins };
  app.register(TOKENS.snpReportVerifierOptions, { useValue: options });
}

function evidenceVerifiers(from: DependencyContainer): ReadonlyMap<EvidenceType, EvidenceVerifier> {
  const verifiers: readonly EvidenceVerifier[] = Object.values(EVIDENCE_VERIFIER_CLASSES).map((verifier) =>
    from.resolve(verifier as InjectionToken<EvidenceVerifier>),
  );
  return new Map(verifiers.map((verifier) => [verifier.evidenceType, verifier]));
}
