import { hex } from '../../../core/bytes.js';
import type { Checks } from '../../../core/check.js';
import { earliest } from '../../../core/earliest.js';
import type { TokenKey } from '../../../core/endorsement.js';
import { nullIfMalformed } from '../../../core/errors.js';
import { memoized } from '../../../core/memoized.js';
import {
  describePathProblem,
  earliestEnd,
  verifyCertificatePath,
  verifySelfSigned,
} from '../../../crypto/certificate-path.js';
import { sha256 } from '../../../crypto/digest.js';
import { spkiDigest } from '../../../crypto/key-cache.js';
import { RSA_PKCS1_PROFILE } from '../../../crypto/path-profile.js';
import { KEY_CERTIFICATE } from '../../../formats/json-web-key-set.js';
import { parseCertificate, type X509Certificate } from '../../../formats/x509-certificate.js';
import { verifyValidity } from '../evidence/path-checks.js';
import { type TokenRevocation, verifyTokenRevocation } from './token-revocation.js';

export interface KeyCertificateRules {
  /**
   * SHA-256 of the trusted roots, or of their SubjectPublicKeyInfos, lower-case hex. Null: the origin of the key set is
   * trusted. The chain must then verify, and may end at any root.
   */
  readonly roots: ReadonlySet<string> | null;
  /** Null if revocation is not checked. */
  readonly revocation: TokenRevocation | null;
  readonly at: Date;
}

export interface KeyCertificates {
  /** The certificate of the key first; empty if the issuer publishes none. */
  readonly path: readonly X509Certificate[];
  /** Earliest end of the certificates and of the CRLs that were used; null if there are none. */
  readonly validUntil: Date | null;
}

/**
 * Verifies the certificates that an issuer publishes for a key, `x5c` (RFC 7517, section 4.7):
 *
 * - The first certificate holds the key.
 * - Each is signed by the next and the last by itself. A single self-signed certificate is accepted.
 * - All are valid at the verification time.
 * - The last is pinned, if roots are pinned, and none is revoked, if revocation is checked.
 *
 * The service fetched the certificates, so an invalid chain is `jwks_invalid`, and the decision is indeterminate.
 * Another root, an expired or a revoked certificate is a deny.
 *
 * @returns null if the key cannot be relied on; the checks give the reason
 */
export function verifyKeyCertificates(
  checks: Checks,
  key: TokenKey,
  { roots, revocation, at }: KeyCertificateRules,
): KeyCertificates | null {
  const { path, problem } = publishedKey(key);
  if (problem !== null) {
    checks.unavailable('jwks_invalid', { detail: `certificates of the key: ${problem}`, retryable: true });
    return null;
  }
  if (!verifyRoot(checks, path, roots)) return null;
  if (path.length === 0) return { path, validUntil: null };
  const detail = 'every certificate of the key is valid at the verification time';
  if (!verifyValidity(checks, path, at, { detail })) return null;
  const lists = revocation === null ? [] : verifyTokenRevocation(checks, path, revocation, at);
  return lists && { path, validUntil: earliest(earliestEnd(path), ...lists) };
}

/** The time-independent properties of an issuer's key, computed once for many tokens. */
interface PublishedKey {
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly sha256: string;
  /** The certificate of the key first; empty if the issuer publishes none, or if one is malformed. */
  readonly path: readonly X509Certificate[];
  /** The fault of the certificates; null if there is none. */
  readonly problem: string | null;
}

export const publishedKey: (key: TokenKey) => PublishedKey = memoized((key) => {
  const digest = hex(sha256(key.spki));
  const path = nullIfMalformed(() => key.certificates.map((der) => parseCertificate(der, KEY_CERTIFICATE)));
  if (path === null) return { sha256: digest, path: [], problem: 'cannot be read' };
  return { sha256: digest, path, problem: pathProblem(path, key) };
});

function pathProblem(path: readonly X509Certificate[], key: TokenKey): string | null {
  const [first] = path;
  const last = path.at(-1);
  if (first === undefined || last === undefined) return null;
  if (Buffer.compare(first.spki, key.spki) !== 0) return 'the first is for another key';
  // The last certificate counts as an anchor here; `verifyRoot` checks that it is trusted.
  const profile = { ...RSA_PKCS1_PROFILE, anchors: new Set([spkiDigest(last)]) };
  const problem =
    path.length === 1 ? verifySelfSigned(first, profile) : (verifyCertificatePath(path, profile)[0] ?? null);
  return problem && describePathProblem(problem);
}

/**
 * Requires that the last certificate or its key is pinned. A root that only the issuer's key set supplies proves
 * nothing.
 */
function verifyRoot(checks: Checks, path: readonly X509Certificate[], roots: ReadonlySet<string> | null): boolean {
  if (roots === null) return true;
  const last = path.at(-1);
  const digests = last === undefined ? [] : [spkiDigest(last), hex(sha256(last.der))];
  return checks.require(
    digests.some((digest) => roots.has(digest)),
    'cert_untrusted',
    {
      actual: last?.subject.commonName ?? null,
      detail: 'the certificate chain of the key ends at a root that ita.issuers[].roots pins',
      otherwise:
        last === undefined
          ? 'the issuer publishes no certificate of the key'
          : 'the certificate chain of the key does not end at a root that ita.issuers[].roots pins',
    },
  );
}
