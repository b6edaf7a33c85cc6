import type { Check, Checks } from '../../core/check.js';
import type { TdxClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import { placeOf } from '../../core/evidence-traits.js';
import type { TdxRequirements } from '../document/policy-grammar.js';
import type { AppraisalTopic } from './appraisal-topic.js';

/**
 * Further requirements for a TD. A migratable TD, and a TD with a bound service TD, are rejected unless the policy
 * allows them: the guest then also depends on the code of another TD.
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
    const asked = policy.require.tdx;
    const quote = checks.at(placeOf('tdx', evidenceType));
    appraiseAttributes(tdx, asked, quote);
    if (!isServiceTdRefused(verification.checks)) appraiseServiceTd(tdx, asked, quote);
    if (asked?.xfamMask != null) appraiseXfam(tdx, asked.xfamMask, quote);
    if (asked?.machines != null) appraiseMachine(tdx, asked.machines.ppid, quote);
  },
};

function appraiseAttributes({ tdAttributes }: TdxClaims, asked: TdxRequirements | null, checks: Checks): void {
  const { migratable, perfmon, septVeDisable } = tdAttributes;
  const problems = [
    ...(migratable && asked?.allowMigratable !== true ? [MIGRATABLE] : []),
    ...(perfmon && asked?.allowPerfmon === false ? [PERFMON] : []),
    ...(asked?.septVeDisable === true && !septVeDisable ? [SEPT_VE_DISABLE] : []),
  ];
  checks.require(problems.length === 0, 'tdx_attributes', {
    actual: { ...tdAttributes },
    detail: 'the attributes of the TD are as the policy requires',
    otherwise: problems.map(({ problem }) => problem).join('; '),
    faults: problems.map(({ wanted }) => wanted),
    setting: problems.map(({ member }) => `require.tdx.${member}`).join(' and '),
  });
}

/** An attribute that differs from the policy: the fault, the required value, and the member that requires it. */
interface AttributeProblem {
  readonly problem: string;
  readonly wanted: string;
  readonly member: keyof TdxRequirements;
}

const MIGRATABLE: AttributeProblem = {
  problem: 'the TD can be migrated',
  wanted: 'MIGRATABLE clear',
  member: 'allowMigratable',
};
const PERFMON: AttributeProblem = {
  problem: 'performance monitoring is on',
  wanted: 'PERFMON clear',
  member: 'allowPerfmon',
};
const SEPT_VE_DISABLE: AttributeProblem = {
  problem: 'SEPT_VE_DISABLE is clear',
  wanted: 'SEPT_VE_DISABLE set',
  member: 'septVeDisable',
};

/** Whether the verifier found a bound service TD that the quote does not identify. No policy can list it. */
function isServiceTdRefused(base: readonly Check[]): boolean {
  return base.some(({ id, result }) => id === 'tdx_service_td' && result === 'fail');
}

/**
 * Requires that the policy lists every service TD. A TD 1.5 body has MRSERVICETD, and an extended one also the hashes
 * of the first and the current service TD. Each hash that is not zero must be listed. An unlisted first service TD
 * could have changed the TD before it was migrated.
 */
function appraiseServiceTd({ mrServiceTd, serviceTd }: TdxClaims, asked: TdxRequirements | null, checks: Checks): void {
  const hashes = [mrServiceTd, serviceTd?.initHash, serviceTd?.currentHash];
  const bound = hashes.filter((hash) => hash !== undefined).filter((hash) => /[^0]/.test(hash));
  const unlisted = [...new Set(bound)].filter((hash) => asked?.mrServiceTd?.includes(hash) !== true);
  checks.require(unlisted.length === 0, 'tdx_service_td', {
    expected: asked?.mrServiceTd ?? [],
    actual: serviceTd === undefined ? (mrServiceTd ?? null) : bound,
    detail: bound.length > 0 ? 'the policy lists the service TD' : 'no service TD is bound',
    faults: unlisted,
  });
}

/** Rejects features outside the mask, because they give the guest state that its owner did not expect. */
function appraiseXfam({ xfam }: TdxClaims, mask: string, checks: Checks): void {
  const beyond = littleEndian(xfam) & ~littleEndian(mask);
  checks.require(beyond === 0n, 'tdx_xfam', {
    expected: mask,
    actual: xfam,
    detail: 'the TD has no extended features beyond the mask',
    otherwise: 'the TD has extended features beyond the mask',
    faults: bitsOf(beyond).map((bit) => `bit ${bit} clear`),
  });
}

/** Requires a listed machine, by the PPID in its PCK certificate. */
function appraiseMachine({ ppid }: TdxClaims, listed: readonly string[], checks: Checks): void {
  checks.require(ppid !== undefined && listed.includes(ppid), 'tdx_platform_id', {
    expected: listed,
    actual: ppid ?? null,
  });
}

/** Numbers of the bits that are set. */
function bitsOf(bits: bigint): readonly number[] {
  return [...bits.toString(2)].toReversed().flatMap((digit, bit) => (digit === '1' ? [bit] : []));
}

/** Reads eight bytes in the order of the quote. */
function littleEndian(hex: string): bigint {
  return Buffer.from(hex, 'hex').readBigUInt64LE();
}
