import type { Checks } from '../model/check.js';
import type { CheckId } from '../model/codes.js';
import type { ContractEvidenceType } from '../model/evidence.js';
import { isTokenType, teeOf } from '../model/evidence-traits.js';
import type { TokenRoute } from '../model/token-route.js';
import { type AppraisalInput, type AppraisalTopic, type ResultState, resultState } from './appraisal-topic.js';
import type { Policy } from './policy-document.js';
import { appraiseDemands, demandedChecks } from './token-demands.js';

const TOKEN_ROUTES: readonly TokenRoute[] = ['maa', 'ita'];

/**
 * The Attestation Results that a policy wants beside hardware evidence, and what they must say. That a token
 * holds, and is about this TEE, are base checks: also where the route is off.
 */
export const attestationResults: AppraisalTopic = {
  needs: () => [],
  required: (policy, evidenceType) => {
    const ids: CheckId[] = [...demandedChecks(policy, evidenceType)];
    if (TOKEN_ROUTES.some((route) => policy.routes[route] === 'required')) ids.push('route_missing');
    return ids;
  },
  appraise: (policy, input, checks) => {
    for (const route of TOKEN_ROUTES) {
      appraiseRoute(policy, route, input, checks.at('/attestationResults'));
      appraiseDemands(policy, route, input, checks.ofRoute(route));
    }
  },
};

function appraiseRoute({ routes }: Policy, route: TokenRoute, input: AppraisalInput, checks: Checks): void {
  const wanted = routes[route];
  const found = resultState(route, input);
  if (wanted === 'off') return;
  if (found.state === 'verified') {
    checks.pass('route_missing', { expected: route, detail: `a token for the route ${route} was verified` });
  } else if (found.state === 'refused' || found.state === 'not judged') {
    checks.skip(['route_missing'], `no token for the route ${route} can be relied on`);
  } else if (found.state === 'unavailable') {
    const { detail, retryable } = found;
    if (wanted === 'required') checks.unavailable('route_unavailable', { detail, retryable });
    else checks.unavailableOptional('route_unavailable', detail);
  } else if (wanted === 'required') {
    checks.fail('route_missing', { expected: route, ...whyMissing(route, found, input.evidenceType) });
  } else {
    // Not as route_missing, which has to hold each time where another route is required.
    checks.notConfigured('route_unavailable', whyMissing(route, found, input.evidenceType).detail);
  }
}

/** What was found in place of a token. */
interface Missing {
  readonly actual: 'not asked' | 'never fetched' | 'never issued' | null;
  readonly detail: string;
}

/** What no configuration can change comes first, so that the reader does not look there. */
function whyMissing(route: TokenRoute, found: ResultState, evidenceType: ContractEvidenceType): Missing {
  const notSent = `no token was sent for the route ${route}`;
  if (route === 'ita' && teeOf(evidenceType) === 'snp') {
    return {
      actual: 'never issued',
      detail: `${notSent}, and Intel Trust Authority issues none about SEV-SNP evidence`,
    };
  }
  if (isTokenType(evidenceType)) {
    const detail = `${notSent}, and none can be fetched where the evidence itself is a token`;
    return { actual: 'never fetched', detail };
  }
  return found.state === 'held back'
    ? { actual: 'not asked', detail: `${notSent}, and none was requested, because ${found.because}` }
    : { actual: null, detail: `${notSent}, and nothing is configured to fetch one for this evidence` };
}
