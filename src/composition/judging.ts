import type { DependencyContainer } from 'tsyringe';
import type { Configuration } from '../config/configuration.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import { isTokenType } from '../model/evidence-traits.js';
import { TOKENS } from '../model/injection-tokens.js';
import type { EvidenceVerifier, TokenVerifier } from '../model/verification.js';
import { AttestationRoutes } from '../service/attestation-routes.js';
import { VerifyEvidence, type VerifyEvidenceOptions, type VerifyEvidenceParts } from '../service/verify-evidence.js';
import type { OpenAttestationServices } from './attestation-services.js';
import { newDecisionId } from './decision-id.js';

/** What differs between the service and the command line. */
export interface JudgingParts
  extends Pick<VerifyEvidenceParts, 'endorsements' | 'policies' | 'nonces' | 'clock' | 'log'> {
  readonly services: OpenAttestationServices['services'];
}

/** The use case that judges, with the verifiers of a container. */
export function createVerifyEvidence(
  container: DependencyContainer,
  { services, ...parts }: JudgingParts,
  options: VerifyEvidenceOptions,
): VerifyEvidence {
  const verifiers = container.resolve<ReadonlyMap<string, EvidenceVerifier>>(TOKENS.evidenceVerifiers);
  const ofTokens = [...verifiers].filter((entry): entry is [string, TokenVerifier] => isTokenVerifier(entry[1]));
  const attestationRoutes = new AttestationRoutes(new Map(ofTokens), services, parts.endorsements);
  return new VerifyEvidence(
    { ...parts, verifiers, attestationRoutes, keyThumbprint: jwkThumbprint, newId: newDecisionId },
    options,
  );
}

/** What verifies a type of token has all that a verifier of tokens has. */
function isTokenVerifier(verifier: EvidenceVerifier): verifier is TokenVerifier {
  return isTokenType(verifier.evidenceType);
}

/** How requests are judged; only the service itself uses challenges up. */
export function verifyOptions(configuration: Configuration, consumesChallenges: boolean): VerifyEvidenceOptions {
  return {
    defaultPolicy: configuration.policies.default,
    historical: configuration.historical,
    deadlineMs: configuration.deadlineSeconds * 1000,
    lifetimeMs: configuration.receipts.lifetimeSeconds * 1000,
    consumesChallenges,
  };
}
