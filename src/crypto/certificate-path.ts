import { hex } from '../core/bytes.js';
import type { CheckId } from '../core/codes.js';
import { isSameName } from '../formats/distinguished-name.js';
import type { X509Certificate } from '../formats/x509-certificate.js';
import { EXTENSION, repeatedExtension } from '../formats/x509-extension.js';
import { algorithmFitsKey, verifyIssuedSignature } from './issued-signature.js';
import { spkiDigest } from './key-cache.js';
import { keyProblem, type PathProfile } from './path-profile.js';

export type PathProblemCode = Extract<
  CheckId,
  | 'cert_untrusted'
  | 'cert_signature'
  | 'cert_algorithm'
  | 'cert_not_ca'
  | 'cert_path'
  | 'cert_role'
  | 'cert_extension'
  | 'cert_validity'
>;

/** The fault of a certificate of a chain. */
export interface PathProblem {
  readonly code: PathProblemCode;
  /** Position in the chain, 0 for the leaf. */
  readonly index: number;
  /** One sentence as message: lower case, no period. */
  readonly detail: string;
}

/** Most certificates of a path, with leaf and anchor. */
export const MAXIMUM_PATH = 5;

/** Critical extensions that this module checks (RFC 5280 4.2). */
const UNDERSTOOD: ReadonlySet<string> = new Set([EXTENSION.basicConstraints, EXTENSION.keyUsage]);

/** A certificate of a chain with its issuer; the anchor is its own issuer. */
interface Link {
  readonly certificate: X509Certificate;
  readonly issuer: X509Certificate;
  readonly index: number;
  readonly isAnchor: boolean;
}

interface Step {
  readonly code: PathProblemCode;
  /** Returns why the certificate fails the step; null if it passes. */
  readonly fails: (link: Link, profile: PathProfile) => string | null;
}

/**
 * Steps for a single certificate. The caller checks its permitted use. Statements of a certificate count only after
 * its signature is verified, so that step comes first, as soon as it is possible.
 */
const ALONE: readonly Step[] = [
  { code: 'cert_untrusted', fails: chaining },
  { code: 'cert_algorithm', fails: signatureAlgorithm },
  { code: 'cert_signature', fails: signature },
  { code: 'cert_algorithm', fails: innerAlgorithm },
  { code: 'cert_algorithm', fails: ownKey },
  { code: 'cert_extension', fails: extensions },
];

/** Steps for each certificate of a chain. */
const STEPS: readonly Step[] = [
  ...ALONE,
  { code: 'cert_not_ca', fails: authority },
  { code: 'cert_path', fails: pathLength },
  { code: 'cert_role', fails: leafUse },
];

/**
 * Verifies a certification path (RFC 5280 section 6.1) without time, so that the result
 * can be cached for the same bytes. `checkValidity` checks time, `revocation-list.ts` revocation.
 *
 * Not checked: authority and subject key identifiers (names and signatures decide), non-critical extensions
 * (certificate policies, distribution points), and revocation.
 *
 * @param path leaf first, anchor last
 * @returns at most one problem per certificate, and one more for a repeated key; empty: the path is valid
 */
export function verifyCertificatePath(path: readonly X509Certificate[], profile: PathProfile): readonly PathProblem[] {
  return pathProblems(path, 0, profile);
}

/**
 * Verifies the path of an issuer like `verifyCertificatePath` does for the part above a
 * certificate that it issued.
 *
 * @param path the issuer first, anchor last
 * @returns as `verifyCertificatePath`; `index` counts from the issuer
 */
export function verifyIssuerPath(path: readonly X509Certificate[], profile: PathProfile): readonly PathProblem[] {
  return pathProblems(path, 1, profile).map((problem) => ({ ...problem, index: Math.max(0, problem.index - 1) }));
}

/**
 * Verifies a leaf below verified issuers. Gives the result of `verifyCertificatePath` for the whole path, if that
 * found no problem with another leaf of the same issuers and profile.
 *
 * @param issuers the issuer of the leaf first, anchor last
 */
