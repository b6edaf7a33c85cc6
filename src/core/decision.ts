import type { Check } from './check.js';
import type { Claims } from './claims.js';
import type { CheckId } from './codes.js';
import type { UsedEndorsement } from './endorsement.js';
import type { EvidenceType, TokenEvidence, TokenRoute } from './evidence.js';
import type { JsonObject, JsonValue } from './json.js';
import type { FreshnessPlace } from './verification.js';

export const OUTCOMES = ['allow', 'deny', 'indeterminate'] as const;
/** Only the literal `allow` releases anything. */
export type Outcome = (typeof OUTCOMES)[number];

/** How one policy appraised the evidence. */
export interface PolicyResult {
  readonly id: string;
  readonly version: number;
  /** SHA-256 of the policy text that was evaluated, hex. */
  readonly sha256: string;
  readonly outcome: Outcome;
  /** Ids of this policy's own checks and rules: those that passed, and the others. */
  readonly matched: readonly string[];
  readonly unmatched: readonly string[];
}

/** The result of a policy outside the decision, on which it has no effect. */
export interface ShadowResult extends PolicyResult {
  /** Codes of its failed and undecided checks, most important first. */
  readonly reasons: readonly CheckId[];
  /** The TDX collateral that it uses: that of the decision, or Intel's early one. */
  readonly collateral: 'standard' | 'early';
  /** If early collateral denies evidence that is allowed now: when that takes effect. Otherwise, or if unknown, null. */
  readonly expectedFrom: ExpectedFrom | null;
}

/** An estimated date, which was not announced. */
export interface ExpectedFrom {
  /** A day in UTC, such as `2026-05-13`. */
  readonly date: string;
  readonly estimated: true;
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

/** This service's appraisal of hardware evidence, or a token of another verifier. */
export type RouteName = 'hardware' | TokenRoute;

/** A claim with different values in two Attestation Results. */
export interface Difference {
  /** Name of the claim in this service: section and member. */
  readonly claim: string;
  /** The values in each Attestation Result, by the name of its route. */
  readonly values: { readonly [route: string]: JsonValue };
}

/** Several Attestation Results about one TEE, compared claim by claim. */
export interface CrossCheck {
  /** Names of the compared routes. */
  readonly routes: readonly RouteName[];
  /** Whether all are about the same TEE, and no claim differs. */
  readonly agree: boolean;
  /** The first differences: see `differencesOmitted`. */
  readonly differences: readonly Difference[];
  /** Number of differing claims that are not listed. */
  readonly differencesOmitted: number;
  /** Claims with the same value in each. */
  readonly equal: readonly string[];
  /** Claims of only one of them, or about different moments. */
  readonly notComparable: readonly string[];
}

/** The answer to one verified request, before it is written as JSON. */
export interface Decision {
  readonly decision: Outcome;
  readonly decisionId: string;
  readonly decidedAt: Date;
  /** The verification time: that of the decision, or the historical one in the request. */
  readonly at: Date;
  readonly validUntil: Date;
  readonly historical: boolean;
  readonly retryable: boolean;
  /** Whether the same request can be verified again: false if a challenge was used up. */
  readonly repeatable: boolean;
  /** The retry time that an unreachable source named. */
  readonly retryAfterSeconds: number | null;
  readonly evidence: { readonly type: EvidenceType; readonly sha256: string };
  readonly trust: Trust;
  readonly policies: readonly PolicyResult[];
  readonly checks: readonly Check[];
  readonly reasons: readonly CheckId[];
  readonly claims: Claims;
  /** The result of this service's verification, under the names of Azure Attestation; null if it proves no hardware. */
  readonly maaView: JsonObject | null;
  /** Null if there was only one Attestation Result. */
  readonly crossCheck: CrossCheck | null;
  readonly endorsements: readonly UsedEndorsement[];
  /** Tokens that the service obtained from other verifiers. They are not in the answer: the decision log has their digests. */
  readonly obtainedTokens: readonly TokenEvidence[];
  readonly freshness: {
    /** `challenge`: issued by this service. `own`: chosen by the caller. Null: the request had none, or was not verified. */
    readonly nonce: 'challenge' | 'own' | null;
    readonly bound: readonly FreshnessPlace[];
    readonly clockSkewSeconds: number | null;
  };
  readonly binding: { readonly jkt: string } | null;
  readonly shadow: readonly ShadowResult[];
  /** The signed Attestation Result (EAR in a JWT). Null if there is none. */
  readonly receipt: string | null;
}
