import type { Checks } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import type { TokenKey, TokenKeySet } from '../../core/endorsement.js';
import { TRUST_AUTHORITY_ISSUERS } from '../../core/trust-authority-issuers.js';
import { type KeyCertificates, verifyKeyCertificates } from '../shared/tokens/token-certificates.js';

/** A Trust Authority whose tokens are accepted. */
export interface ItaIssuer {
  /** `iss`, character by character: a URL or a name, it differs by region. */
  readonly issuer: string;
  /**
   * SHA-256 of the certificates, or of their SubjectPublicKeyInfos, that the certificate of a signing key must chain to,
   * lower-case hex; null where the origin or the file that the keys are from is the trust.
   */
  readonly roots: ReadonlySet<string> | null;
  /** Ids of policies, in lower case, that every token has to have matched: the caller's own tokens too. */
  readonly policyIds: ReadonlySet<string>;
}

/** Intel's own instances, by `iss`: the origin of their keys is the trust, and no policy is required. */
export function publicItaIssuers(): ReadonlyMap<string, ItaIssuer> {
  return new Map(
    TRUST_AUTHORITY_ISSUERS.map(({ issuer }) => [issuer, { issuer, roots: null, policyIds: new Set<string>() }]),
  );
}

/** The checks that need an outcome if roots are pinned. */
export const CHAIN_CHECKS = ['cert_untrusted', 'cert_validity', 'cert_revoked'] as const satisfies readonly CheckId[];

/**
 * The certificates of the key that signed. With pinned roots: up to one of them, and none revoked by the CRL of its
 * issuer. A root that only the key set supplies proves nothing: an attacker who can write the set can write the root too.
 *
 * @returns null where the key cannot be relied on; the checks say why
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
