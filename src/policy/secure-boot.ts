import { type AppraisalTopic, placeOf } from './appraisal-topic.js';
import { hasParavisor, isTokenType, teeOf } from './evidence-kinds.js';

/** Secure Boot, as the paravisor configured it, or as the token says. Only a literal `true` passes: what is missing is not false. */
export const secureBoot: AppraisalTopic = {
  needs: (policy, evidenceType) => {
    if (policy.secureBoot === 'any') return [];
    if (isTokenType(evidenceType)) return [evidenceType === 'maa-token' ? 'maa' : 'ita'];
    // Bare evidence need not have runtime claims, but without a verified report it is not known to have none.
    return [hasParavisor(evidenceType) ? 'hcl' : (teeOf(evidenceType) ?? 'snp')];
  },
  required: (policy) => (policy.secureBoot === 'required' ? ['secure_boot'] : []),
  appraise: (policy, { evidenceType, verification }, checks) => {
    if (policy.secureBoot === 'any') return;
    const about = placeOf('hcl', evidenceType);
    const { hcl, maa } = verification.claims;
    const state = isTokenType(evidenceType) ? maa?.stated.secureBoot : hcl?.vmConfiguration?.['secureBoot'];
    if (typeof state === 'boolean') {
      checks.require(state, 'secure_boot', about, { expected: true, actual: state });
    } else {
      const detail = 'nothing verified says whether secure boot is on';
      checks.fail('secure_boot_unknown', about, { expected: true, actual: state ?? null, detail });
    }
  },
};
