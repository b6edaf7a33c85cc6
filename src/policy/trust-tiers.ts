import type { TrustTier } from '../model/decision.js';

/** Tier of a claim of the trustworthiness vector (AR4SI). A value outside the ranges says nothing good: `none`. */
export function tierOf(value: number): TrustTier {
  if (isWithin(value, 2, 31)) return 'affirming';
  if (isWithin(value, 32, 95)) return 'warning';
  return isWithin(value, 96, 127) ? 'contraindicated' : 'none';
}

/** Below zero the ranges begin one further out. */
function isWithin(value: number, least: number, most: number): boolean {
  return (value >= least && value <= most) || (value <= -least && value >= -most - 1);
}

/**
 * The tier of several together, never better than that of any. Each tier has its own condition: along an order
 * `warning` would hide `none`, or `none` would pass for the best.
 */
export function tierOfAll(tiers: readonly TrustTier[]): TrustTier {
  if (tiers.includes('contraindicated')) return 'contraindicated';
  if (tiers.length === 0 || tiers.includes('none')) return 'none';
  return tiers.includes('warning') ? 'warning' : 'affirming';
}
