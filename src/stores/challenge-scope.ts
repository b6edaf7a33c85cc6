import type { ChallengePurpose, ChallengeScope, ConsumedScope } from '../core/challenge.js';

/** The permitted use of a challenge, without its tenant. */
export function purposeOf({ audience, policy, evidenceType }: Omit<ChallengeScope, 'tenant'>): ChallengePurpose {
  return { audience, policy, evidenceType };
}

/** Whether a request may use a challenge that was made for this. */
export function fits(asked: ConsumedScope, { audience, policy, evidenceType }: ChallengePurpose): boolean {
  return (
    (audience === null || asked.audience === audience) &&
    (evidenceType === null || asked.evidenceType === evidenceType) &&
    (policy === null || (asked.policies.length > 0 && asked.policies.every((id) => id === policy)))
  );
}
