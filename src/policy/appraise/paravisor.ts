import type { SnpClaims } from '../../core/claims.js';
import { hasParavisor, placeOf } from '../../core/evidence-traits.js';
import type { AppraisalTopic, Findings } from './appraisal-topic.js';

/**
 * Appraises whether the paravisor is known. Signature, claims hash and AK only show that some guest on genuine hardware
 * vouches for the AK. The owner of any such server can run that guest.
 */
export const paravisor: AppraisalTopic = {
  needs: (_policy, evidenceType) => (hasParavisor(evidenceType) ? ['hcl'] : []),
  required: (policy, evidenceType) => {
    if (!hasParavisor(evidenceType)) return [];
    return [policy.paravisor === 'known' ? 'hcl_paravisor' : 'hcl_paravisor_unknown'];
  },
  appraise: (policy, { evidenceType, verification, results }, checks) => {
    const { hcl } = verification.claims;
    // Bare evidence without runtime claims has no paravisor to appraise.
    if (hcl === undefined) return;
    const { known, by } = hcl.paravisor;
    const report = checks.at(placeOf('hcl', evidenceType));
    const compared = known
      ? { expected: true, actual: true, detail: `the paravisor is known by ${by}` }
      : unknownParavisor(verification);
    const maa = results.get('maa');
    // Azure Attestation could make the paravisor known, but is unavailable.
    if (policy.paravisor === 'known' && !known && maa?.state === 'unavailable')
      report.unavailable('hcl_paravisor', { ...compared, retryable: maa.retryable });
    else if (policy.paravisor === 'known')
      report.require(known, 'hcl_paravisor', { ...compared, otherwise: compared.detail });
    else if (known) report.pass('hcl_paravisor_unknown', compared);
    else report.warn('hcl_paravisor_unknown', compared);
  },
};

const NOT_KNOWN = 'nothing shows that this is an Azure paravisor';

/** The identity of the paravisor, and the setting in which an operator can list it. */
function unknownParavisor({ claims: { snp, tdx }, paravisorMinGuestSvn: minGuestSvn }: Findings) {
  if (tdx !== undefined) {
    const setting = 'azure.paravisors.mrtds';
    const detail = `${NOT_KNOWN}: ${setting} does not list MRTD ${tdx.mrtd}`;
    return { expected: { setting }, actual: { mrtd: tdx.mrtd }, detail };
  }
  const setting = 'azure.paravisors.idKeyDigests';
  if (snp === undefined) return { expected: { setting }, detail: NOT_KNOWN };
  const { idKeyDigest, guestSvn } = snp;
  return {
    expected: { setting, ...(minGuestSvn === undefined ? {} : { minGuestSvn }) },
    actual: { idKeyDigest, guestSvn },
    detail: `${NOT_KNOWN}: ${whyNotByIdKey(snp, setting, minGuestSvn)}`,
  };
}

function whyNotByIdKey({ idKeyDigest, guestSvn }: SnpClaims, setting: string, floor: number | undefined): string {
  const digest = `ID_KEY_DIGEST ${idKeyDigest}`;
  if (floor === undefined) return `${setting} does not list ${digest} (GUEST_SVN ${guestSvn})`;
  const version = guestSvn & 0xffff;
  const counted = version === guestSvn ? '' : `, of which the low 16 bits count: ${version}`;
  return `GUEST_SVN ${guestSvn}${counted} is below ${floor}, the floor of ${digest} in ${setting}`;
}
