import type { Checks } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import type { TokenKey, TokenKeySet } from '../../core/endorsement.js';
import { TRUST_AUTHORITY_ISSUERS } from '../../core/trust-authority-issuers.js';
import { type KeyCertificates, verifyKeyCertificates } from '../shared/tokens/token-certificates.js';

/** An accepted instance of Trust Authority. */
export interface ItaIssuer {
  /** `iss`, compared character by character. A URL or a name, depending on region and age. */
  readonly issuer: string;
  /**
   * SHA-256 of the trusted roots of signing key certificates, or of their SubjectPublicKeyInfos, lower-case hex. Null:
   * the origin or the file of the keys is trusted instead.
   */
  readonly roots: ReadonlySet<string> | null;
  /** Ids of the policies that every token must match, in lower case. Applies to tokens that the caller sends too. */
  readonly policyIds: ReadonlySet<string>;
}

/** Intel's instances by `iss`. The origin of their keys is trusted, and no policy is required. */
export function publicItaIssuers(): ReadonlyMap<string, ItaIssuer> {
  return new Map(
    TRUST_AUTHORITY_ISSUERS.map(({ issuer }) => [issuer, { issuer, roots: null, policyIds: new Set<string>() }]),
  );
}

/** The checks that need an outcome if roots are pinned. */
export const CHAIN_CHECKS = ['cert_untrusted', 'cert_validity', 'cert_revoked'] as const satisfies readonly CheckId[];

/**
 * Verifies the certificates of the signing key. If roots are pinned, the chain must end at one of them, and the CRLs of
 * the issuers must revoke no certificate. A root that only the key set supplies proves nothing: an attacker who can
 * write the set can write the root too.
 *
 * @returns null if the key cannot be relied on; the checks give the reason
 */
export function verifyKeyTrust(
  checks: Checks,
  key: TokenKey,
  { roots }: ItaIssuer,
  { crls }: TokenKeySet,
  at: Date,
): KeyCertificates | null {
  const revocation = roots === null ? null : { crls, required: true };
  const certificates = verifyKeyCertificates(checks, key, { roots, revocation, at });
  if (roots !== null && certificates?.path.length === 1) {
    checks.pass('cert_revoked', { detail: 'the pinned certificate is that of the key, so no CRL could name it' });
  }
  return certificates;
}
