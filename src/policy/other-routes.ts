import type { CheckList } from '../model/check.js';
import type { CheckId } from '../model/codes.js';
import type { AppraisalTopic } from './appraisal-topic.js';
import type { Policy } from './policy-document.js';

const TOKEN_ROUTES = ['maa', 'ita'] as const;

/**
 * What a policy wants beside the evidence: other verifiers' tokens, and a memory of the vTPM. Requests carry no
 * tokens here, nothing is configured to fetch one, and no memory is kept: what is required of them never passes.
 */
export const otherRoutes: AppraisalTopic = {
  needs: () => [],
  required: (policy) => {
    const ids: CheckId[] = [];
    if (TOKEN_ROUTES.some((route) => policy.routes[route] === 'required')) ids.push('route_missing');
    if (policy.require.maa !== null) ids.push('claim_missing');
    if (policy.require.tpm?.trackResets === true) ids.push('tpm_reset');
    return ids;
  },
  appraise: (policy, _input, checks) => {
    for (const route of TOKEN_ROUTES) appraiseRoute(policy, route, checks);
    if (policy.require.maa !== null) {
      checks.fail('claim_missing', '/evidence', {
        expected: 'maa',
        detail: 'there are no claims of azure attestation',
      });
    }
    if (policy.require.tpm?.trackResets === true) {
      checks.unavailable('tpm_reset', '/evidence/tpmQuote', 'no memory of reset counters is kept', false);
    }
  },
};

function appraiseRoute(policy: Policy, route: (typeof TOKEN_ROUTES)[number], checks: CheckList): void {
  const about = '/attestationResults';
  if (policy.routes[route] === 'required') {
    checks.fail('route_missing', about, {
      expected: route,
      detail: `no ${route} token was sent, and none can be fetched`,
    });
  } else if (policy.routes[route] === 'optional') {
    checks.notConfigured('route_missing', about, `no ${route} token was sent, and nothing is configured to fetch one`);
  }
}