export function verifyLeaf(
  leaf: X509Certificate,
  issuers: readonly [X509Certificate, ...X509Certificate[]],
  profile: PathProfile,
): readonly PathProblem[] {
  const link = { certificate: leaf, issuer: issuers[0], index: 0, isAnchor: false };
  return [...repeatedKeys([leaf, ...issuers], 0), ...firstProblem(link, profile)];
}

/** @param first position of the first certificate, 0 for a leaf */
function pathProblems(path: readonly X509Certificate[], first: number, profile: PathProfile): readonly PathProblem[] {
  if (path.length < 2 || path.length > MAXIMUM_PATH) {
    return [{ code: 'cert_path', index: 0, detail: `chain has ${path.length} certificates, not 2 to ${MAXIMUM_PATH}` }];
  }
  const links = path.map((certificate, position) => {
    const issuer = path[position + 1];
    return { certificate, issuer: issuer ?? certificate, index: first + position, isAnchor: issuer === undefined };
  });
  return [...repeatedKeys(path, first), ...links.flatMap((link) => firstProblem(link, profile))];
}

/**
 * Verifies a self-issued certificate without time. Its key must be one of the
 * profile's anchors; nothing else makes it trusted.
 *
 * Not checked: whether it is a CA, and its key usage.
 */
export function verifySelfSigned(certificate: X509Certificate, profile: PathProfile): PathProblem | null {
  const link = { certificate, issuer: certificate, index: 0, isAnchor: true };
  return firstProblem(link, profile, ALONE)[0] ?? null;
}

/**
 * Whether an issuer has the issuer name of a certificate, and its key verifies the signature. Finds the next certificate of a
 * path, which the caller must still verify.
 */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate, profile: PathProfile): boolean {
  const link = { certificate, issuer, index: 0, isAnchor: false };
  if (keyProblem(issuer.publicKey, profile.issuerKeys) !== null) return false;
  return [chaining, signatureAlgorithm, signature].every((fails) => fails(link, profile) === null);
}

/**
 * Checks whether every certificate of a chain is valid at a verification time. No leeway: valid from notBefore to notAfter,
 * both included (RFC 5280 4.1.2.5). A certificate without a time is not valid.
 */
export function checkValidity(path: readonly X509Certificate[], at: Date): PathProblem | null {
  for (const [index, certificate] of path.entries()) {
    const { notBefore, notAfter } = certificate;
    const fail = (what: string): PathProblem => {
      return { code: 'cert_validity', index, detail: `${nameOfCertificate(certificate)}, ${what}` };
    };
    if (notBefore === null || notAfter === null) return fail('does not state its validity as RFC 5280 requires');
    if (at < notBefore) return fail(`is valid from ${notBefore.toISOString()} on`);
    if (at > notAfter) return fail(`was valid until ${notAfter.toISOString()}`);
  }
  return null;
}

/** Identifies a certificate for its issuer: subject and serial number in hex. */
export function nameOfCertificate({ subject, serial }: X509Certificate): string {
  return `${subject.commonName ?? 'a certificate without a common name'}, serial ${hex(serial)}`;
}

/**
 * Describes a problem as one sentence with its place in the chain.
 *
 * @param roles the vendor's names for the certificates, leaf first; empty if unknown
 */
export function describePathProblem({ index, detail }: PathProblem, roles: readonly string[] = []): string {
  const role = roles[index];
  return `${detail} (certificate ${index + 1} of the chain${role === undefined ? '' : `, ${role}`})`;
}

/** The certificate that a problem concerns. @param roles as in `describePathProblem` */
export function placeOfProblem({ index }: PathProblem, roles: readonly string[] = []): string {
  const role = roles[index];
  return `certificate ${index + 1} of the chain${role === undefined ? '' : ` (${role})`}`;
}

/** When the first certificate of a chain expires; the beginning of time if one has no time. */
export function earliestEnd(path: readonly X509Certificate[]): Date {
  return new Date(Math.min(...path.map(({ notAfter }) => notAfter?.getTime() ?? 0)));
}

function firstProblem(link: Link, profile: PathProfile, steps: readonly Step[] = STEPS): PathProblem[] {
  for (const { code, fails } of steps) {
    const detail = fails(link, profile);
    if (detail !== null) return [{ code, index: link.index, detail }];
  }
  return [];
}

