import type { Decision, Outcome } from '../core/decision.js';

/** The outcome of one policy of a decision, and its reasons. */
export interface PolicyReason {
  readonly policy: string;
  readonly outcome: Outcome;
  /** The first reason of the decision that belongs to this policy or to no policy; null if there is none. */
  readonly reason: string | null;
}

/** The outcome of each policy of a decision, with its most important reason. */
export function policyReasons({ policies, reasons, checks }: Pick<Decision, 'policies' | 'reasons' | 'checks'>) {
  const isReasonOf = (reason: string, policy: string) =>
    checks.some((check) => check.id === reason && (check.policy === policy || check.policy === null));
  return policies.map(
    ({ id, outcome }): PolicyReason => ({
      policy: id,
      outcome,
      reason: outcome === 'allow' ? null : (reasons.find((reason) => isReasonOf(reason, id)) ?? null),
    }),
  );
}
