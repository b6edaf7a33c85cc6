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
  /** Ids of this policy's own checks and rules that passed, and of those that did not. */
  readonly matched: readonly string[];
  readonly unmatched: readonly string[];
}

/** The decision of a policy on other grounds. It stands beside the decision, and nothing is derived from it. */
export interface ShadowResult extends PolicyResult {
  /** Codes of its failed and undecided checks, the most important first. */
  readonly reasons: readonly CheckId[];
  /** The collateral of TDX that it rests on: that of the decision, or Intel's early one. */
  readonly collateral: 'standard' | 'early';
  /** Where early collateral denies what is allowed now. Null where it does not, or nothing tells when. */
  readonly expectedFrom: ExpectedFrom | null;
}

/** About when something is expected. Nobody has announced it. */
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

/** Our own appraisal of hardware evidence, and the tokens of other verifiers. */
export type RouteName = 'hardware' | TokenRoute;

/** A claim of which two Attestation Results state different values. */
export interface Difference {
  /** Name of the claim, as this service has it: section and member. */
  readonly claim: string;
  /** The statements of each Attestation Result, by the name of its route. */
  readonly values: { readonly [route: string]: JsonValue };
}

/** Several Attestation Results about one TEE, compared claim by claim. */
export interface CrossCheck {
  /** Names of the routes whose Attestation Results were compared. */
  readonly routes: readonly RouteName[];
  /** Whether all are about the same TEE, and no claim differs. */
  readonly agree: boolean;
  /** The first of them: see `differencesOmitted`. */
  readonly differences: readonly Difference[];
  /** How many more claims differ than are listed. */
  readonly differencesOmitted: number;
  /** Claims of which each says the same. */
  readonly equal: readonly string[];
  /** Claims that only one of them makes, or that are about different moments. */
  readonly notComparable: readonly string[];
}

/** The answer to one judged request, before it is written as JSON. */
export interface Decision {
  readonly decision: Outcome;
  readonly decisionId: string;
  readonly decidedAt: Date;
  /** The verification time: that of the decision, or the historical one that the request names. */
  readonly at: Date;
  readonly validUntil: Date;
  readonly historical: boolean;
  readonly retryable: boolean;
  /** Whether the same request can be judged again: not where a challenge was used up. */
  readonly repeatable: boolean;
  /** Where a source that was out of reach said when to try again. */
  readonly retryAfterSeconds: number | null;
  readonly evidence: { readonly type: EvidenceType; readonly sha256: string };
  readonly trust: Trust;
  readonly policies: readonly PolicyResult[];
  readonly checks: readonly Check[];
  readonly reasons: readonly CheckId[];
  readonly claims: Claims;
  /** The result of our own verification, under the names of Azure Attestation; null if it proves no hardware. */
  readonly maaView: JsonObject | null;
  /** Null where there was only one Attestation Result. */
  readonly crossCheck: CrossCheck | null;
  readonly endorsements: readonly UsedEndorsement[];
  /** Tokens that the service obtained from other verifiers. No part of the answer: the decision log has their digests. */
  readonly obtainedTokens: readonly TokenEvidence[];
  readonly freshness: {
    /** `challenge`: issued by this service. `own`: chosen by the caller. Null: the request had none, or was not judged. */
    readonly nonce: 'challenge' | 'own' | null;
    readonly bound: readonly FreshnessPlace[];
    readonly clockSkewSeconds: number | null;
  };
  readonly binding: { readonly jkt: string } | null;
  readonly shadow: readonly ShadowResult[];
  /** The signed Attestation Result (EAR in a JWT). Null where there is none. */
  readonly receipt: string | null;
}
