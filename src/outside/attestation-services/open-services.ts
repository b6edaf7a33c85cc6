import type { AzureIdentity } from '../../core/azure-identity.js';
import type { TurnLimits } from '../../core/fair-queue.js';
import type { Clock, Log } from '../../core/ports.js';
import type { Environment } from '../azure-identity/entra-tokens.js';
import { CREDENTIAL_TIMEOUT_MS, openCredential } from '../azure-identity/open-credential.js';
import type { ConnectOptions } from '../bounded-agent.js';
import { BoundedExchange } from '../bounded-exchange.js';
import { Turns } from '../fair-turns.js';
import { type BreakerOptions, DEFAULT_BREAKER } from '../origin-breaker.js';
import type { OriginObserver } from '../outages.js';
import { EndpointHealth } from '../throttling.js';
import { AzureAttestation } from './azure-attestation.js';
import { type AppraisalOptions, TrustAuthority } from './trust-authority.js';

/** Times and sizes. The defaults are for production; tests shorten them. */
export interface AttestationTuning {
  readonly health: BreakerOptions;
  /** Longest time of one request to Entra or the managed identity. */
  readonly credentialTimeoutMs: number;
  readonly turns: TurnLimits;
}

const DEFAULT_TURNS: TurnLimits = { concurrent: 8, queued: 64 };

const DEFAULT_TUNING: AttestationTuning = {
  health: DEFAULT_BREAKER,
  credentialTimeoutMs: CREDENTIAL_TIMEOUT_MS,
  turns: DEFAULT_TURNS,
};

/** The dependencies of every service. */
export interface OpenServiceOptions {
  /** Time of a request: each of several endpoints gets its share, so that the last one still has time. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each attempt to contact an origin. */
  readonly observer?: OriginObserver | undefined;
  readonly connect?: ConnectOptions | undefined;
}

export interface OpenAzureAttestationOptions extends OpenServiceOptions {
  /** Origins of the instances, at least one, in the order of the calls. */
  readonly endpoints: readonly string[];
  readonly apiVersion: string;
  /** Null: no token is sent. */
  readonly identity: AzureIdentity | null;
  /** Variables from which workload identity completes the configuration. */
  readonly environment: Environment;
  readonly tuning?: Partial<AttestationTuning>;
}

const SCOPE = 'https://attest.azure.net/.default';

/**
 * Creates the client. Contacts no server.
 * @throws {ConfigurationError} if the environment lacks a value of the identity
 */
export async function openAzureAttestation(options: OpenAzureAttestationOptions): Promise<AzureAttestation> {
  const { endpoints, apiVersion, identity, deadlineMs, clock, log, connect, observer } = options;
  const { health, credentialTimeoutMs: timeoutMs, turns } = { ...DEFAULT_TUNING, ...options.tuning };
  return new AzureAttestation({
    endpoints: endpoints.map((origin) => ({ origin, health: new EndpointHealth(clock, health) })),
    apiVersion,
    exchange: new BoundedExchange({
      origins: endpoints,
      attemptTimeoutMs: deadlineMs / endpoints.length,
      observer,
      connect,
    }),
    credential:
      identity === null ? null : await openCredential({ ...options, identity, scope: SCOPE, health, timeoutMs }),
    turns: new Turns(turns, 'submissions'),
    log,
  });
}

export interface OpenTrustAuthorityOptions extends OpenServiceOptions, AppraisalOptions {
  /** Origin of its interface. */
  readonly api: string;
  readonly apiKeyFile: string;
  /** `iss` of its tokens. */
  readonly issuers: ReadonlySet<string>;
  /** Leeway for the clock of the service. */
  readonly leewaySeconds: number;
  readonly health?: BreakerOptions;
  readonly turns?: TurnLimits;
}

/** Creates the client. Contacts no server. */
export function openTrustAuthority(options: OpenTrustAuthorityOptions): TrustAuthority {
  const { api, apiKeyFile, issuers, deadlineMs, leewaySeconds, clock, log, connect, observer } = options;
  const { policyIds, policyMustMatch, signingAlgorithm, health = DEFAULT_BREAKER, turns = DEFAULT_TURNS } = options;
  return new TrustAuthority({
    api,
    apiKeyFile,
    issuers,
    appraisal: { policyIds, policyMustMatch, signingAlgorithm },
    leewaySeconds,
    exchange: new BoundedExchange({
      origins: [api],
      attemptTimeoutMs: deadlineMs,
      observer,
      connect,
    }),
    health: new EndpointHealth(clock, health),
    turns: new Turns(turns, 'submissions'),
    clock,
    log,
  });
}
