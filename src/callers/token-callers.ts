import { Checks } from '../core/check.js';
import { OUT_OF_REACH_CHECKS } from '../core/checks/out-of-reach.js';
import { TOKEN_CHECKS } from '../core/checks/tokens.js';
import { type CredentialClock, requireReliable } from '../core/clock-doubt.js';
import type { Sourced, TokenKeySet, Unavailable } from '../core/endorsement.js';
import { FormatError, RefusedError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import type { Log } from '../core/ports.js';
import type { Caller } from '../core/request.js';
import {
  kidOf,
  type ReadToken,
  readToken,
  type TokenScheme,
  type TypeRules,
  verifyToken,
} from '../crypto/token/token-signature.js';
import { unauthorized } from './unauthorized.js';

/** A caller's token has no checks of a TEE. */
const TEXTS = { ...TOKEN_CHECKS, ...OUT_OF_REACH_CHECKS };

/** Keys of an issuer, from any source. */
export interface CallerKeys {
  /** Finds keys. Never throws if the source is unreachable. */
  find(kid: string, signal: AbortSignal): Promise<Sourced<TokenKeySet> | Unavailable>;
}

/** A caller with tokens. */
export interface TokenCaller {
  readonly caller: Caller;
  /** `aud` must be, or contain, one of them. */
  readonly audiences: readonly string[];
  readonly longestLifetimeSeconds: number;
  /** Returns why a verified token does not match this caller, for the operator; null if it does. */
  readonly lacks: (claims: JsonObject) => string | null;
}

/** An issuer with one source of keys, and the callers with its tokens. */
export interface CallerIssuer {
  /** `iss`, character by character. */
  readonly issuer: string;
  readonly keys: CallerKeys;
  /** At least one. */
  readonly callers: readonly TokenCaller[];
}

export interface TokenCallersParts {
  readonly issuers: readonly CallerIssuer[];
  readonly leewaySeconds: number;
  /** Longest wait for authentication. */
  readonly deadlineMs: number;
  readonly clock: CredentialClock;
  readonly log: Log;
}

/** Kubernetes writes no `typ`; access tokens have their own (RFC 9068, section 2.1), and some issuers write that of any JWS. */
const TYPES: TypeRules = { types: ['JWT', 'at+jwt', 'JOSE'], isOptional: true, asMediaType: true };

/** Longest wait for keys of an issuer. */
const KEYS_MS = 3_000;

/** Seconds until a retry if the issuer names none. */
const RETRY_SECONDS = 5;

const SCHEME: TokenScheme = {
  type: null,
  verifier: 'its issuer',
  issuerSettings: 'callers',
  keysSetting: 'keys of the caller',
  algorithms: ['RS256', 'ES256'],
};

/** The result for one source of keys: the callers of a token, or the reason why there is none. */
interface Found {
  readonly callers: readonly Caller[];
  /** Null if there are callers. */
  readonly refusal: RefusedError | null;
  /** Whether the keys are unreachable, and the token meets the requirements of one of their callers. */
  readonly mayBeAnother: boolean;
}

/** Callers with tokens of OpenID Connect issuers, and of clusters. */
export class TokenCallers {
  readonly #parts: TokenCallersParts;

  constructor(parts: TokenCallersParts) {
    this.#parts = parts;
  }

  /**
   * Returns the callers of a token. Verifies algorithm, issuer, key, signature, times and audience, then the requirements of each caller.
   * The answer states why a token is invalid; only the log names the unmet requirement.
   *
   * @returns at least one
   * @throws {RefusedError} `unauthorized`; `caller_keys_unavailable` if the keys of its issuer are unreachable; `clock` for a token
   *   that has not expired, while the clock is unreliable
   */
  async find(text: string): Promise<readonly Caller[]> {
    const token = readCallerToken(text);
    const issuers = this.#parts.issuers.filter(({ issuer }) => issuer === token.claims['iss']);
    if (issuers.length === 0) throw unauthorized('no caller has the issuer of this token');
    // Runs before the search for keys: with an unreliable clock, keys may be outdated.
    if (!this.#hasExpired(token)) requireReliable(this.#parts.clock);
    const outcomes = await Promise.all(issuers.map((issuer) => this.#verify(token, issuer)));
    const callers = outcomes.flatMap((outcome) => outcome.callers);
    // A token that matches two callers authenticates neither. With unreachable keys, a second match is possible.
    if (callers.length > 0 && !outcomes.some(({ mayBeAnother }) => mayBeAnother)) return callers;
    const refusals = outcomes.flatMap(({ refusal }) => refusal ?? []);
    // If one source of keys is unreachable, the token may still be valid.
    throw refusals.find(({ code }) => code !== 'unauthorized') ?? refusals[0];
  }

  async #verify(token: ReadToken, { issuer, keys, callers }: CallerIssuer): Promise<Found> {
    const checks = new Checks(TEXTS);
    const kid = kidOf(token);
    const found = kid === null ? null : await this.#inTime((signal) => keys.find(kid, signal));
    const verified = await verifyToken(checks, token, {
      scheme: SCHEME,
      issuer,
      issuers: [issuer],
      keys: found,
      at: this.#parts.clock.highest(),
      leewaySeconds: this.#parts.leewaySeconds,
      longestLifetimeSeconds: Math.max(...callers.map(({ longestLifetimeSeconds }) => longestLifetimeSeconds)),
      nbfIsOptional: true,
      audiences: callers.flatMap(({ audiences }) => audiences),
    }).catch(asRefusal);
    if (verified !== null && !(verified instanceof RefusedError)) return this.#matching(token, callers);
    const refusal = verified ?? tokenRefusal(checks, found);
    const isOutOfReach = refusal.code === 'caller_keys_unavailable';
    return {
      callers: [],
      refusal,
      mayBeAnother: isOutOfReach && callers.some((caller) => lackOf(token, caller) === null),
    };
  }

  #hasExpired({ times }: ReadToken): boolean {
    const { clock, leewaySeconds } = this.#parts;
    return clock.highest().getTime() >= (times.exp + leewaySeconds) * 1000;
  }

  async #inTime<T>(find: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const time = new AbortController();
    const timer = setTimeout(() => time.abort(), Math.min(KEYS_MS, this.#parts.deadlineMs));
    try {
      return await find(time.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #matching(token: ReadToken, callers: readonly TokenCaller[]): Found {
    const lacking = callers.map((caller) => [caller, lackOf(token, caller)] as const);
    const found = lacking.filter(([, lack]) => lack === null).map(([{ caller }]) => caller);
    if (found.length > 0) return { callers: found, refusal: null, mayBeAnother: false };
    const callersOfIssuer = lacking.map(([{ caller }, lack]) => ({ caller: caller.principal, lack }));
    this.#parts.log.info({ callers: callersOfIssuer }, 'a genuine token matches no caller');
    const refusal = unauthorized('the token is genuine but matches no caller: the log of the service has the reason');
    return { callers: [], refusal, mayBeAnother: false };
  }
}

/** @throws {RefusedError} `unauthorized` */
function readCallerToken(text: string): ReadToken {
  try {
    return readToken(text, TYPES);
  } catch (error) {
    throw asRefusal(error);
  }
}

/** Refuses a malformed token. @throws {unknown} everything else */
function asRefusal(error: unknown): RefusedError {
  if (error instanceof FormatError) return unauthorized(`the token is malformed: ${error.message}`);
  throw error;
}

function tokenRefusal(checks: Checks, keys: Sourced<TokenKeySet> | Unavailable | null): RefusedError {
  const wrong = checks.all.find(({ result }) => result !== 'pass');
  const detail = wrong?.detail ?? 'the token does not verify';
  if (wrong?.result !== 'unavailable') return unauthorized(detail);
  const retryAfterSeconds = keys !== null && 'code' in keys ? keys.retryAfterSeconds : undefined;
  return new RefusedError('caller_keys_unavailable', detail, { retryAfterSeconds: retryAfterSeconds ?? RETRY_SECONDS });
}

function lackOf(
  { claims, times }: ReadToken,
  { audiences, longestLifetimeSeconds, lacks }: TokenCaller,
): string | null {
  // A token may be for an audience of another caller of the same issuer, and so may its lifetime.
  if (![claims['aud']].flat().some((name) => audiences.includes(String(name)))) return 'an audience of this caller';
  const lifetime = times.exp - (times.iat ?? Number.NEGATIVE_INFINITY);
  if (lifetime > longestLifetimeSeconds) return `a lifetime of at most ${longestLifetimeSeconds} seconds`;
  // A token that says which key its holder has to prove is worth nothing without that proof (RFC 7800).
  return claims['cnf'] === undefined ? lacks(claims) : 'a bearer token: it is bound to a key';
}
