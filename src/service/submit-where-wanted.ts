import type { NonceStanding } from '../model/challenge.js';
import type { Check } from '../model/check.js';
import type { FetchContext } from '../model/endorsement.js';
import type { EvidenceType, TokenRoute } from '../model/evidence.js';
import { isHardwareType } from '../model/evidence-traits.js';
import type { ExpectedBinding, Verification } from '../model/verification.js';
import { relaxed } from '../policy/base-checks.js';
import type { Policy } from '../policy/policy-document.js';
import type { RouteResults } from './judge-results.js';
import { nonceChecks } from './nonces.js';
import type { OtherVerifiers, RouteToken } from './other-verifiers.js';

export const SUBMITTED_ROUTES: readonly TokenRoute[] = ['maa', 'ita'];

const NO_FAULTS: RouteResults['faults'] = new Map();

/** What of a request says whose opinion is wanted. */
interface Wanting {
  readonly request: { readonly evidence: { readonly type: EvidenceType } };
  readonly policies: readonly Policy[];
  readonly historical: boolean;
  readonly trial: boolean;
  readonly nonce: NonceStanding;
  readonly binding: ExpectedBinding | null;
}

/**
 * Requests tokens that a policy for this evidence wants and the request does not supply. Evidence that fails here, or whose
 * challenge fails, is not sent. None is sent for a past verification time, since another verifier judges the present, and none for
 * a policy that is only tried, since its text is the caller's. A genuine report whose revocation status is unknown is sent: policies decide whether that matters.
 *
 * @param sent tokens that the request supplies
 */
export async function submitWhereWanted(
  otherVerifiers: OtherVerifiers,
  { request, policies, historical, trial, nonce, binding }: Wanting,
  own: Verification,
  sent: readonly RouteToken[],
  fetch: FetchContext,
): Promise<RouteResults> {
  const wanted = SUBMITTED_ROUTES.filter(
    (route) =>
      policies.some(({ routes, accepts }) => routes[route] !== 'off' && accepts.includes(request.evidence.type)) &&
      !sent.some((token) => token.route === route) &&
      otherVerifiers.isConfigured(route),
  );
  if (wanted.length === 0) return { tokens: sent, faults: NO_FAULTS };
  const submission = own.submission ?? null;
  const heldBack = (because: string): RouteResults => {
    const takers = wanted.filter((route) =>
      submission === null ? isHardwareType(request.evidence.type) : otherVerifiers.canSubmit(route, submission),
    );
    return { tokens: sent, faults: new Map(takers.map((route) => [route, { state: 'held back', because }])) };
  };
  if (trial) return heldBack('the policy is only tried, and whoever tries one does not decide where evidence is sent');
  if (historical) return heldBack('another verifier judges the present, and the verification time is in the past');
  const challengeFailed = nonceChecks(nonce).some(hasFailed);
  const failed = own.checks.filter(hasFailed);
  if (submission === null || challengeFailed || failed.length > 0) {
    if (challengeFailed || !policies.some((policy) => holdsUnder(policy, own))) {
      return { tokens: sent, faults: new Map(wanted.map((route) => [route, { state: 'not asked' }])) };
    }
    // A policy may turn the failed check into a warning; then only the route's own check says why there is no token.
    if (failed.length === 0) return { tokens: sent, faults: new Map() };
    const ids = failed.map(({ id }) => id).join(', ');
    return heldBack(`evidence that fails ${ids} is sent to no other verifier, whatever a policy tolerates`);
  }
  const made = await Promise.all(
    wanted
      .filter((route) => otherVerifiers.canSubmit(route, submission))
      .map(async (route) => [route, await otherVerifiers.submit(route, submission, { fetch, binding })] as const),
  );
  return {
    tokens: [...sent, ...made.flatMap(([, result]) => ('state' in result ? [] : [result]))],
    faults: new Map(made.flatMap(([route, result]) => ('state' in result ? [[route, result] as const] : []))),
  };
}

function hasFailed({ result }: Check): boolean {
  return result === 'fail';
}

function holdsUnder(policy: Policy, { checks }: Verification): boolean {
  return checks
    .map((check) => relaxed(check, policy))
    .every(({ result }) => result !== 'fail' && result !== 'unavailable');
}
