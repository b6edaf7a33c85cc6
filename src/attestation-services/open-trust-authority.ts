import type { buildConnector } from 'undici';
import type { Clock, Log } from '../model/ports.js';
import { BoundedExchange } from '../outgoing/bounded-exchange.js';
import { type BreakerOptions, DEFAULT_BREAKER } from '../outgoing/origin-breaker.js';
import type { OriginObserver } from '../outgoing/outages.js';
import { EndpointHealth } from '../outgoing/throttling.js';
import { DEFAULT_TURNS, SubmissionTurns, type TurnLimits } from './submission-turns.js';
import { TrustAuthority } from './trust-authority.js';
import type { AppraisalOptions } from './trust-authority-request.js';

export interface OpenTrustAuthorityOptions extends AppraisalOptions {
  /** Origin of its interface. */
  readonly api: string;
  readonly apiKeyFile: string;
  /** Time of a request. */
  readonly deadlineMs: number;
  /** Leeway for the clock of the service. */
  readonly leewaySeconds: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Hears of each attempt to contact an origin. */
  readonly observer?: OriginObserver | undefined;
  /** Options of TLS and socket, for tests. */
  readonly connect?: buildConnector.BuildOptions | undefined;
  readonly health?: BreakerOptions;
  readonly turns?: TurnLimits;
}

/** Puts the parts together. Contacts nobody. */
export function openTrustAuthority(options: OpenTrustAuthorityOptions): TrustAuthority {
  const { api, apiKeyFile, deadlineMs, leewaySeconds, clock, log, connect, observer } = options;
  const { policyIds, policyMustMatch, signingAlgorithm, health = DEFAULT_BREAKER, turns = DEFAULT_TURNS } = options;
  return new TrustAuthority({
    api,
    apiKeyFile,
    appraisal: { policyIds, policyMustMatch, signingAlgorithm },
    leewaySeconds,
    exchange: new BoundedExchange({
      origins: [api],
      attemptTimeoutMs: deadlineMs,
      observer,
      connect,
    }),
    health: new EndpointHealth(clock, health),
    turns: new SubmissionTurns(turns),
    clock,
    log,
  });
}
