import { nullIfMalformed, UnfitError } from '../../core/errors.js';
import type { JsonObject, JsonValue } from '../../core/json.js';
import type { RsaPublicKey } from '../../core/rsa-public-key.js';
import {
  checkValidity,
  describePathProblem,
  MAXIMUM_PATH,
  verifyCertificatePath,
} from '../../crypto/certificate-path.js';
import { digest } from '../../crypto/digest.js';
import { spkiDigest } from '../../crypto/key-cache.js';
import { completePath } from '../../crypto/path-building.js';
import { type PathProfile, RSA_PKCS1_PROFILE } from '../../crypto/path-profile.js';
import { dnsNames } from '../../formats/alternative-names.js';
import { decodeStandardBase64, encodeBase64Url } from '../../formats/base64.js';
import { parseCertificate, type X509Certificate } from '../../formats/x509-certificate.js';
import { EXTENSION, onlyExtension, parseExtendedKeyUsage } from '../../formats/x509-extension.js';
import { ROOT_RULES } from './public-roots.js';

/** The rules for the certificate that signs an answer. */
export interface SignerRules {
  /** Host name of the vault, in lower case. */
  readonly host: string;
  /** The trust anchors for a path. */
  readonly roots: readonly X509Certificate[];
  readonly at: Date;
}

/** id-kp-serverAuth (RFC 5280 4.2.1.12). */
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/**
 * Returns the key that signed an answer, from the first certificate of `x5c`. It must be a server certificate of the
 * vault's domain, valid at the verification time, with a path to a root. It proves which service signed, but not which
 * vault: one certificate serves all vaults of a cloud.
 *
 * Not checked: revocation. Server certificates are valid for months, and the service has no CRL of their issuers.
 *
 * @param header unverified header
 * @throws {UnfitError} with the fault, in words of this service
 */
export function signerOf(header: JsonObject, rules: SignerRules): RsaPublicKey {
  const sent = certificatesOf(header['x5c']);
  const [leaf] = sent;
  requireThumbprint(header, 'x5t#S256', encodeBase64Url(digest('sha256', [leaf.der])));
  // SHA-1 never proves anything here: a mismatch only rejects.
  requireThumbprint(header, 'x5t', encodeBase64Url(digest('sha1', [leaf.der])));
  requirePath(sent, rules);
  if (!isFor(leaf, rules.host))
    throw new UnfitError('the certificate that signed it is not one of the domain of the vault');
  return signerKey(leaf);
}

/** RFC 7515, section 4.1.6: base64 with padding, not base64url. */
function certificatesOf(x5c: JsonValue | undefined): readonly [X509Certificate, ...X509Certificate[]] {
  if (!Array.isArray(x5c) || x5c.length > MAXIMUM_PATH) {
    throw new UnfitError(`its header has no list of one to ${MAXIMUM_PATH} certificates (x5c)`);
  }
  const [leaf, ...above] = x5c.map(certificateOf);
  if (leaf === undefined) throw new UnfitError(`its header has no list of one to ${MAXIMUM_PATH} certificates (x5c)`);
  return [leaf, ...above];
}

function certificateOf(text: JsonValue): X509Certificate {
  const certificate =
    typeof text === 'string' ? nullIfMalformed(() => parseCertificate(decodeStandardBase64(text), ROOT_RULES)) : null;
  if (certificate === null) throw new UnfitError('a certificate of its header cannot be read (x5c)');
  return certificate;
}

function requireThumbprint(header: JsonObject, name: 'x5t' | 'x5t#S256', thumbprint: string): void {
  const stated = header[name];
  if (stated !== undefined && stated !== thumbprint) {
    throw new UnfitError(`its header names another certificate than the one that signed it (${name})`);
  }
}

/** Checks signatures, CA bits and path lengths first; then purposes and validity. */
function requirePath(sent: readonly [X509Certificate, ...X509Certificate[]], { roots, at }: SignerRules): void {
  const profile = { ...RSA_PKCS1_PROFILE, anchors: new Set(roots.map(spkiDigest)) };
  const path = completePath(upToRoot(sent, profile), { atHand: roots, profile, at });
  if (path.length < 2)
    throw new UnfitError('certificates: neither what came with it nor a root is the issuer of the first');
  const [problem = checkValidity(path, at)] = verifyCertificatePath(path, profile);
  if (problem !== null) throw new UnfitError(`certificates: ${describePathProblem(problem)}`);
  // A root has no purposes: its configuration defines them.
  const wrong = path.slice(0, -1).findIndex((certificate, index) => !isForServers(certificate, index === 0));
  if (wrong >= 0) throw new UnfitError(`certificates: not for servers (certificate ${wrong + 1} of the chain)`);
}

/**
 * Returns the certificates below the first trusted key. A root may be in the answer, signed by itself or by an older one;
 * the trusted copy is used.
 */
function upToRoot(
  [leaf, ...above]: readonly [X509Certificate, ...X509Certificate[]],
  { anchors }: PathProfile,
): readonly X509Certificate[] {
  const first = above.findIndex((certificate) => anchors.has(spkiDigest(certificate)));
  return first < 0 ? [leaf, ...above] : [leaf, ...above.slice(0, first)];
}

/** An issuer without purposes may issue for all (RFC 5280 4.2.1.12); a server certificate must state its purpose. */
function isForServers({ extensions }: X509Certificate, isLeaf: boolean): boolean {
  const isStated = extensions.some(({ oid }) => oid === EXTENSION.extendedKeyUsage);
  if (!isStated) return !isLeaf;
  const usage = onlyExtension(extensions, EXTENSION.extendedKeyUsage);
  const purposes = usage && nullIfMalformed(() => parseExtendedKeyUsage(usage));
  return purposes?.includes(SERVER_AUTH) === true;
}

/** Key Vault's certificate is for `vault.azure.net` and all names below it, that of Managed HSM likewise. */
function isFor(leaf: X509Certificate, host: string): boolean {
  const domain = host.slice(host.indexOf('.') + 1);
  const fitting = new Set([host, domain, `*.${domain}`]);
  const names = nullIfMalformed(() => dnsNames(leaf)) ?? [];
  return names.some((name) => fitting.has(name.toLowerCase()));
}

function signerKey({ publicKey }: X509Certificate): RsaPublicKey {
  // The path only allows RSA keys.
  if (publicKey.kind !== 'rsa') throw new UnfitError('the certificate that signed it has no RSA key');
  return { n: publicKey.modulus, e: publicKey.exponent };
}
