import type { Checks } from '../../core/check.js';
import type { TdxClaims } from '../../core/claims.js';
import { placeOf } from '../../core/evidence-traits.js';
import type { TcbShortfall } from '../../core/tcb-shortfall.js';
import type { CollateralIssued } from '../../core/verification.js';
import type { TdxMinimums } from '../document/policy-grammar.js';
import type { AppraisalTopic } from './appraisal-topic.js';
import { behindOf, explained } from './tdx-tcb-words.js';

const DAY_MS = 24 * 60 * 60_000;

type Floors = Exclude<TdxMinimums, 'any'>;

/**
 * Minimums for TDX: the merged status of platform, module and QE, the oldest of their TCB dates, and the age of the
 * collateral.
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
    // A policy without minimums for TDX accepts no status.
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
  // The verifier rejects a quote with an undefined status, so only statuses of the contract occur here.
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

/** Warns of a TCB that is not up to date, for a policy without a minimum. */
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

/** Requires a minimum of the lower number. It prevents the use of collateral from before known vulnerabilities. */
function appraiseEvaluation({ tcb }: TdxClaims, least: number, checks: Checks): void {
  const { evaluationDataNumber, qeEvaluationDataNumber } = tcb;
  checks.require(Math.min(evaluationDataNumber, qeEvaluationDataNumber) >= least, 'tdx_tcb_date', {
    expected: least,
    actual: { evaluationDataNumber, qeEvaluationDataNumber },
    detail: 'TCB info and QE identity have the required evaluation data number, or a higher one',
    otherwise: 'TCB info or QE identity has a lower evaluation data number than the policy requires',
  });
}

/**
 * Requires recent collateral. Old collateral is unavailable and not a failure, because newer collateral may exist. The
 * root CA CRL is exempt, since it is valid for a year.
 */
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
