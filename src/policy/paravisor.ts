import type { Claims } from '../model/claims.js';
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
    const compared = known
      ? { expected: true, actual: true, detail: `the paravisor is known by ${by}` }
      : unknownParavisor(verification.claims);
    if (policy.paravisor === 'known') checks.require(known, 'hcl_paravisor', about, compared);
    else if (known) checks.pass('hcl_paravisor_unknown', about, compared);
    else checks.warn('hcl_paravisor_unknown', about, compared);
  },
};

/** What was found of it, and the setting in which an operator who knows whose it is would list that. */
function unknownParavisor({ snp, tdx }: Claims) {
  const [setting, name, actual] =
    tdx === undefined
      ? ['azure.paravisors.idKeyDigests', 'id key digest', snp?.idKeyDigest ?? null]
      : ['azure.paravisors.mrtds', 'mrtd', tdx.mrtd];
  return {
    expected: `listed in ${setting}`,
    actual: tdx === undefined ? { idKeyDigest: actual, guestSvn: snp?.guestSvn ?? null } : { mrtd: actual },
    detail: `nothing says that this is a paravisor of azure: ${setting} does not list ${name} ${actual}`,
  };
}
