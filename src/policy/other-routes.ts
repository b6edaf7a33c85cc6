import { CheckList, ofRoute } from '../model/check.js';
import type { CheckId } from '../model/codes.js';
import type { TokenRoute } from '../model/token-route.js';
import { type AppraisalTopic, type RouteState, routeState } from './appraisal-topic.js';
import type { Policy } from './policy-document.js';
import { appraiseDemands, demandedChecks } from './token-demands.js';

const TOKEN_ROUTES: readonly TokenRoute[] = ['maa', 'ita'];

/**
 * What a policy wants beside the hardware's own word: other verifiers' tokens, and what those must say. That a token
 * holds, and is about this TEE, are base checks: also where the route is off.
 */
export const otherRoutes: AppraisalTopic = {
  needs: () => [],
  required: (policy, evidenceType) => {
    const ids: CheckId[] = [...demandedChecks(policy, evidenceType)];
    if (TOKEN_ROUTES.some((route) => policy.routes[route] === 'required')) ids.push('route_missing');
    return ids;
  },
  appraise: (policy, input, checks) => {
    for (const route of TOKEN_ROUTES) {
      appraiseRoute(policy, route, routeState(route, input), checks);
      const demanded = new CheckList(policy.id);
      appraiseDemands(policy, route, input, demanded);
      checks.addAll(ofRoute(route, demanded.all));
    }
  },
};

function appraiseRoute({ routes }: Policy, route: TokenRoute, found: RouteState, checks: CheckList): void {
  const wanted = routes[route];
  const about = '/attestationResults';
  if (wanted === 'off') return;
  if (found.state === 'verified') {
    checks.pass('route_missing', about, { expected: route, detail: `a token of ${route} was verified` });
  } else if (found.state === 'refused' || found.state === 'not judged') {
    checks.skip(['route_missing'], about, `no token of ${route} can be relied on`);
  } else if (found.state === 'unavailable') {
    if (wanted === 'required') checks.unavailable('route_unavailable', about, found.detail, found.retryable);
    else checks.unavailableOptional('route_unavailable', about, found.detail);
  } else if (wanted === 'required') {
    const heldBack = found.state === 'held back';
    const detail = heldBack ? whyHeldBack(route, found.because) : `${notSent(route)} for this evidence`;
    checks.fail('route_missing', about, { expected: route, actual: heldBack ? HELD_BACK : null, detail });
  } else {
    // Not as route_missing, which has to hold each time where another route is required.
    const detail = found.state === 'held back' ? whyHeldBack(route, found.because) : notSent(route);
    checks.notConfigured('route_unavailable', about, detail);
  }
}

/** What was found in place of a token. */
const HELD_BACK = 'not asked';

function notSent(route: TokenRoute): string {
  return `no ${route} token was sent, and nothing is configured to fetch one`;
}

function whyHeldBack(route: TokenRoute, because: string): string {
  return `no ${route} token was sent, and none was asked for, because ${because}`;
}
