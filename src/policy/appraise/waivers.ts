import { type Check, isOfToken } from '../../core/check.js';
import type { Claims, SnpClaims, SnpPart } from '../../core/claims.js';
import type { Policy } from '../document/policy-document.js';
import type { PolicyMembers, SnpMinimums, TcbFloor, Waiver } from '../document/policy-grammar.js';
import type { TopicInput } from './appraisal-topic.js';
import { asWarning } from './base-checks.js';
import { floorOf, type Shortfall, shortfallsOf } from './snp-minimums.js';

/**
 * The check as it is under the waivers of a policy: a warning that names who tolerates it, why, and until when. One that
 * a waiver covered until it ended stays what it is, and says so.
 */
export function waived(check: Check, policy: Policy, { verification, at }: TopicInput): Check {
  if (check.result !== 'fail' && check.result !== 'unavailable' && check.result !== 'warn') return check;
  const covering = policy.waivers.filter(
    (waiver) => waiver.check === check.id && covers(waiver, check, policy, verification.claims),
  );
  const waiver = covering.find((candidate) => isInForce(candidate, at));
  if (waiver !== undefined) return { ...asWarning(check, policy.id, termsOf(waiver, at)), waived: true };
  const ended = covering.reduce<Waiver | null>(latest, null);
  if (ended === null) return check;
  const detail = `${check.detail}; the waiver by ${ended.approver} ended on ${ended.expires}`;
  return { ...check, policy: policy.id, detail };
}

function latest(one: Waiver | null, other: Waiver): Waiver {
  return one === null || other.expires > one.expires ? other : one;
}

function covers(waiver: Waiver, check: Check, policy: Policy, { snp }: Claims): boolean {
  switch (waiver.check) {
    case 'snp_tcb_low':
      return snp !== undefined && coversTcb(waiver.value, snp, policy.minimums.snp);
    case 'tdx_tcb_status':
    case 'maa_tcb_status':
    case 'ita_tcb_status':
      // The verifier's check with this id is about a status that Intel does not define there: no waiver covers it.
      return check.policy === policy.id && check.actual === waiver.value;
    case 'crl_unavailable':
      return !isOfToken(check);
    default:
      // The values of waivers are compared above: a check whose waiver has a value does not compile here.
      return (waiver.value satisfies null) === null;
  }
}

function coversTcb(
  tolerated: { readonly part: SnpPart; readonly floor: TcbFloor },
  snp: SnpClaims,
  minimums: SnpMinimums | null,
): boolean {
  const floor = floorOf(snp, minimums);
  return snp.part === tolerated.part && floor !== null && reaches(tolerated.floor, shortfallsOf(snp, floor));
}

/** Whether every component that is short is named, and is not below what is tolerated. */
function reaches(floor: TcbFloor, shortfalls: readonly Shortfall[]): boolean {
  return shortfalls.every(({ component, had }) => {
    const tolerated = floor[component];
    return tolerated !== undefined && had !== null && had >= tolerated;
  });
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** How long before its end a waiver is reported. */
const NOTICE_DAYS = 30;

/** Waivers that ended by a time, or end within 30 days of it, in the order of the policies. */
export function endingWaivers(policies: readonly Pick<PolicyMembers, 'id' | 'waivers'>[], at: Date) {
  const all = policies.flatMap(({ id, waivers }) =>
    waivers.map(({ check, approver, expires }, index) => {
      return { policy: id, pointer: `/waivers/${index}`, check, approver, expires };
    }),
  );
  return endingSoon(all, at);
}

/** The waivers that have ended by an instant, or end within some days of it. `expires` is a day or an instant in UTC. */
export function endingSoon<T extends { readonly expires: string }>(
  all: readonly T[],
  at: Date,
  noticeDays: number = NOTICE_DAYS,
) {
  return all.flatMap((one) => {
    const left = endOf(one) - at.getTime();
    return left > noticeDays * DAY_MS ? [] : [{ ...one, hasEnded: left <= 0, daysLeft: daysLeftOf(one, at) }];
  });
}

function isInForce(waiver: Waiver, at: Date): boolean {
  return at.getTime() < endOf(waiver);
}

/** The approver of a waiver, its end, and its reason; also that it ends soon. */
function termsOf(waiver: Waiver, at: Date): string {
  const { approver, expires, reason } = waiver;
  const isEnding = endOf(waiver) - at.getTime() <= NOTICE_DAYS * DAY_MS;
  const left = isEnding ? ` (${daysOf(daysLeftOf(waiver, at))} left)` : '';
  return `waived by ${approver} until ${expires}${left}: ${reason}`;
}

/** A count of whole days, in words. */
export function daysOf(count: number): string {
  if (count === 0) return 'less than a day';
  return count === 1 ? '1 day' : `${count} days`;
}

/** Whole days that are left; 0 on the last one, and where it has ended. */
function daysLeftOf(waiver: { readonly expires: string }, at: Date): number {
  return Math.max(0, Math.floor((endOf(waiver) - at.getTime()) / DAY_MS));
}

/** It expires at 00:00 UTC of that day. */
function endOf({ expires }: { readonly expires: string }): number {
  return Date.parse(expires);
}
