import type { Check } from './check.js';
import type { Claims } from './claims.js';
import type { CheckId } from './codes.js';
import type { UsedEndorsement } from './endorsement.js';
import type { EvidenceType } from './evidence.js';
import type { FreshnessPlace } from './verification.js';

/** Only the literal `allow` releases anything. */
export type Outcome = 'allow' | 'deny' | 'indeterminate';

/** What one policy made of the evidence. */
export interface PolicyResult {
  readonly id: string;
  readonly version: number;
  /** SHA-256 of the policy text that was evaluated, hex. */
  readonly sha256: string;
  readonly outcome: Outcome;
  /** Ids of this policy's own checks that passed, and of those that did not. */
  readonly matched: readonly string[];
  readonly unmatched: readonly string[];
}

/** Trust tiers of AR4SI, as EAR words. */
export type TrustTier = 'none' | 'affirming' | 'warning' | 'contraindicated';

/** Trustworthiness vector of AR4SI: claim name to value. */
export interface TrustVector {
  readonly [claim: string]: number;
}

export interface TrustSubmodule {
  readonly status: TrustTier;
  readonly vector: TrustVector;
}

export interface Trust {
  readonly status: TrustTier;
  readonly submods: { readonly [name: string]: TrustSubmodule };
}

/** The answer to one judged request, before it is written as JSON. */
export interface Decision {
  readonly decision: Outcome;
  readonly decisionId: string;
  readonly decidedAt: Date;
  readonly validUntil: Date;
  readonly historical: boolean;
  readonly retryable: boolean;
  readonly evidence: { readonly type: EvidenceType; readonly sha256: string };
  readonly trust: Trust;
  readonly policies: readonly PolicyResult[];
  readonly checks: readonly Check[];
  readonly reasons: readonly CheckId[];
  readonly claims: Claims;
  readonly endorsements: readonly UsedEndorsement[];
  readonly freshness: { readonly bound: readonly FreshnessPlace[]; readonly clockSkewSeconds: number | null };
  readonly binding: { readonly jkt: string } | null;
}
