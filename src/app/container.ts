import 'reflect-metadata';
import { type DependencyContainer, container as globalContainer, instanceCachingFactory } from 'tsyringe';
import type { Configuration } from '../config/configuration.js';
import { NO_TRACER } from '../core/traces.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import { VerifyEvidence, type VerifyEvidenceOptions, type VerifyEvidenceParts } from '../judge/verify-evidence.js';
import { NO_WAITS } from '../judge/waits.js';
import { paravisorFloors } from '../tee/azure/known-paravisors.js';
import { AZURE_VTPM_ROOT_PINS } from '../tee/shared/attestation-key/ak-roots.js';
import type { AmdRootPins } from '../tee/snp/amd/roots.js';
import type { VerifierOptions } from '../tee/verifier-options.js';
import { createVerifiers } from '../tee/verifiers.js';
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
  app.register(TOKENS.verifierOptions, { useValue: verifierOptions(configuration, roots) });
  app.register(TOKENS.evidenceVerifiers, {
    useFactory: instanceCachingFactory((from) => createVerifiers(from.resolve(TOKENS.verifierOptions))),
  });
  const inspectEvidence = () => new InspectEvidence(configuration.limits.eventLogBytes);
  app.register(TOKENS.inspectEvidence, { useFactory: instanceCachingFactory(inspectEvidence) });
  override(app);
  return app;
}

/** The trust anchors, floors and limits of a configuration. */
function verifierOptions(configuration: Configuration, roots: ConfiguredRoots): VerifierOptions {
  const { paravisors } = configuration.azure;
  const { akCertificates } = paravisors;
  return {
    amdLines: servedLines(configuration),
    amdPins: servedPins(configuration),
    refuseProducts: new Set(configuration.amd.refuseProducts),
    akRoots: {
      azure: AZURE_VTPM_ROOT_PINS,
      get configured() {
        return roots.ak;
      },
      paravisorsSince: akCertificates === 'off' ? null : new Date(akCertificates),
    },
    paravisorFloors: paravisorFloors(paravisors.idKeyDigests),
    // Microsoft publishes none.
    paravisorMrtds: new Set(paravisors.mrtds),
    maaIssuers: maaIssuers(configuration),
    itaIssuers: itaIssuers(configuration, roots),
    tokenLeewaySeconds: configuration.time.tokenLeewaySeconds,
    eventLogBytes: configuration.limits.eventLogBytes,
  };
}

/**
 * Replaces the roots of the built-in product lines that count: for a lab. A configuration adds those of its own lines, and
 * changes none of these.
 */
export function useRootPins(app: DependencyContainer, configuration: Configuration, pins: AmdRootPins): void {
  changeVerifierOptions(app, { amdPins: servedPins(configuration, pins) });
}

/** Replaces the roots of TDX that count, SHA-256 of their SubjectPublicKeyInfo: for a lab. */
export function useIntelRootPins(app: DependencyContainer, pins: ReadonlySet<string>): void {
  changeVerifierOptions(app, { intelPins: pins });
}

function changeVerifierOptions(app: DependencyContainer, change: VerifierOptions): void {
  const options = app.resolve<VerifierOptions>(TOKENS.verifierOptions);
  app.register(TOKENS.verifierOptions, { useValue: { ...options, ...change } });
}

/** The differences between the service, the command line and a replay. */
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
