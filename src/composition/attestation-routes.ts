import type { DependencyContainer } from 'tsyringe';
import { openAzureAttestation } from '../attestation-services/open-azure-attestation.js';
import type { Configuration } from '../config/configuration.js';
import type { AttestationService, TokenRoute } from '../model/attestation-service.js';
import type { EndorsementSource } from '../model/endorsement.js';
import type { EvidenceVerifier, TokenVerifier } from '../model/verification.js';
import { AttestationRoutes } from '../service/attestation-routes.js';
import type { EndorsementWorld } from './endorsements.js';
import { TOKENS } from './tokens.js';

/** Services that evidence may be sent to. */
export interface OpenAttestationServices {
  readonly services: ReadonlyMap<TokenRoute, AttestationService>;
  close(): Promise<void>;
}

/**
 * The other verifiers that the configuration names: without endpoints, evidence never leaves the service.
 * @throws {ConfigurationError} where the environment lacks what the credential needs
 */
export function openAttestationServices(
  { maa, deadlineSeconds }: Configuration,
  { clock, log, connect }: EndorsementWorld,
): OpenAttestationServices {
  const { endpoints, apiVersion, credential } = maa.submit;
  if (endpoints.length === 0) return { services: new Map(), close: async () => {} };
  const azure = openAzureAttestation({
    endpoints,
    apiVersion,
    identity: credential,
    deadlineMs: deadlineSeconds * 1000,
    environment: process.env,
    clock,
    log,
    ...(connect === undefined ? {} : { connect }),
  });
  return { services: new Map([['maa', azure]]), close: () => azure.close() };
}

/** Other verifiers' tokens, sent and made. */
export function createAttestationRoutes(
  container: DependencyContainer,
  services: OpenAttestationServices['services'],
  endorsements: EndorsementSource,
): AttestationRoutes {
  const verifiers = container.resolve<ReadonlyMap<string, EvidenceVerifier>>(TOKENS.evidenceVerifiers);
  const ofTokens = [...verifiers].filter((entry): entry is [string, TokenVerifier] => 'verifyToken' in entry[1]);
  return new AttestationRoutes(new Map(ofTokens), services, endorsements);
}
