import type { TokenRoute } from '../core/evidence.js';
import type { Policy } from './document/policy-document.js';
import type { PolicyProblem } from './document/policy-problem.js';
import { scopeOf } from './document/policy-scope.js';

/**
 * Reports routes on which a policy accepts a token of any issuer, although the configuration has several. The caller
 * then chooses the issuer.
 *
 * @param manyIssuers routes for which the configuration accepts more than one issuer
 */
export function lintIssuers(policy: Policy, manyIssuers: readonly TokenRoute[]): readonly PolicyProblem[] {
  const scope = scopeOf(policy);
  return manyIssuers
    .filter((route) => scope[route] && policy.require[route]?.issuers == null)
    .map((route) => ({
      code: 'token_issuer_unnamed',
      pointer: `/require/${route}/issuers`,
      message: `issuers is missing, and the configuration accepts more than one issuer for the route ${route}: the caller chooses which one appraises the evidence`,
    }));
}
