import type { Decision, TrustSubmodule } from '../core/decision.js';
import { tokenRouteOf } from '../core/evidence-traits.js';
import type { JsonObject } from '../core/json.js';
import { EAR_PROFILE, type ReceiptRequest } from '../core/receipt.js';
import { thumbprintMembers } from '../crypto/jwk-thumbprint.js';
import { encodeBase64Url } from '../formats/base64.js';

/** Audience of a receipt without an allow, so that software which only checks issuer, audience and expiry rejects it. */
export const NOT_ALLOWED_AUDIENCE = 'urn:veritee:not-allowed';

/** The name of the signer. */
export interface ReceiptIssuerName {
  /** `iss`. */
  readonly issuer: string;
  /** Version of the product, for `ear.verifier-id`. */
  readonly build: string;
}

/**
 * Returns the claims of a receipt (EAR in a JWT). Null for a historical decision, one without an audience, and
 * one that expires within a second.
 *
 * `exp` is `validUntil`, at most the lifetime of a receipt away.
 */
export function receiptClaims(
  decision: Decision,
  { audience, tenant, nonce, bindingJwk }: ReceiptRequest,
  { issuer, build }: ReceiptIssuerName,
): JsonObject | null {
  const [iat, exp] = [secondsOf(decision.decidedAt), secondsOf(decision.validUntil)];
  if (audience === null || decision.historical || exp <= iat) return null;
  const isAllow = decision.decision === 'allow';
  const { nonce: origin, bound } = decision.freshness;
  // A nonce outside the evidence, beside a key as PEM, is only a statement of the request: the receipt must not repeat it as proven.
  const isHeld = !isAllow || bound.length > 0;
  return {
    iss: issuer,
    sub: `${tenant}:${subjectPolicies(decision)}`,
    ...(isAllow ? { aud: audience } : { aud: NOT_ALLOWED_AUDIENCE, requested_aud: audience }),
    iat,
    nbf: iat,
    exp,
    jti: decision.decisionId,
    ...(nonce === null || !isHeld ? {} : { eat_nonce: encodeBase64Url(nonce) }),
    ...(origin === null || !isHeld ? {} : { veritee_nonce: origin }),
    eat_profile: EAR_PROFILE,
    // Evidence binds the thumbprint: other members beside the key are not signed.
    ...(bindingJwk === null || decision.binding === null ? {} : { cnf: { jwk: thumbprintMembers(bindingJwk) } }),
    'ear.verifier-id': { developer: 'veritee', build },
    submods: submodules(decision),
    decision: decision.decision,
    reasons: decision.reasons,
    evidence: { ...decision.evidence },
    policies: decision.policies.map(({ id, version, sha256 }) => ({ id, version, sha256 })),
    endorsements: [...new Set(decision.endorsements.map(({ sha256 }) => sha256))],
  };
}

/** Policy ids, sorted, so that the same policies always give the same subject. */
function subjectPolicies({ policies }: Decision): string {
  return policies
    .map(({ id }) => id)
    .toSorted()
    .join(' ');
}

/** One EAR appraisal for each attester. EAR requires at least one, even without an appraisal. */
function submodules(decision: Decision): JsonObject {
  const { trust, evidence } = decision;
  const appraised = Object.entries(trust.submods);
  const unjudged = [[tokenRouteOf(evidence.type) ?? 'hardware', UNJUDGED] as const];
  const policyId = decision.policies.map(({ id, sha256 }) => `${id}@sha256:${sha256}`).join(' ');
  return Object.fromEntries(
    (appraised.length > 0 ? appraised : unjudged).map(([name, { status, vector }]) => [
      name,
      {
        'ear.status': status,
        'ear.trustworthiness-vector': Object.keys(vector).length > 0 ? vector : UNJUDGED.vector,
        'ear.appraisal-policy-id': policyId,
      },
    ]),
  );
}

/** 0: no claim is made. */
const UNJUDGED: TrustSubmodule = { status: 'none', vector: { 'instance-identity': 0 } };

function secondsOf(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}
