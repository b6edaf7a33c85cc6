import type { AzureIdentity } from '../../core/azure-identity.js';
import type { Clock, Log } from '../../core/ports.js';
import type { ConnectOptions } from '../bounded-agent.js';
import { BoundedExchange } from '../bounded-exchange.js';
import type { BreakerOptions } from '../origin-breaker.js';
import type { OriginObserver } from '../outages.js';
import { EndpointHealth } from '../throttling.js';
import { AzureCredential } from './azure-credential.js';
import { completeIdentity, EntraTokens, type Environment } from './entra-tokens.js';

export interface OpenCredentialOptions {
  readonly identity: AzureIdentity;
  /** Variables from which workload identity completes the configuration. */
  readonly environment: Environment;
  /** The scope of the tokens, such as `https://attest.azure.net/.default`. */
  readonly scope: string;
  readonly health: BreakerOptions;
  /** Longest time of one request to Entra or the managed identity. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each attempt to contact an origin. */
  readonly observer?: OriginObserver | undefined;
  readonly connect?: ConnectOptions | undefined;
}

/** Longest time of one request to Entra or the managed identity, unless a test shortens it. */
export const CREDENTIAL_TIMEOUT_MS = 5_000;

/**
 * Creates the credential. Contacts no server. Loads the library, so that a missing library is reported at the start.
 * @throws {ConfigurationError} if the environment lacks a value of the identity
 */
export async function openCredential(options: OpenCredentialOptions): Promise<AzureCredential> {
  const { environment, scope, health, timeoutMs, clock, log, observer, connect } = options;
  const identity = completeIdentity(options.identity, environment);
  const isManaged = identity.kind === 'managed-identity';
  const exchange = new BoundedExchange({
    origins: isManaged ? null : [identity.authority],
    attemptTimeoutMs: timeoutMs,
    observer,
    // The environment names the endpoint. A proxy in between would return the identity of its own machine.
    connect: isManaged ? { ...connect, proxy: undefined } : connect,
  });
  const source = new EntraTokens({ library: await import('@azure/identity'), identity, scope, exchange, clock });
  return new AzureCredential({ source, health: new EndpointHealth(clock, health), clock, log });
}
