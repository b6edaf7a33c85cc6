import { hex } from '../../../core/bytes.js';
import type { Checks } from '../../../core/check.js';
import type { CheckId } from '../../../core/codes.js';
import type { AkIssuersRequest, HashedDer, UsedEndorsement } from '../../../core/endorsement.js';
import { nullIfMalformed, within } from '../../../core/errors.js';
import type { AkCertificateInput } from '../../../core/evidence.js';
import { memoized } from '../../../core/memoized.js';
import type { VerificationContext } from '../../../core/verification.js';
import { describePathProblem, earliestEnd, verifyCertificatePath } from '../../../crypto/certificate-path.js';
import { sha256 } from '../../../crypto/digest.js';
import { spkiDigest } from '../../../crypto/key-cache.js';
import { completePath } from '../../../crypto/path-building.js';
import type { PathProfile } from '../../../crypto/path-profile.js';
import { isSameName } from '../../../formats/distinguished-name.js';
import { parseCertificate, type X509Certificate } from '../../../formats/x509-certificate.js';
import { EXTENSION, onlyExtension, parseExtendedKeyUsage } from '../../../formats/x509-extension.js';
import { verifyValidity } from '../evidence/path-checks.js';
import { readAkChain, readAkLeaf } from '../format/ak-certificate-input.js';
import type { AkRoots } from './ak-roots.js';

/** JSON pointer of an attestation key's certificate in a request. */
export const AK_LEAF = '/evidence/akCertificate';
const CHAIN = '/evidence/akChain';

/** Checks of every AK certificate, in this order. */
export const AK_PATH_CHECKS = ['ak_cert_untrusted', 'cert_validity'] as const satisfies readonly CheckId[];

/** Key purpose of an attestation key (TCG EK credential profile, 3.2.16). Every leaf of Azure has it. */
const ATTESTATION_KEY = '2.23.133.8.3';

const VALID = { detail: 'the AK certificate and its chain are valid at the verification time' };

/**
 * Maximum of certificates above the leaf that are parsed. One more than a valid chain has, so that a longer one fails.
 */
const READ_ABOVE = 5;

/** The parsed certificate of an attestation key in evidence, and the chain above it. */
export type AkPath = readonly [leaf: X509Certificate, ...chain: X509Certificate[]];

/** The profile of such certificates, and the trust anchors of their paths. */
export interface AkTrust {
  readonly roots: AkRoots;
  /** Its own `anchors` are ignored: the anchors are `roots`. */
  readonly profile: PathProfile;
}

/** A path that ends at a pinned key and is valid. */
export interface TrustedAkPath {
  readonly leaf: X509Certificate;
  readonly root: X509Certificate;
  readonly endorsements: readonly UsedEndorsement[];
  readonly validUntil: Date;
}

/** @throws {FormatError} `cert_format` */
export function readAkPath(input: AkCertificateInput): AkPath {
  return [within(AK_LEAF, () => readAkLeaf(input)), ...within(CHAIN, () => readAkChain(input, READ_ABOVE))];
}

/**
 * Requests the missing issuer of a path. Requests none if the path ends at a pinned key, even if the path is invalid.
 */
export function missingIssuers(path: AkPath, roots: AkRoots): readonly AkIssuersRequest[] {
  const last = lastOf(path);
  return anchorsOf(roots).has(spkiDigest(last)) ? [] : [{ kind: 'ak-issuers', issuer: last.issuer.der }];
}

/**
 * Verifies the certificate of an attestation key: its path to a pinned key, its purpose and its validity.
 *
 * Fetches nothing, even if a certificate names an address. Caches nothing, because an attestation key can be new at
 * each boot. Not checked: revocation, for which no CRL is available offline, and the key purposes of the CAs.
 *
 * @param trusts replaces the detail of the check if it passes
 */
export function verifyAkPath(
  all: Checks,
  sent: AkPath,
  { roots, profile }: AkTrust,
  { at, endorsements }: Pick<VerificationContext, 'at' | 'endorsements'>,
  trusts: { readonly detail?: string } = {},
): TrustedAkPath | null {
  const checks = all.at(AK_LEAF);
  const ofRoots = { ...profile, anchors: anchorsOf(roots) };
  const atHand = (endorsements.akIssuers ?? []).flatMap(({ value }) => readIssuer(value) ?? []);
  const path = completePath(sent, { atHand, profile: ofRoots, at });
  if (!verifyTrust(checks, path, ofRoots, trusts) || !verifyValidity(checks, path, at, VALID)) return null;
  return {
    leaf: sent[0],
    root: lastOf(path),
    endorsements: path.map((certificate, index) => endorsementOf(certificate, index, sent.length)),
    validUntil: earliestEnd(path),
  };
}

/** Parses an issuer; null if it is malformed. Memoized: a source returns the same object as long as it caches it. */
const readIssuer = memoized(({ der }: HashedDer) => nullIfMalformed(() => parseCertificate(der)));

function verifyTrust(
  checks: Checks,
  path: readonly X509Certificate[],
  profile: PathProfile,
  trusts: { readonly detail?: string },
): boolean {
  const problem = pathProblem(path, profile);
  const missing = missingName(path, profile);
  const trusted = checks.require(problem === null, 'ak_cert_untrusted', {
    ...trusts,
    ...(missing === null ? {} : { missing }),
    otherwise: `the AK certificate cannot be relied on: ${problem}`,
    faults: problem === null ? [] : [problem],
  });
  if (!trusted) checks.skip(['cert_validity'], 'the AK certificate cannot be relied on');
  return trusted;
}

/** The fault of a path at any time; null if there is none. */
function pathProblem(path: readonly X509Certificate[], profile: PathProfile): string | null {
  const [leaf] = path;
  if (leaf === undefined || path.length === 1) return 'no chain was sent with it';
  const [problem] = verifyCertificatePath(path, profile);
  if (problem !== undefined) return describePathProblem(problem);
  return hasPurpose(leaf) ? null : 'it is not marked as an AK certificate';
}

/** The issuer name of the first certificate whose issuer is not in the path; null if no issuer is missing. */
function missingName(path: readonly X509Certificate[], { anchors }: PathProfile): string | null {
  const orphan = path.find((certificate, index) => {
    const above = path[index + 1];
    if (above !== undefined) return !isSameName(certificate.issuer, above.subject);
    return !anchors.has(spkiDigest(certificate)) && !isSameName(certificate.issuer, certificate.subject);
  });
  return orphan?.issuer.commonName ?? null;
}

function hasPurpose({ extensions }: X509Certificate): boolean {
  const usage = onlyExtension(extensions, EXTENSION.extendedKeyUsage);
  return usage !== null && nullIfMalformed(() => parseExtendedKeyUsage(usage))?.includes(ATTESTATION_KEY) === true;
}

function anchorsOf({ azure, configured }: AkRoots): ReadonlySet<string> {
  return new Set([...azure, ...configured]);
}

function lastOf<T>(items: readonly T[]): T {
  const last = items.at(-1);
  if (last === undefined) throw new RangeError('a path has a leaf');
  return last;
}

function endorsementOf({ der, notAfter }: X509Certificate, index: number, sent: number): UsedEndorsement {
  return {
    kind: index === 0 ? 'ak' : 'ak-ca',
    sha256: hex(sha256(der)),
    source: index < sent ? 'evidence' : 'store',
    notAfter,
    fetchedAt: null,
    revocation: 'not_applicable',
  };
}
