import { SNP_PLATFORM_BITS, SNP_TCB_COMPONENTS } from '../../core/claims.js';
import { tokenRouteOf } from '../../core/evidence-traits.js';
import { PLATFORM_CHECKS } from '../../tee/snp/checks/platform.js';
import type { PolicyMembers, Requirements, Waiver } from './policy-grammar.js';
import { type PolicyProblem, unusedMember } from './policy-problem.js';
import type { PolicyScope } from './policy-scope.js';

/** Reports waivers for findings that cannot occur under this policy. */
export function unusedWaivers(policy: PolicyMembers, scope: PolicyScope): readonly PolicyProblem[] {
  return policy.waivers.flatMap((waiver, index) => {
    const because = whyUnused(waiver, policy, scope);
    return because === null ? [] : [unusedMember(`/waivers/${index}`, `covers nothing: ${because}`)];
  });
}

/** The reason why a finding cannot occur; null if it can. */
function whyUnused(waiver: Waiver, policy: PolicyMembers, scope: PolicyScope): string | null {
  switch (waiver.check) {
    case 'snp_tcb_low':
      return whyNoShortfall(waiver.value, policy, scope);
    case 'tdx_tcb_status':
      return whyNoTdxStatus(waiver.value, policy, scope);
    case 'maa_tcb_status':
      return whyNoTokenStatus(waiver.value, policy.require.maa, scope);
    case 'ita_tcb_status':
      return whyNoTokenStatus(waiver.value, policy.require.ita, scope);
    case 'snp_tcb_floor_missing':
      return policy.minimums.snp === 'any' ? unlessSnp(scope) : 'minimums.snp is not any';
    case 'snp_product_advisory':
      // A token about an SEV-SNP VM names no product line.
      return policy.accepts.some((type) => tokenRouteOf(type) === 'maa') ? null : unlessSnp(scope);
    case 'snp_product_configured':
    case 'snp_platform_unknown':
    case 'crl_unavailable':
    case 'crl_unconfirmed':
      return unlessSnp(scope);
    case 'collateral_unconfirmed':
      return unlessTdx(scope);
    case 'nonce_stale':
      if (policy.freshness === 'none') return 'freshness is none';
      // With a key as PEM, bare SEV-SNP evidence can have this finding too.
      return scope.paravisor || scope.snp ? null : 'no evidence behind a paravisor and no SEV-SNP evidence is accepted';
    case 'hcl_paravisor_unknown':
      if (policy.paravisor !== 'any') return 'paravisor is not any';
      return scope.hardware ? null : 'no hardware evidence is accepted';
    default:
      return whyNoPlatformBit(waiver.check, policy);
  }
}

function unlessSnp(scope: PolicyScope): string | null {
  return scope.snp ? null : 'no SEV-SNP evidence is accepted';
}

function unlessTdx(scope: PolicyScope): string | null {
  return scope.tdx ? null : 'no TDX evidence is accepted';
}

/** The reason why a finding on a platform bit cannot occur. A bit is checked only if the policy requires it. */
function whyNoPlatformBit(check: Waiver['check'], { require: { snp } }: PolicyMembers): string | null {
  const bit = SNP_PLATFORM_BITS.find((candidate) => PLATFORM_CHECKS[candidate] === check);
  return bit !== undefined && snp?.platformInfo[bit] !== undefined
    ? null
    : `require.snp.platformInfo does not ask for ${bit ?? 'it'}`;
}

function whyNoShortfall(
  { part, floor }: Extract<Waiver, { check: 'snp_tcb_low' }>['value'],
  { minimums: { snp } }: PolicyMembers,
  scope: PolicyScope,
): string | null {
  if (!scope.snp) return unlessSnp(scope);
  const minimum = snp === null || snp === 'any' ? undefined : snp[part];
  if (minimum === undefined) return `minimums.snp has no floor for ${part}`;
  const isLower = SNP_TCB_COMPONENTS.some((component) => {
    const [least, tolerated] = [minimum[component], floor[component]];
    return least !== undefined && tolerated !== undefined && tolerated < least;
  });
  return isLower ? null : 'its floor is not below that of minimums.snp';
}

function whyNoTdxStatus(status: string, { minimums: { tdx } }: PolicyMembers, scope: PolicyScope): string | null {
  if (!scope.tdx) return unlessTdx(scope);
  if (tdx === null || tdx === 'any') return status === 'UpToDate' ? 'UpToDate is not a finding' : null;
  return tdx.acceptedStatuses.some((accepted) => accepted === status) ? `minimums.tdx accepts ${status}` : null;
}

function whyNoTokenStatus(
  status: string,
  demanded: Requirements['maa'] | Requirements['ita'],
  scope: PolicyScope,
): string | null {
  // A supplied token is verified whether its route is on or off.
  if (!scope.tdx && !scope.tokens) return 'no token about a TD can come with the evidence';
  const accepted = demanded?.tcbStatus ?? ['UpToDate'];
  return accepted.some((word) => word === status) ? `${status} is not a finding under this policy` : null;
}
