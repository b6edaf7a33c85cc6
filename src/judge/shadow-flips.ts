import type { Decision, Outcome, ShadowResult } from '../core/decision.js';

/** A policy of `policies.shadow` that would have decided otherwise. */
export interface ShadowFlip {
  readonly policy: string;
  readonly outcome: Outcome;
  /** Ids of the rules and checks that it is about; where the policy would allow, the reasons of the decision. */
  readonly ids: readonly string[];
}

/**
 * The decisions that would differ if a shadow policy decided. One that does not accept the type of the evidence is left out:
 * it is for other machines.
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

/** A rule by its own id alone. */
function idsOf({ unmatched, reasons }: ShadowResult): readonly string[] {
  const own = unmatched.filter((id) => id !== 'rule_not_met');
  return own.length > 0 ? own : reasons;
}
