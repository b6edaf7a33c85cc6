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
import type { MaaTokenVerifierOptions } from '../verifiers/maa/maa-token-verifier.js';
import { AmdSnpReportVerifier, type SnpReportVerifierOptions } from '../verifiers/snp/snp-report-verifier.js';
import { AMD_ROOT_PINS, type AmdRootPins } from '../verifiers/snp/trust-anchors.js';
import { RsaTpmQuoteVerifier } from '../verifiers/tpm/tpm-quote-verifier.js';
import type { ItaTokenVerifierOptions } from '../verifiers/trust-authority/ita-token-verifier.js';
import { EVIDENCE_VERIFIER_CLASSES } from './evidence-verifiers.js';
import { type IssuerRoots, itaIssuers, maaIssuers } from './token-issuers.js';
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
 *
 * @param itaRoots roots of Trust Authorities, read from the files of the configuration: without them, those that have some
 *   are not accepted
 */
export function createAppContainer(
  configuration: Configuration,
  override: Override = () => undefined,
  itaRoots: IssuerRoots = new Map(),
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
  const { tokenLeewaySeconds: leewaySeconds } = configuration.time;
  const ofMaa: MaaTokenVerifierOptions = { issuers: maaIssuers(configuration), leewaySeconds };
  const ofIta: ItaTokenVerifierOptions = { issuers: itaIssuers(configuration, itaRoots), leewaySeconds };
  app.register(TOKENS.maaTokenVerifierOptions, { useValue: ofMaa });
  app.register(TOKENS.itaTokenVerifierOptions, { useValue: ofIta });
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
