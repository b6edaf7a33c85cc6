import type { Check } from '../../../src/core/check.js';
import type { Claims, TokenClaims } from '../../../src/core/claims.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { TokenVerification, Verification } from '../../../src/core/verification.js';
import type { RouteToken } from '../../../src/judge/route-tokens.js';
import { check } from '../policy/fixture.js';
import { AZUREVM, azClaims, ITA_NESTED, verified } from './cross-check/fixture.js';

/** Results of verifiers, to join routes. Nothing here is evidence. */

export const END = new Date('2026-06-01T13:00:00Z');

/** A genuine Azure VM, or what a test says of it. */
export function ownVerification(members: Partial<Verification> = {}): Verification {
  return {
    checks: [check('snp_signature')],
    required: ['snp_signature'],
    claims: verified(azClaims()),
    endorsements: [],
    bound: ['tpm.extraData'],
    validUntil: null,
    ...members,
  };
}

/** Evidence of which nothing was proven. */
export function unproven(...checks: readonly Check[]): Verification {
  return ownVerification({ checks, claims: verified({}), bound: [] });
}

export function tokenClaimsOf(claims: JsonObject, attestationType: string): TokenClaims {
  const stated = { complianceStatus: 'azure-compliant-cvm', secureBoot: null, tcbStatus: null, matchedPolicyIds: [] };
  return { issuer: 'https://issuer.example', attestationType, policyHash: null, claims, stated };
}

export function tokenVerification(claims: Claims, members: Partial<TokenVerification> = {}): TokenVerification {
  return {
    checks: [check('token_signature')],
    required: ['token_signature'],
    claims: verified(claims),
    endorsements: [],
    bound: ['maa.userData'],
    validUntil: END,
    clockSkewSeconds: null,
    vouchesForParavisor: false,
    ...members,
  };
}

/** A token of guest attestation that says what the hardware says, or what a test has it say. */
export function maaToken(
  payload: JsonObject = AZUREVM,
  members: Partial<TokenVerification> = {},
  submitted = false,
): RouteToken {
  const type = String(payload['x-ms-attestation-type']);
  const verification = tokenVerification({ maa: tokenClaimsOf(payload, type) }, members);
  return {
    route: 'maa',
    about: submitted ? '/attestationResults' : '/attestationResults/0/token',
    obtained: submitted ? 'a.b.c' : null,
    verification,
  };
}

export function itaToken(payload: JsonObject = ITA_NESTED, members: Partial<TokenVerification> = {}): RouteToken {
  const verification = tokenVerification(
    { ita: tokenClaimsOf(payload, 'TDX') },
    { bound: ['ita.heldData'], ...members },
  );
  return { route: 'ita', about: '/attestationResults/1/token', obtained: null, verification };
}

/** A token that could not be relied on. */
export function brokenToken(...checks: readonly Check[]): RouteToken {
  return maaToken(AZUREVM, { checks, claims: verified({}), bound: [], validUntil: null });
}
