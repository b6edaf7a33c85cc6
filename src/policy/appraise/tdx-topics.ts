import type { Check, Checks } from '../../core/check.js';
import type { TdxClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import { placeOf } from '../../core/evidence-traits.js';
import type { TcbShortfall } from '../../core/tcb-shortfall.js';
import type { CollateralIssued } from '../../core/verification.js';
import type { TdxMinimums, TdxRequirements } from '../document/policy-grammar.js';
import type { AppraisalTopic } from './appraisal-topic.js';
import { behindOf, explained } from './tdx-tcb-words.js';

const DAY_MS = 24 * 60 * 60_000;

type Floors = Exclude<TdxMinimums, 'any'>;

/**
 * Intel's status of the platform, module and QE together, the date of the oldest of the three, and how new the collateral
 * is that says so.
 */
export const tdxMinimums: AppraisalTopic = {
  needs: () => ['tdx'],
  required: ({ minimums: { tdx } }) => {
    if (tdx === null || tdx === 'any') return ['tdx_tcb_status'];
    const isDated = tdx.earliestTcbDate !== null || tdx.minEvaluationDataNumber !== null;
    return [
      'tdx_tcb_status',
      ...(isDated ? (['tdx_tcb_date'] as const) : []),
      ...(tdx.maxCollateralAgeDays === null ? [] : (['collateral_stale'] as const)),
    ];
  },
  appraise: (policy, { evidenceType, verification, at }, checks) => {
    const { tdx } = verification.claims;
    const floors = policy.minimums.tdx;
    if (tdx === undefined) return;
    const quote = checks.at(placeOf('tdx', evidenceType));
    const shortfalls = verification.tcbShortfalls ?? [];
    if (tdx.tcb.status === null) {
      quote.skip(tdxMinimums.required(policy, evidenceType), 'no TCB level covers the platform');
      return;
    }
    if (floors === 'any') {
      noteStatus(tdx, shortfalls, quote);
      return;
    }
    // A policy without minimums for TDs accepts none.
    appraiseStatus(tdx, floors?.acceptedStatuses ?? [], shortfalls, quote);
    if (floors === null) return;
    const { earliestTcbDate, minEvaluationDataNumber, maxCollateralAgeDays } = floors;
    if (earliestTcbDate !== null) appraiseDate(tdx, earliestTcbDate, quote);
    if (minEvaluationDataNumber !== null) appraiseEvaluation(tdx, minEvaluationDataNumber, quote);
    if (maxCollateralAgeDays !== null) {
      appraiseAge(verification.collateralIssued, { at, maxCollateralAgeDays }, quote);
    }
  },
};

function appraiseStatus(
  { tcb }: TdxClaims,
  acceptedStatuses: Floors['acceptedStatuses'],
  shortfalls: readonly TcbShortfall[],
  checks: Checks,
): void {
  const { status } = tcb;
  // Only statuses of the contract get here: the verifier refused any other with the quote.
  const accepted = acceptedStatuses.some((word) => word === status);
  const rest = explained(tcb, shortfalls);
  checks.require(accepted, 'tdx_tcb_status', {
    expected: acceptedStatuses,
    actual: status,
    detail: `the policy accepts the TCB status ${rest}`,
    otherwise: `the policy does not accept the TCB status ${rest}`,
    faults: behindOf(tcb, shortfalls),
  });
}

/** For a policy without a minimum: a TCB that is not up to date passes, and every decision says so. */
function noteStatus({ tcb }: TdxClaims, shortfalls: readonly TcbShortfall[], checks: Checks): void {
  const { status } = tcb;
  const detail = `the policy sets no minimum for the TCB; its status is ${status} ${explained(tcb, shortfalls)}`;
  if (status === 'UpToDate') checks.pass('tdx_tcb_status', { actual: status, detail });
  else checks.warn('tdx_tcb_status', { actual: status, detail, faults: behindOf(tcb, shortfalls) });
}

function appraiseDate({ tcb }: TdxClaims, earliest: string, checks: Checks): void {
  checks.require(tcb.date !== null && Date.parse(tcb.date) >= Date.parse(earliest), 'tdx_tcb_date', {
    expected: earliest,
    actual: tcb.date,
    detail: 'platform, module and QE are of that date or later',
    otherwise: 'platform, module or QE is older than the policy allows',
  });
}

/** The lower of the two numbers: a floor keeps older knowledge of vulnerabilities from being used. */
function appraiseEvaluation({ tcb }: TdxClaims, least: number, checks: Checks): void {
  const { evaluationDataNumber, qeEvaluationDataNumber } = tcb;
  checks.require(Math.min(evaluationDataNumber, qeEvaluationDataNumber) >= least, 'tdx_tcb_date', {
    expected: least,
    actual: { evaluationDataNumber, qeEvaluationDataNumber },
    detail: 'TCB info and QE identity have the required evaluation data number, or a higher one',
    otherwise: 'TCB info or QE identity has a lower evaluation data number than the policy requires',
  });
}

/** Old collateral cannot show that there is newer: unavailable, not a failure. The CRL of the root is valid for a year. */
function appraiseAge(
  issued: CollateralIssued | undefined,
  { at, maxCollateralAgeDays: days }: { readonly at: Date; readonly maxCollateralAgeDays: number },
  checks: Checks,
): void {
  const since = new Date(at.getTime() - days * DAY_MS);
  const parts = [
    { member: 'tcb info', name: 'TCB info', date: issued?.tcbInfo },
    { member: 'qe identity', name: 'QE identity', date: issued?.qeIdentity },
    { member: 'pck crl', name: 'PCK CRL', date: issued?.pckCrl },
  ];
  const compared = {
    expected: since.toISOString(),
    actual: Object.fromEntries(parts.map(({ member, date }) => [member, date?.toISOString() ?? null])),
  };
  const old = parts.filter(({ date }) => date == null || date < since).map(({ name }) => name);
  if (old.length > 0) {
    const detail = `issued more than ${days} days before the verification time: ${old.join(', ')}`;
    checks.unavailable('collateral_stale', { ...compared, detail, retryable: true, faults: old });
    return;
  }
  checks.pass('collateral_stale', {
    ...compared,
    detail: `the collateral was issued within ${days} days before the verification time`,
  });
}

/**
 * The further requirements for a TD. A TD that can be migrated, and one that a service TD is bound to, are refused unless the
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

/** An attribute that is not as the policy requires: what is wrong, how it should be, and the member that says so. */
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

/** Found by the verifier: a service TD is bound, and the quote does not say which one. No policy can list it. */
function isServiceTdRefused(base: readonly Check[]): boolean {
  return base.some(({ id, result }) => id === 'tdx_service_td' && result === 'fail');
}

/**
 * Only a TD 1.5 body has MRSERVICETD, and only an extended one the hashes of the first and the present service TD. Each that
 * is not zero has to be listed: the TD of a first service TD that nobody knows may have been changed before it came here.
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

/** Features outside the mask give the guest state that its owner did not expect. */
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

/** Identifies the machine, by the PPID for which Intel issued the PCK certificate. */
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

/** Eight bytes as the quote has them. */
function littleEndian(hex: string): bigint {
  return Buffer.from(hex, 'hex').readBigUInt64LE();
}
