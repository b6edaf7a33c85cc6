import type { Configuration } from '../config/configuration.js';
import type { Environment } from '../config/environment.js';
import type { TokenRoute } from '../core/evidence.js';
import type { AttestationService } from '../core/verification.js';
import type { AzureAttestation } from '../outside/attestation-services/azure-attestation.js';
import type { OpenServiceOptions } from '../outside/attestation-services/open-services.js';
import type { TrustAuthority } from '../outside/attestation-services/trust-authority.js';
import type { EndorsementOptions } from './endorsements.js';

/** Services that evidence may be sent to. */
export interface OpenAttestationServices {
  readonly services: ReadonlyMap<TokenRoute, AttestationService>;
  close(): Promise<void>;
}

/**
 * The other verifiers that the configuration names. If it names none, evidence never leaves the service.
 * @param environment source of workload identity settings that the configuration omits
 * @throws {ConfigurationError} if the environment lacks a setting of the credential
 */
export async function openAttestationServices(
  configuration: Configuration,
  { clock, log, connect, observer }: EndorsementOptions,
  environment: Environment = process.env,
): Promise<OpenAttestationServices> {
  const shared = { deadlineMs: configuration.deadlineSeconds * 1000, clock, log, observer, connect };
  const opened = [await openMaa(configuration, shared, environment), await openIta(configuration, shared)].filter(
    (service) => service !== null,
  );
  return {
    services: new Map(opened.map((service) => [service.route, service])),
    close: async () => {
      await Promise.all(opened.map((service) => service.close()));
    },
  };
}

async function openMaa(
  { maa }: Configuration,
  shared: OpenServiceOptions,
  environment: Environment,
): Promise<AzureAttestation | null> {
  const { endpoints, apiVersion, credential } = maa.submit;
  if (endpoints.length === 0) return null;
  const { openAzureAttestation } = await import('../outside/attestation-services/open-services.js');
  return openAzureAttestation({ ...shared, endpoints, apiVersion, identity: credential, environment });
}

async function openIta({ ita, time }: Configuration, shared: OpenServiceOptions): Promise<TrustAuthority | null> {
  if (ita.submit === null) return null;
  const issuers = issuersOf(ita.submit.api, ita.issuers);
  const { openTrustAuthority } = await import('../outside/attestation-services/open-services.js');
  return openTrustAuthority({ ...shared, ...ita.submit, issuers, leewaySeconds: time.tokenLeewaySeconds });
}

/** Issuers whose key set the portal of an API serves. Intel names them api.… and portal.…, region by region. */
function issuersOf(api: string, issuers: Configuration['ita']['issuers']): ReadonlySet<string> {
  const portal = api.replace('https://api.', 'https://portal.');
  return new Set(issuers.filter(({ keys }) => keys.startsWith(`${portal}/`)).map(({ issuer }) => issuer));
}
