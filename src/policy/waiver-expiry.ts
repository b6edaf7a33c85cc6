import type { CheckId } from '../model/codes.js';
import type { PolicyMembers, Waiver } from './policy-members.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** How long before its end a waiver is reported. */
const NOTICE_DAYS = 30;

/** A waiver that ended, or ends soon. */
export interface EndingWaiver {
  /** Id of the policy. */
  readonly policy: string;
  /** JSON pointer of the waiver in the policy. */
  readonly pointer: string;
  readonly check: CheckId;
  readonly approver: string;
  /** The day at whose start (UTC) it ends. */
  readonly expires: string;
  readonly hasEnded: boolean;
  /** Whole days that are left; 0 on the last one, and where it has ended. */
  readonly daysLeft: number;
}

/** Waivers that ended by a time, or end within 30 days of it, in the order of the policies. */
export function endingWaivers(
  policies: readonly Pick<PolicyMembers, 'id' | 'waivers'>[],
  at: Date,
): readonly EndingWaiver[] {
  return policies.flatMap(({ id, waivers }) =>
    waivers.flatMap((waiver, index) => {
      if (endOf(waiver) - at.getTime() > NOTICE_DAYS * DAY_MS) return [];
      const { check, approver, expires } = waiver;
      const hasEnded = !isInForce(waiver, at);
      const daysLeft = daysLeftOf(waiver, at);
      return [{ policy: id, pointer: `/waivers/${index}`, check, approver, expires, hasEnded, daysLeft }];
    }),
  );
}

export function isInForce(waiver: Waiver, at: Date): boolean {
  return at.getTime() < endOf(waiver);
}

/** Who tolerates a finding, until when, and why; also that the waiver ends soon, where it does. */
export function termsOf(waiver: Waiver, at: Date): string {
  const { approver, expires, reason } = waiver;
  const isEnding = endOf(waiver) - at.getTime() <= NOTICE_DAYS * DAY_MS;
  const left = isEnding ? ` (${daysOf(daysLeftOf(waiver, at))} left)` : '';
  return `waived by ${approver} until ${expires}${left}: ${reason}`;
}

function daysOf(count: number): string {
  if (count === 0) return 'less than a day';
  return count === 1 ? '1 day' : `${count} days`;
}

function daysLeftOf(waiver: Waiver, at: Date): number {
  return Math.max(0, Math.floor((endOf(waiver) - at.getTime()) / DAY_MS));
}

function endOf({ expires }: Waiver): number {
  return Date.parse(`${expires}T00:00:00Z`);
}
