import type { Checks } from '../../core/check.js';
import { FormatError } from '../../core/errors.js';
import type { JsonObject, JsonValue } from '../../core/json.js';

/** Times of a token, in seconds since 1970. `iat` and `nbf` are null if absent, which checks report. */
export interface TokenTimes {
  readonly exp: number;
  readonly iat: number | null;
  readonly nbf: number | null;
}

export interface TimeRules {
  readonly at: Date;
  readonly leewaySeconds: number;
  /** Most seconds between issue and expiry. */
  readonly longestLifetimeSeconds: number;
  /** Whether `nbf` is optional: RFC 7519 leaves it to the issuer. */
  readonly nbfIsOptional: boolean;
}

/** The end of the year 9999: later times have no RFC 3339 form. */
const LAST_SECOND = 253_402_300_799;

/** @throws {FormatError} `token_claim` for times out of range, or a missing `exp` */
export function readTimes(claims: JsonObject): TokenTimes {
  const exp = timeClaim(claims, 'exp');
  if (exp === null) throw new FormatError('token_claim', 'the token has no exp');
  return { exp, iat: timeClaim(claims, 'iat'), nbf: timeClaim(claims, 'nbf') };
}

/**
 * Checks the lifetime of a token, and whether it is valid at the verification time.
 *
 * @returns the times as they show the issuer's clock; null if the token is not valid, which the checks explain
 */
export function verifyTimes(
  checks: Checks,
  times: TokenTimes,
  { at, leewaySeconds, longestLifetimeSeconds, nbfIsOptional }: TimeRules,
): { readonly clockSkewSeconds: number | null } | null {
  const now = at.getTime() / 1000;
  const { exp, iat } = times;
  const nbf = times.nbf ?? (nbfIsOptional ? iat : null);
  const lifetime = checks.require(iat === null || exp - iat <= longestLifetimeSeconds, 'token_lifetime', {
    expected: longestLifetimeSeconds,
    actual: iat === null ? null : exp - iat,
  });
  const problem = timeProblem(exp, iat, nbf, now, leewaySeconds);
  const current = checks.require(problem === null, 'token_time', {
    expected: at.toISOString(),
    actual: { iat, nbf: times.nbf, exp },
    otherwise: problem ?? '',
  });
  return lifetime && current ? { clockSkewSeconds: skewOf(exp, iat ?? now, nbf ?? now, now) } : null;
}

function timeProblem(
  exp: number,
  iat: number | null,
  nbf: number | null,
  now: number,
  leewaySeconds: number,
): string | null {
  if (iat === null || nbf === null) return 'the token does not say when it was issued, or from when it is valid';
  if (nbf >= exp || iat > exp) return 'the token ends before it begins';
  if (now >= exp + leewaySeconds) return 'the token has expired';
  if (nbf > now + leewaySeconds) return 'the token is not yet valid';
  return iat > now + leewaySeconds ? 'the token was issued in the future' : null;
}

function skewOf(exp: number, iat: number, nbf: number, now: number): number | null {
  const ahead = Math.max(iat, nbf) - now;
  if (ahead > 0) return Math.ceil(ahead);
  return now >= exp ? Math.floor(exp - now) : null;
}

function timeClaim(claims: JsonObject, name: 'exp' | 'iat' | 'nbf'): number | null {
  const value: JsonValue | undefined = claims[name];
  if (value === undefined) return null;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > LAST_SECOND) {
    throw new FormatError('token_claim', `${name} is not a whole number of seconds since 1970`);
  }
  return value;
}
