import type { PolicyResult, ShadowResult } from '../core/decision.js';
import type { RememberedResets } from '../core/vtpm-resets.js';
import { appraise, type PolicyAppraisal } from '../policy/appraise/appraise.js';
import { decide, reasonsOf } from '../policy/appraise/decide.js';
import { type TrackedVtpm, trackedVtpm, tracksResets } from '../policy/appraise/vtpm-resets.js';
import type { Policy } from '../policy/document/policy-document.js';
import type { Inquiry } from './inquiry.js';
import type { JoinedVerification } from './join.js';
import { type NoncedTerms, nonceChecks } from './nonces.js';

/** For policies that track no resets, and for evidence that does not identify the vTPM. */
const NOT_READ: RememberedResets = {
  state: 'unavailable',
  detail: 'the evidence does not identify the vTPM that made its quote',
  retryable: false,
};

/** The findings of each policy of a request, and the remembered counts that they were appraised with. */
export interface Appraised {
  readonly appraisals: readonly PolicyAppraisal[];
  readonly resets: RememberedResets;
}

/**
 * Appraises under each policy of the request. Writes the counts of an allow to the memory before the answer is sent.
 * If they cannot be kept, or if a newer quote came first, appraises again with the current state of the memory.
 */
export async function appraiseNoting(
  terms: NoncedTerms,
  joined: JoinedVerification,
  inquiry: Inquiry,
): Promise<Appraised> {
  const by = (resets: RememberedResets): Appraised => ({
    appraisals: appraiseUnder(terms.policies, terms, joined, resets),
    resets,
  });
  if (terms.historical || terms.trial) return by({ state: 'not consulted' });
  const vtpm = vtpmFor(terms.policies, joined);
  if (vtpm === null) return by(NOT_READ);
  const appraised = by(await remembered(vtpm, terms, inquiry));
  if (decide(appraised.appraisals).decision !== 'allow') return appraised;
  const instead = await inquiry.ask(
    'advanced',
    () => vtpm.akThumbprint,
    () => terms.resets.advance(vtpm),
  );
  return instead === null ? appraised : by(instead);
}

/** Reads the reset counts that these policies compare with. Does not advance them. */
export async function resetsFor(
  policies: readonly Policy[],
  terms: NoncedTerms,
  joined: JoinedVerification,
  inquiry: Inquiry,
): Promise<RememberedResets> {
  const vtpm = vtpmFor(policies, joined);
  return vtpm === null ? NOT_READ : remembered(vtpm, terms, inquiry);
}

/** Returns null if no policy tracks resets. */
function vtpmFor(policies: readonly Policy[], { verification }: JoinedVerification): TrackedVtpm | null {
  return policies.some(tracksResets) ? trackedVtpm(verification) : null;
}

function remembered(vtpm: TrackedVtpm, { resets }: NoncedTerms, inquiry: Inquiry): Promise<RememberedResets> {
  return inquiry.ask(
    'remembered',
    () => vtpm.akThumbprint,
    () => resets.remembered(vtpm),
  );
}

/** Appraises the verification of a request under each of these policies. Advances no reset count. */
export function appraiseUnder(
  policies: readonly Policy[],
  { request, at, nonce, binding }: Pick<NoncedTerms, 'request' | 'at' | 'nonce' | 'binding'>,
  { verification, results }: JoinedVerification,
  resets: RememberedResets,
): readonly PolicyAppraisal[] {
  const input = {
    evidenceType: request.evidence.type,
    verification: { ...verification, checks: [...nonceChecks(nonce), ...verification.checks] },
    nonce,
    results,
    resets,
    boundKey: binding !== null && binding.jkt !== null,
    keyAsPem: binding?.pem !== undefined,
    at,
  };
  return policies.map((policy) => appraise(policy, input));
}

/** The outcome of a policy, in the form of the answer. */
export function policyResult({ policy, outcome, matched, unmatched }: PolicyAppraisal): PolicyResult {
  return { id: policy.id, version: policy.version, sha256: policy.sha256, outcome, matched, unmatched };
}

/** The outcome under a shadow policy or early collateral, in the form of the answer. */
export function shadowResult(
  appraisal: PolicyAppraisal,
  ground: Pick<ShadowResult, 'collateral' | 'expectedFrom'>,
): ShadowResult {
  return { ...policyResult(appraisal), reasons: reasonsOf([appraisal]), ...ground };
}
