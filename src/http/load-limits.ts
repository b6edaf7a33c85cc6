import type { RateLimitPluginOptions } from '@fastify/rate-limit';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RefusedError } from '../core/errors.js';

/**
 * Refuses a request if the event loop is late.
 *
 * An infinite delay means a failed measurement, as after a pause of the whole machine. It is no reason to refuse.
 *
 * @throws {RefusedError} `overloaded`
 */
export function refuseLate(delayMs: number | undefined): void {
  if (delayMs === Number.POSITIVE_INFINITY) return;
  throw new RefusedError('overloaded', 'the service is busy', { retryAfterSeconds: 1 });
}

/** Requests a minute. */
export interface RateLimits {
  /** For one principal. Other limits shed load: this one keeps a caller from crowding out the others. */
  readonly perPrincipal: number;
  /** For public pages, from one address. */
  readonly perAddress: number;
  /** Failed authentications from one address. Further ones are answered with `rate_limited`. */
  readonly failuresPerAddress: number;
  /** For gates, from one address: the address of a proxy, which sends requests for all of its clients. */
  readonly gatesPerAddress: number;
}

export const DEFAULT_RATE_LIMITS: RateLimits = {
  perPrincipal: 600_000,
  perAddress: 600,
  failuresPerAddress: 20,
  gatesPerAddress: 60_000,
};

const MINUTE_MS = 60_000;

const NO_HEADERS = { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false };

/** Counts requests by principal, those of public routes by address. */
export function registerRateLimits(application: FastifyInstance, limits: RateLimits): void {
  const options: RateLimitPluginOptions = {
    timeWindow: MINUTE_MS,
    max: (request) => (request.caller === null ? limits.perAddress : limits.perPrincipal),
    keyGenerator: (request) => (request.caller === null ? addressOf(request) : principalOf(request)),
    addHeaders: { ...NO_HEADERS, 'retry-after': false },
    addHeadersOnExceeding: NO_HEADERS,
    // The plugin throws this object; its type says `object`.
    errorResponseBuilder: (_request, context) => tooMany(context.ttl),
  };
  application.register(rateLimit, options);
}

/** A rate that is counted separately. */
export interface OwnRate {
  /** @throws {RefusedError} `rate_limited` */
  take(request: FastifyRequest): Promise<void>;
}

/** Counts failed authentications by address. Call it after `registerRateLimits`. */
export function failureRate(application: FastifyInstance, limits: RateLimits): OwnRate {
  return oneByOne(application.createRateLimit({ max: limits.failuresPerAddress, keyGenerator: addressOf }));
}

/** Counts requests at gates by address, separately from other public routes. Call it after `registerRateLimits`. */
export function gateRate(application: FastifyInstance, limits: RateLimits): OwnRate {
  return oneByOne(application.createRateLimit({ max: limits.gatesPerAddress, keyGenerator: addressOf }));
}

function oneByOne(count: ReturnType<FastifyInstance['createRateLimit']>): OwnRate {
  // The plugin reuses its state of a request for the next one, so requests take turns.
  let before: Promise<unknown> = Promise.resolve();
  return {
    take: async (request) => {
      const turn = before.then(() => count(request));
      before = turn.catch(() => undefined);
      const state = await turn;
      if (!state.isAllowed && state.isExceeded) throw tooMany(state.ttl);
    },
  };
}

function principalOf(request: FastifyRequest): string {
  return `principal ${request.caller?.principal}`;
}

function addressOf(request: FastifyRequest): string {
  return `address ${rateLimit.normalizeIP(request.ip)}`;
}

function tooMany(ttlMs: number): RefusedError {
  return new RefusedError('rate_limited', 'too many requests', { retryAfterSeconds: Math.ceil(ttlMs / 1000) });
}
