import { type Check, isOfToken } from '../../core/check.js';
import type { Claims, SnpClaims, SnpPart } from '../../core/claims.js';
import type { Policy } from '../document/policy-document.js';
import type { PolicyMembers, SnpMinimums, TcbFloor, Waiver } from '../document/policy-grammar.js';
import type { TopicInput } from './appraisal-topic.js';
import { asWarning } from './base-checks.js';
import { floorOf, type Shortfall, shortfallsOf } from './snp-minimums.js';

/**
 * Applies the waivers of a policy to a check. A waived check becomes a warning with the approver, the reason and the
 * end. If the waiver has expired, the check keeps its result and mentions the waiver.
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
      // The verifier's check with this id is about an undefined status, which no waiver covers.
      return check.policy === policy.id && check.actual === waiver.value;
    case 'crl_unavailable':
      return !isOfToken(check);
    default:
      // Waivers with a value are compared above. The type check ensures that no other check has one.
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

/** Whether the floor names every component below the minimum, and each is at or above the floor. */
function reaches(floor: TcbFloor, shortfalls: readonly Shortfall[]): boolean {
  return shortfalls.every(({ component, had }) => {
    const tolerated = floor[component];
    return tolerated !== undefined && had !== null && had >= tolerated;
  });
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Days before its end from which a waiver is reported. */
const NOTICE_DAYS = 30;

/** Waivers that have expired at a time, or expire within 30 days after it, in the order of the policies. */
export function endingWaivers(policies: readonly Pick<PolicyMembers, 'id' | 'waivers'>[], at: Date) {
  const all = policies.flatMap(({ id, waivers }) =>
    waivers.map(({ check, approver, expires }, index) => {
      return { policy: id, pointer: `/waivers/${index}`, check, approver, expires };
    }),
  );
  return endingSoon(all, at);
}

/** Items that have expired at a time, or expire within some days after it. `expires` is a day or a time in UTC. */
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

/** The approver, the end and the reason of a waiver, and whether it expires soon. */
function termsOf(waiver: Waiver, at: Date): string {
  const { approver, expires, reason } = waiver;
  const isEnding = endOf(waiver) - at.getTime() <= NOTICE_DAYS * DAY_MS;
  const left = isEnding ? ` (${daysOf(daysLeftOf(waiver, at))} left)` : '';
  return `waived by ${approver} until ${expires}${left}: ${reason}`;
}

/** Formats a number of days. */
export function daysOf(count: number): string {
  if (count === 0) return 'less than a day';
  return count === 1 ? '1 day' : `${count} days`;
}

/** Whole days that are left; 0 on the last day, and after the end. */
function daysLeftOf(waiver: { readonly expires: string }, at: Date): number {
  return Math.max(0, Math.floor((endOf(waiver) - at.getTime()) / DAY_MS));
}

/** The end of a waiver: 00:00 UTC of the day `expires`. */
function endOf({ expires }: { readonly expires: string }): number {
  return Date.parse(expires);
}
