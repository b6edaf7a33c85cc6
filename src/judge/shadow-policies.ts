import type { ShadowResult } from '../core/decision.js';
import type { Log } from '../core/ports.js';
import { tracksResets } from '../policy/appraise/vtpm-resets.js';
import { type Appraised, appraiseUnder, resetsFor, shadowResult } from './appraisals.js';
import type { EarlyCollateralShadow, VerifiedRequest } from './early-collateral.js';
import type { Inquiry } from './inquiry.js';
import type { JoinedVerification } from './join.js';
import type { NoncedTerms } from './nonces.js';

const NONE: readonly ShadowResult[] = [];

export interface ShadowParts {
  /** Null: there is no early collateral of Intel. */
  readonly early: Pick<EarlyCollateralShadow, 'judge'> | null;
  readonly log: Log;
}

/** The verification at the deadline. */
export interface VerifiedInTime {
  readonly joined: JoinedVerification;
  /** Null if the verification did not finish. */
  readonly verified: VerifiedRequest | null;
}

/**
 * Results beside the decision, under shadow policies and with early collateral. Never rejects: none of them may change
 * a decision.
 */
export async function shadowResults(
  { early, log }: ShadowParts,
  terms: NoncedTerms,
  { joined, verified }: VerifiedInTime,
  appraised: Appraised,
  inquiry: Inquiry,
): Promise<readonly ShadowResult[]> {
  const ofPolicies = await appraiseShadow(terms, joined, appraised, inquiry, log);
  if (early === null || verified === null || terms.trial) return ofPolicies;
  return [...ofPolicies, ...(await early.judge(terms, { ...verified, ...appraised }, inquiry))];
}

/**
 * Appraises under the policies of `policies.shadow`. Reads reset counts without advancing them, and requests no token
 * for these policies.
 */
async function appraiseShadow(
  terms: NoncedTerms,
  joined: JoinedVerification,
  decided: Pick<Appraised, 'resets'>,
  inquiry: Inquiry,
  log: Log,
): Promise<readonly ShadowResult[]> {
  const { shadow, policies, historical } = terms;
  if (shadow.length === 0) return NONE;
  try {
    // Reuses the counts of the decision, so a request reads them once. An allow has since advanced them to those of
    // this quote, which gives the same outcome.
    const areRead = historical || policies.some(tracksResets);
    const resets = areRead ? decided.resets : await resetsFor(shadow, terms, joined, inquiry);
    const ground = { collateral: 'standard', expectedFrom: null } as const;
    return appraiseUnder(shadow, terms, joined, resets).map((appraisal) => shadowResult(appraisal, ground));
  } catch (error) {
    log.error({ err: error }, 'not judged by the policies of policies.shadow');
    return NONE;
  }
}
