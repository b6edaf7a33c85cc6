import { type AppraisalTopic, placeOf } from './appraisal-topic.js';
import { hasParavisor } from './evidence-kinds.js';

/**
 * Which paravisor it is. Signature, claims hash and AK only say that some guest on genuine hardware vouches for the
 * AK, and whoever owns a server can be that guest.
 */
export const paravisor: AppraisalTopic = {
  needs: (_policy, evidenceType) => (hasParavisor(evidenceType) ? ['hcl'] : []),
  required: (policy, evidenceType) => {
    if (!hasParavisor(evidenceType)) return [];
    return [policy.paravisor === 'known' ? 'hcl_paravisor' : 'hcl_paravisor_unknown'];
  },
  appraise: (policy, { evidenceType, verification }, checks) => {
    const { hcl } = verification.claims;
    // Bare evidence without runtime claims speaks of no paravisor.
    if (hcl === undefined) return;
    const { known, by } = hcl.paravisor;
    const about = placeOf('hcl', evidenceType);
    const compared = {
      expected: true,
      actual: known,
      detail: known ? `the paravisor is known by ${by}` : 'nothing says that this is a paravisor of azure',
    };
    if (policy.paravisor === 'known') checks.require(known, 'hcl_paravisor', about, compared);
    else if (known) checks.pass('hcl_paravisor_unknown', about, compared);
    else checks.warn('hcl_paravisor_unknown', about, compared);
  },
};
