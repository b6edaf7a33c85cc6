import { latest } from '../../core/earliest.js';
import type { Unavailable } from '../../core/endorsement.js';
import { FormatError, UnfitError } from '../../core/errors.js';
import { boundedSeconds, FetchError } from '../../outside/fetch-error.js';
import { hasEnded, type IntelCollateral, windowOfAll } from '../../tee/tdx/intel/collateral-parts.js';
import type { FetchedSourceName } from './collateral-cache.js';
import { type CollateralMarks, isUnknown } from './collateral-memory.js';

const NAMES: Readonly<Record<FetchedSourceName, string>> = { pcs: 'the Intel PCS', thim: 'the Azure cache' };

/** Why the available collateral cannot be used at a verification time. */
export function missing(held: readonly IntelCollateral[], at: Date): Unavailable {
  const ended = held
    .filter((collateral) => hasEnded(collateral, at))
    .map((collateral) => windowOfAll(collateral).until);
  if (ended.length > 0) {
    const detail = `TDX collateral is past its next update, ${latest(ended).toISOString()}`;
    return { code: 'collateral_stale', detail, retryable: true };
  }
  const detail =
    held.length > 0 ? 'TDX collateral was issued after the verification time' : 'no TDX collateral for this platform';
  return { code: 'collateral_unavailable', detail, retryable: held.length > 0 };
}

/** @param marks the compared marks */
export function rolledBack(marks: readonly CollateralMarks[]): Unavailable {
  const older = 'TDX collateral is older than what was fetched or imported before';
  const unknown = `whether ${older} is not known: the rollback mark in the cache folder is damaged or cannot be read`;
  return { code: 'collateral_rollback', detail: marks.some(isUnknown) ? unknown : older, retryable: true };
}

/** The problem of a service's answer. */
export function ofService(problem: Unavailable, name: FetchedSourceName): Unavailable {
  return { ...problem, detail: unusable(name, problem.detail) };
}

/** Collateral of another time does not change that the cached one expired: the code stays. */
export function notCurrent(because: Unavailable, fetched: Unavailable, name: FetchedSourceName): Unavailable {
  const said = ofService(fetched, name);
  if (because.code !== 'collateral_stale' || fetched.code === 'collateral_stale') return said;
  return { ...because, detail: `${because.detail}; ${said.detail}` };
}

function unusable(name: FetchedSourceName, why: string): string {
  return `the answer of ${NAMES[name]} cannot be used: ${why}`;
}

/**
 * Returns why a service supplied nothing usable. An unknown platform is permanent (`retryable: false`); every other
 * problem may be temporary.
 *
 * @param because the reason for the call
 * @throws {unknown} an error other than of the network or the received data
 */
export function serviceProblem(because: Unavailable, name: FetchedSourceName, error: unknown): Unavailable {
  const { code, detail } = because;
  if (error instanceof FetchError) {
    // Newer collateral may replace an expired or rolled back set at any time.
    const retryable = !error.notFound || code !== 'collateral_unavailable';
    const problem: Unavailable = { code, detail: `${detail}: ${NAMES[name]}: ${error.message}`, retryable };
    if (error.retryAfterMs === null) return problem;
    return { ...problem, retryAfterSeconds: boundedSeconds(error.retryAfterMs) };
  }
  if (error instanceof UnfitError || error instanceof FormatError) {
    return { code, detail: `${detail}: ${unusable(name, error.message)}`, retryable: true };
  }
  throw error;
}
