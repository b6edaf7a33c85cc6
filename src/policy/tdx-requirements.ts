import type { Check, Checks } from '../model/check.js';
import type { TdxClaims } from '../model/claims.js';
import type { CheckId } from '../model/codes.js';
import { placeOf } from '../model/evidence-traits.js';
import type { AppraisalTopic } from './appraisal-topic.js';
import type { TdxRequirements } from './policy-members.js';

const NOTHING: TdxRequirements = {
  septVeDisable: false,
  allowMigratable: false,
  allowPerfmon: true,
  xfamMask: null,
  mrServiceTd: null,
  machines: null,
};

/**
 * What the TD must also show. A TD that can be migrated, and one that a service TD is bound to, are refused unless the
 * policy says otherwise: both put another TD's code between the hardware and the guest.
 */
export const tdxRequirements: AppraisalTopic = {
  needs: () => ['tdx'],
  required: ({ require: { tdx } }) => {
    const ids: CheckId[] = ['tdx_attributes', 'tdx_service_td'];
    if (tdx?.xfamMask != null) ids.push('tdx_xfam');
    if (tdx?.machines != null) ids.push('tdx_platform_id');
    return ids;
  },
  appraise: (policy, { evidenceType, verification }, checks) => {
    const { tdx } = verification.claims;
    if (tdx === undefined) return;
    const asked = policy.require.tdx ?? NOTHING;
    const quote = checks.at(placeOf('tdx', evidenceType));
    appraiseAttributes(tdx, asked, quote);
    if (!isServiceTdRefused(verification.checks)) appraiseServiceTd(tdx, asked, quote);
    if (asked.xfamMask !== null) appraiseXfam(tdx, asked.xfamMask, quote);
    if (asked.machines !== null) appraiseMachine(tdx, asked.machines.ppid, quote);
  },
};

function appraiseAttributes({ tdAttributes }: TdxClaims, asked: TdxRequirements, checks: Checks): void {
  const problems = [
    ...(tdAttributes.migratable && !asked.allowMigratable ? ['the TD can be migrated'] : []),
    ...(tdAttributes.perfmon && !asked.allowPerfmon ? ['performance monitoring is on'] : []),
    ...(asked.septVeDisable && !tdAttributes.septVeDisable ? ['SEPT_VE_DISABLE is clear'] : []),
  ];
  checks.require(problems.length === 0, 'tdx_attributes', {
    actual: { ...tdAttributes },
    detail: 'the attributes of the TD are as the policy requires',
    otherwise: problems.join('; '),
  });
}

/** Found by the verifier: a service TD is bound, and the quote does not say which one. No policy can list it. */
function isServiceTdRefused(base: readonly Check[]): boolean {
  return base.some(({ id, result }) => id === 'tdx_service_td' && result === 'fail');
}

/** Only a TD 1.5 body has this register. If it is all zero, no service TD is bound. */
function appraiseServiceTd({ mrServiceTd }: TdxClaims, asked: TdxRequirements, checks: Checks): void {
  const bound = mrServiceTd !== undefined && /[^0]/.test(mrServiceTd);
  const listed = mrServiceTd !== undefined && asked.mrServiceTd?.includes(mrServiceTd) === true;
  checks.require(!bound || listed, 'tdx_service_td', {
    expected: asked.mrServiceTd ?? [],
    actual: mrServiceTd ?? null,
    detail: bound ? 'the policy lists the service TD' : 'no service TD is bound',
  });
}

/** Features outside the mask give the guest state that its owner did not expect. */
function appraiseXfam({ xfam }: TdxClaims, mask: string, checks: Checks): void {
  const beyond = littleEndian(xfam) & ~littleEndian(mask);
  checks.require(beyond === 0n, 'tdx_xfam', {
    expected: mask,
    actual: xfam,
    detail: 'the TD has no extended features beyond the mask',
    otherwise: 'the TD has extended features beyond the mask',
  });
}

/** Identifies the machine, by the PPID for which Intel issued the PCK certificate. */
function appraiseMachine({ ppid }: TdxClaims, listed: readonly string[], checks: Checks): void {
  checks.require(ppid !== undefined && listed.includes(ppid), 'tdx_platform_id', {
    expected: listed,
    actual: ppid ?? null,
  });
}

/** Eight bytes as the quote has them. */
function littleEndian(hex: string): bigint {
  return Buffer.from(hex, 'hex').readBigUInt64LE();
}
