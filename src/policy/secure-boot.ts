import { hasParavisor, isTokenType, placeOf, teeOf, tokenRouteOf } from '../model/evidence-traits.js';
import type { AppraisalTopic } from './appraisal-topic.js';

/** Secure Boot, as the paravisor configured it, or as the token says. Only a literal `true` passes: what is missing is not false. */
export const secureBoot: AppraisalTopic = {
  needs: (policy, evidenceType) => {
    if (policy.secureBoot === 'any') return [];
    // Bare evidence need not have runtime claims, but without a verified report it is not known to have none.
    const section = hasParavisor(evidenceType) ? 'hcl' : (tokenRouteOf(evidenceType) ?? teeOf(evidenceType));
    return section === null ? [] : [section];
  },
  required: (policy) => (policy.secureBoot === 'required' ? ['secure_boot'] : []),
  appraise: (policy, { evidenceType, verification }, checks) => {
    if (policy.secureBoot === 'any') return;
    const place = checks.at(placeOf('hcl', evidenceType));
    const { hcl, maa } = verification.claims;
    const state = isTokenType(evidenceType) ? maa?.stated.secureBoot : hcl?.vmConfiguration?.['secureBoot'];
    if (typeof state === 'boolean') {
      place.require(state, 'secure_boot', { expected: true, actual: state });
    } else {
      place.fail('secure_boot_unknown', { expected: true, actual: state ?? null });
    }
  },
};
