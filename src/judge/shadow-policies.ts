import type { ShadowResult } from '../core/decision.js';
import type { Log } from '../core/ports.js';
import { tracksResets } from '../policy/appraise/vtpm-resets.js';
import { type Appraised, appraiseUnder, resetsFor, shadowResult } from './appraisals.js';
import type { Inquiry } from './inquiry.js';
import type { JoinedVerification } from './join.js';
import type { NoncedTerms } from './nonces.js';

const NONE: readonly ShadowResult[] = [];

/**
 * Appraises under the policies of `policies.shadow`. Reset counts are read and not advanced, and no token is requested for
 * these policies. Never rejects: no result here may change a decision.
 */
export async function appraiseShadow(
  terms: NoncedTerms,
  joined: JoinedVerification,
  decided: Pick<Appraised, 'resets'>,
  inquiry: Inquiry,
  log: Log,
): Promise<readonly ShadowResult[]> {
  const { shadow, policies, historical } = terms;
  if (shadow.length === 0) return NONE;
  try {
    // The counts of the decision serve here as well, so that a request reads them once. An allow has advanced them to those of
    // this quote since, which gives the same outcome.
    const areRead = historical || policies.some(tracksResets);
    const resets = areRead ? decided.resets : await resetsFor(shadow, terms, joined, inquiry);
    const ground = { collateral: 'standard', expectedFrom: null } as const;
    return appraiseUnder(shadow, terms, joined, resets).map((appraisal) => shadowResult(appraisal, ground));
  } catch (error) {
    log.error({ err: error }, 'not judged by the policies of policies.shadow');
    return NONE;
  }
}
