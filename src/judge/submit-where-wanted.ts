import type { NonceStanding } from '../core/challenge.js';
import type { Check } from '../core/check.js';
import type { FetchContext } from '../core/endorsement.js';
import type { EvidenceType, TokenRoute } from '../core/evidence.js';
import { isHardwareType } from '../core/evidence-traits.js';
import type { VerifyRequest } from '../core/request.js';
import type { ExpectedBinding, Verification } from '../core/verification.js';
import { relaxed } from '../policy/appraise/base-checks.js';
import type { Policy } from '../policy/document/policy-document.js';
import type { RouteResults } from './judge-results.js';
import { nonceChecks } from './nonces.js';
import type { OtherVerifiers, RouteToken } from './other-verifiers.js';

export const SUBMITTED_ROUTES: readonly TokenRoute[] = ['maa', 'ita'];

const NO_FAULTS: RouteResults['faults'] = new Map();

/** What of a request says whose opinion is wanted. */
interface Wanting {
  readonly request: Pick<VerifyRequest, 'release'> & { readonly evidence: { readonly type: EvidenceType } };
  readonly policies: readonly Policy[];
  readonly historical: boolean;
  readonly trial: boolean;
  readonly nonce: NonceStanding;
  readonly binding: ExpectedBinding | null;
}

/**
 * Requests tokens that a policy for this evidence wants, unless the request supplies one of the same endpoints that holds its
 * nonce: the caller does not choose which issuer is asked. Evidence that fails here, or whose
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
      otherVerifiers.isConfigured(route) &&
      !sent.some((token) => token.route === route && otherVerifiers.isOwn(token)),
  );
  if (wanted.length === 0) return { tokens: sent, faults: NO_FAULTS };
  // A token that the request supplies counts where none is requested.
  const unsent = wanted.filter((route) => !sent.some((token) => token.route === route));
  const submission = own.submission ?? null;
  const heldBack = (because: string): RouteResults => {
    const takers = unsent.filter((route) =>
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
      return { tokens: sent, faults: new Map(unsent.map((route) => [route, { state: 'not asked' }])) };
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
  const obtained = made.flatMap(([, result]) => ('state' in result ? [] : [result]));
  return {
    // Of two tokens for one route the claims of the last count. The target of a release is the token that was sent.
    tokens: request.release?.kind === 'vault' ? [...obtained, ...sent] : [...sent, ...obtained],
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
