import type { buildConnector } from 'undici';
import type { AzureIdentity } from '../model/azure-identity.js';
import type { Clock, Log } from '../model/ports.js';
import { BoundedExchange } from '../outgoing/bounded-exchange.js';
import type { BreakerOptions } from '../outgoing/origin-breaker.js';
import type { OriginObserver } from '../outgoing/outages.js';
import { EndpointHealth } from '../outgoing/throttling.js';
import { AzureCredential } from './azure-credential.js';
import { completeIdentity, EntraTokens, type Environment } from './entra-tokens.js';

export interface OpenCredentialOptions {
  readonly identity: AzureIdentity;
  /** Where workload identity finds what the configuration does not say. */
  readonly environment: Environment;
  /** What the tokens are for, such as `https://attest.azure.net/.default`. */
  readonly scope: string;
  readonly health: BreakerOptions;
  /** Longest time of one question to Entra or the managed identity. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Hears of each attempt to contact an origin. */
  readonly observer?: OriginObserver | undefined;
  /** Options of TLS and socket, for tests. */
  readonly connect?: buildConnector.BuildOptions | undefined;
}

/** Longest time of one question to Entra or the managed identity, unless a test shortens it. */
export const CREDENTIAL_TIMEOUT_MS = 5_000;

/**
 * Puts the parts together. Contacts nobody.
 * @throws {ConfigurationError} where the environment lacks what the identity needs
 */
export function openCredential(options: OpenCredentialOptions): AzureCredential {
  const { environment, scope, health, timeoutMs, clock, log, observer, connect } = options;
  const identity = completeIdentity(options.identity, environment);
  const exchange = new BoundedExchange({
    origins: identity.kind === 'managed-identity' ? null : [identity.authority],
    attemptTimeoutMs: timeoutMs,
    observer,
    connect,
  });
  const source = new EntraTokens({ identity, scope, exchange, clock });
  return new AzureCredential({ source, health: new EndpointHealth(clock, health), clock, log });
}
