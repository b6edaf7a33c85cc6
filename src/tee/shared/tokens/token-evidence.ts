import type { Checks } from '../../../core/check.js';
import type { CheckId } from '../../../core/codes.js';
import type { UsedEndorsement } from '../../../core/endorsement.js';
import type { OpenedToken, TokenVerification, VerificationContext } from '../../../core/verification.js';
import type { VerifiedToken } from '../../../crypto/token/token-signature.js';
import { checksAt } from '../../catalogue.js';
import { expectedInToken } from '../binding/held-value.js';
import { markVerified } from '../evidence/mark-verified.js';
import { publishedKey } from './token-certificates.js';

/** JSON pointer of a token that is the evidence of a request. */
export const TOKEN = '/evidence/token';

/** Verifies a token as the evidence of a request: it must hold the caller's nonce. */
export function asEvidence(opened: OpenedToken): OpenedToken {
  return { needs: opened.needs, verify: async (context) => requireNonce(await opened.verify(context), context) };
}

function requireNonce(verification: TokenVerification, { binding }: VerificationContext): TokenVerification {
  if (binding === null) return verification;
  const checks = checksAt(TOKEN);
  checks.addAll(verification.checks);
  if (verification.validUntil === null) {
    checks.skip(['nonce_mismatch'], 'the token could not be relied on');
  } else {
    checks.require(verification.bound.length > 0, 'nonce_mismatch', {
      expected: expectedInToken(binding),
      actual: verification.held ?? null,
      detail: 'the attester vouches for the expected value',
      otherwise: 'the attester does not vouch for the expected value',
    });
  }
  return { ...verification, checks: checks.all, required: [...verification.required, 'nonce_mismatch'] };
}

/** The result for a token that cannot be relied on. */
export function refusedToken(checks: Checks, required: readonly CheckId[], because: string): TokenVerification {
  checks.skipRest(required, because);
  return {
    checks: checks.all,
    required,
    claims: markVerified({}),
    endorsements: [],
    bound: [],
    validUntil: null,
    clockSkewSeconds: null,
    vouchesForParavisor: false,
  };
}

/** The signing key as an endorsement in the answer. */
export function usedKey({ key, source, keysFetchedAt: fetchedAt }: VerifiedToken): UsedEndorsement {
  const { sha256, path } = publishedKey(key);
  const notAfter = path[0]?.notAfter ?? null;
  return { kind: 'token-key', sha256, source, notAfter, fetchedAt, revocation: 'not_applicable' };
}
