import type { Decision, Outcome, ShadowResult } from '../core/decision.js';

/** A policy of `policies.shadow` with another outcome than the decision. */
export interface ShadowFlip {
  readonly policy: string;
  readonly outcome: Outcome;
  /** Ids of the rules and checks that cause the difference; if the policy would allow, the reasons of the decision. */
  readonly ids: readonly string[];
}

/**
 * The decisions that would differ if a shadow policy decided. Omits policies that do not accept the type of the
 * evidence: they are for other machines.
 */
export function shadowFlips({ decision, reasons, shadow }: Pick<Decision, 'decision' | 'reasons' | 'shadow'>) {
  return shadow
    .filter(({ collateral, outcome, reasons: own }) => {
      return collateral === 'standard' && outcome !== decision && !own.includes('policy_evidence_type');
    })
    .map(
      (result): ShadowFlip => ({
        policy: result.id,
        outcome: result.outcome,
        ids: result.outcome === 'allow' ? reasons : idsOf(result),
      }),
    );
}

/** Reports a rule by its own id alone. */
function idsOf({ unmatched, reasons }: ShadowResult): readonly string[] {
  const own = unmatched.filter((id) => id !== 'rule_not_met');
  return own.length > 0 ? own : reasons;
}