/** Detects a loop, or one key under two names. */
function repeatedKeys(path: readonly X509Certificate[], first: number): PathProblem[] {
  const keys = path.map(spkiDigest);
  return keys.flatMap((key, position) =>
    keys.indexOf(key) < position
      ? [{ code: 'cert_path', index: first + position, detail: 'key is in the chain twice' }]
      : [],
  );
}

/** RFC 5280 6.1.3 (a)(4). Names are compared as bytes, and give no trust: only the anchor's key does. */
function chaining({ certificate, issuer, isAnchor }: Link, { anchors }: PathProfile): string | null {
  if (isAnchor && !anchors.has(spkiDigest(certificate))) return 'chain does not end at a pinned key';
  if (!isSameName(certificate.issuer, issuer.subject)) return 'issuer is not the subject of the next certificate';
  return null;
}

function signatureAlgorithm({ certificate, issuer }: Link, profile: PathProfile): string | null {
  const { name } = certificate.outerAlgorithm;
  if (name === null || !profile.signatureAlgorithms.has(name)) return 'signature algorithm is not allowed';
  return algorithmFitsKey(name, issuer.publicKey) ? null : "signature algorithm does not fit the issuer's key";
}

/** RFC 5280 6.1.3 (a)(1). */
function signature({ certificate, issuer }: Link, { issuerKeys }: PathProfile): string | null {
  const { name } = certificate.outerAlgorithm;
  // a key that is not allowed is not used either: the step of its issuer reports it
  if (name === null || keyProblem(issuer.publicKey, issuerKeys) !== null) return null;
  return verifyIssuedSignature(certificate, name, issuer) ? null : 'signature does not verify';
}

/** RFC 5280 4.1.1.2: the signed copy must be equal, or the unsigned one could be replaced. */
function innerAlgorithm({ certificate: { innerAlgorithm: inner, outerAlgorithm: outer } }: Link): string | null {
  return Buffer.compare(inner.bytes, outer.bytes) === 0 ? null : 'the signed and the stated signature algorithm differ';
}

function ownKey({ certificate, index }: Link, profile: PathProfile): string | null {
  return keyProblem(certificate.publicKey, index === 0 ? profile.leafKeys : profile.issuerKeys);
}

/** RFC 5280 4.1.2.9 and 4.2: version 3 only, each extension once, no unsupported critical extension. */
function extensions({ certificate }: Link): string | null {
  if (certificate.version !== 3) return `certificate is of version ${certificate.version}, not 3`;
  const repeated = repeatedExtension(certificate.extensions);
  if (repeated !== null) return `extension ${repeated} appears twice`;
  const unknown = certificate.extensions.find(({ critical, oid }) => critical && !UNDERSTOOD.has(oid));
  return unknown === undefined ? null : `critical extension ${unknown.oid} is not understood`;
}

/** RFC 5280 6.1.4 (k) and (n), for the anchor too: its pinned key alone does not permit it to issue. */
function authority({ certificate: { basicConstraints, keyUsage }, index }: Link): string | null {
  if (index === 0) return null;
  if (basicConstraints === null || !basicConstraints.ca) return 'issuer is not a CA';
  if (!basicConstraints.critical) return 'basic constraints of a CA are not critical';
  return keyUsage?.keyCertSign === true ? null : 'issuer may not sign certificates';
}

/** RFC 5280 6.1.4 (l) and (m). Self-issued certificates count like all others, which is stricter. */
function pathLength({ certificate: { basicConstraints }, index }: Link): string | null {
  const allowed = basicConstraints?.pathLength ?? null;
  const below = index - 1;
  return index > 0 && allowed !== null && below > allowed ? `${below} CAs below, ${allowed} allowed` : null;
}

/** A leaf signs data: it is no CA, and a stated key usage must include signing (RFC 5280 4.2.1.3). */
function leafUse({ certificate: { basicConstraints, keyUsage }, index }: Link): string | null {
  if (index > 0) return null;
  if (basicConstraints?.ca === true) return 'leaf is a CA';
  return keyUsage === null || keyUsage.digitalSignature ? null : 'leaf may not sign data';
}
