import type { TokenRoute } from '../model/attestation-service.js';
import type { CheckList } from '../model/check.js';
import type { CheckId } from '../model/codes.js';
import type { JsonValue } from '../model/json.js';
import type { AppraisalInput, AppraisalTopic, RouteState } from './appraisal-topic.js';
import type { Policy } from './policy-document.js';
import type { MaaRequirements } from './policy-members.js';

const TOKEN_ROUTES: readonly TokenRoute[] = ['maa', 'ita'];

/**
 * What a policy wants beside the hardware's own word: other verifiers' tokens, what Azure Attestation must have said,
 * and a memory of the vTPM, which is not kept: it never passes. That a token holds, and is about this TEE, are base
 * checks: also where the route is off.
 */
export const otherRoutes: AppraisalTopic = {
  needs: () => [],
  required: (policy) => {
    const ids: CheckId[] = [];
    if (TOKEN_ROUTES.some((route) => policy.routes[route] === 'required')) ids.push('route_missing');
    if (policy.require.maa?.complianceStatus != null) ids.push('token_compliance');
    if (policy.require.maa?.attestationType != null) ids.push('token_claim_type');
    if (policy.require.tpm?.trackResets === true) ids.push('tpm_reset');
    return ids;
  },
  appraise: (policy, input, checks) => {
    for (const route of TOKEN_ROUTES) appraiseRoute(policy, route, stateOf(route, input), checks);
    if (policy.require.maa !== null) appraiseStatements(policy.require.maa, input, checks);
    if (policy.require.tpm?.trackResets === true) {
      checks.unavailable('tpm_reset', '/evidence/tpmQuote', 'no memory of reset counters is kept', false);
    }
  },
};

const ABSENT: RouteState = { state: 'absent' };

function stateOf(route: TokenRoute, { routes }: AppraisalInput): RouteState {
  return routes.get(route) ?? ABSENT;
}

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
    const detail = `no ${route} token was sent, and nothing is configured to fetch one for this evidence`;
    checks.fail('route_missing', about, { expected: route, detail });
  } else {
    // Not as route_missing, which has to hold each time where another route is required.
    checks.notConfigured(
      'route_unavailable',
      about,
      `no ${route} token was sent, and nothing is configured to fetch one`,
    );
  }
}

/** What a token must have said. A token that is out of reach is the route's matter; without one nothing was said. */
function appraiseStatements(wanted: MaaRequirements, input: AppraisalInput, checks: CheckList): void {
  const about = input.evidenceType === 'maa-token' ? '/evidence/token' : '/attestationResults';
  const { maa } = input.verification.claims;
  const found = stateOf('maa', input);
  const ids: readonly CheckId[] = [
    ...(wanted.complianceStatus === null ? [] : (['token_compliance'] as const)),
    ...(wanted.attestationType === null ? [] : (['token_claim_type'] as const)),
  ];
  if (maa === undefined && found.state === 'absent') {
    checks.fail('claim_missing', about, { expected: 'maa', detail: 'there are no claims of azure attestation' });
    checks.skip(ids, about, 'there are no claims of azure attestation');
  } else if (maa === undefined && found.state === 'unavailable') {
    const detail = 'what azure attestation says could not be fetched';
    for (const id of ids) checks.unavailable(id, about, detail, found.retryable);
  } else if (maa === undefined) {
    checks.skip(ids, about, 'no token of azure attestation can be relied on');
  } else {
    appraiseStatement('token_compliance', wanted.complianceStatus, maa.stated.complianceStatus, about, checks);
    appraiseStatement('token_claim_type', wanted.attestationType, maa.attestationType, about, checks);
  }
}

function appraiseStatement(
  id: 'token_compliance' | 'token_claim_type',
  accepted: readonly string[] | null,
  actual: JsonValue,
  about: string,
  checks: CheckList,
): void {
  if (accepted === null) return;
  const what = id === 'token_compliance' ? 'the compliance status' : 'the attestation type';
  checks.require(typeof actual === 'string' && accepted.includes(actual), id, about, {
    expected: accepted,
    actual,
    detail: `${what} is one that the policy takes`,
    otherwise: `${what} is none that the policy takes`,
  });
}
