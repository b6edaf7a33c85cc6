import type { ShadowResult } from '../core/decision.js';
import type { Log } from '../core/ports.js';
import type { RememberedResets } from '../core/vtpm-resets.js';
import { trackedVtpm, tracksResets } from '../policy/appraise/vtpm-resets.js';
import { appraiseUnder, NOT_READ, shadowResult } from './appraisals.js';
import type { Inquiry } from './inquiry.js';
import type { Judged } from './join.js';
import type { NoncedTerms } from './nonces.js';

const NONE: readonly ShadowResult[] = [];

/**
 * Appraises under the policies that are judged beside the decision. Reset counts are read and not noted, and no token is
 * requested for these policies. Never rejects: nothing of it may change a decision.
 */
export async function judgeBeside(
  terms: NoncedTerms,
  judged: Judged,
  inquiry: Inquiry,
  log: Log,
): Promise<readonly ShadowResult[]> {
  if (terms.shadow.length === 0) return NONE;
  try {
    const resets = await resetsOf(terms, judged, inquiry);
    const ground = { collateral: 'standard', expectedFrom: null } as const;
    return appraiseUnder(terms.shadow, terms, judged, resets).map((appraisal) => shadowResult(appraisal, ground));
  } catch (error) {
    log.error({ err: error }, 'not judged by the policies of policies.shadow');
    return NONE;
  }
}

async function resetsOf(
  { shadow, historical, resets }: NoncedTerms,
  { verification }: Judged,
  inquiry: Inquiry,
): Promise<RememberedResets> {
  if (historical) return { state: 'not consulted' };
  const vtpm = shadow.some(tracksResets) ? trackedVtpm(verification) : null;
  if (vtpm === null) return NOT_READ;
  return inquiry.ask(
    'remembered',
    () => vtpm.akThumbprint,
    () => resets.remembered(vtpm),
  );
}
