import { describePathProblem, earliestEnd, verifyCertificatePath } from '../../crypto/certificate-path.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { hex, sha256 } from '../../crypto/digest.js';
import { spkiDigest } from '../../crypto/key-cache.js';
import { RSA_PKCS1_PROFILE } from '../../crypto/path-profile.js';
import { readAkChain, readAkLeaf } from '../../formats/ak-certificate-input.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import { EXTENSION, onlyExtension, parseExtendedKeyUsage } from '../../formats/x509-extension.js';
import type { Checks } from '../../model/check.js';
import type { CheckId } from '../../model/codes.js';
import type { UsedEndorsement } from '../../model/endorsement.js';
import { nullIfMalformed, within } from '../../model/errors.js';
import type { AkCertificateInput } from '../../model/evidence.js';
import type { RsaPublicKey } from '../../model/rsa-public-key.js';
import type { Verified } from '../../model/verified.js';
import { verifyValidity } from '../evidence/path-checks.js';
import type { AkRoots } from './ak-roots.js';

const LEAF = '/evidence/akCertificate';
const CHAIN = '/evidence/akChain';

/** Checks that must have an outcome where a certificate was sent. */
export const AK_CERTIFICATE_CHECKS = [
  'hcl_ak_mismatch',
  'ak_cert_untrusted',
  'cert_validity',
] as const satisfies readonly CheckId[];

export interface AkVerdict {
  /**
   * Azure certifies that the key is that of a confidential VM's vTPM. It does so after it has judged the paravisor, and the
   * operator trusts certificates of that day. It says nothing about this report: its other claims may be those of another
   * guest that names the same key.
   */
  readonly knowsParavisor: boolean;
  readonly endorsements: readonly UsedEndorsement[];
  readonly validUntil: Date | null;
}

/** Of evidence that has no certificate. */
export const NO_AK_VERDICT: AkVerdict = { knowsParavisor: false, endorsements: [], validUntil: null };

/** TCG EK credential profile, 3.2.16: the certificate is of an attestation key. In every leaf of Azure's. */
const ATTESTATION_KEY = '2.23.133.8.3';

/** What the subject of a confidential VM's certificate ends in. Those of Trusted Launch end in `.TrustedVM.…`. */
const CONFIDENTIAL_VM = '.ConfidentialVM.Azure.windows.net';

const VALID = { detail: 'the AK certificate and its chain are valid at the verification time' };

/** With the leaf one more than a chain may have: a chain that goes on is too long whatever follows. */
const READ_ABOVE = 5;

/** The certificate of an attestation key that came with evidence, and the chain above it, read. */
export type AkPath = readonly X509Certificate[];

/** @throws {FormatError} `cert_format` */
export function readAkPath(input: AkCertificateInput): AkPath {
  return [within(LEAF, () => readAkLeaf(input)), ...within(CHAIN, () => readAkChain(input, READ_ABOVE))];
}

/**
 * Judges the certificate of an attestation key, whenever one is sent. It never replaces the binding of the key to the
 * hardware report, and its absence says nothing: a vTPM that is made anew at each boot may have none yet.
 *
 * Nothing is fetched, whatever address the certificates name. Nothing is kept from one request to the next either: such
 * a key lives for one boot. Not checked: revocation, which nothing serves offline, and the purposes of the authorities.
 *
 * @param key the attestation key of the runtime claims; null where nothing vouches for one
 */
export function verifyAkCertificate(
  all: Checks,
  path: AkPath,
  key: Verified<RsaPublicKey> | null,
  roots: AkRoots,
  at: Date,
): AkVerdict {
  const checks = all.at(LEAF);
  const same = verifyKey(checks, path[0], key);
  const holds = verifyTrust(checks, path, roots) && verifyValidity(checks, path, at, VALID);
  if (!holds || !same) return NO_AK_VERDICT;
  return {
    knowsParavisor: knowsParavisor(path, roots),
    endorsements: path.map((certificate, index) => endorsementOf(certificate, index)),
    validUntil: earliestEnd(path),
  };
}

function verifyKey(checks: Checks, leaf: X509Certificate | undefined, key: Verified<RsaPublicKey> | null): boolean {
  if (key === null) {
    checks.skip(['hcl_ak_mismatch'], 'no verified report certifies the attestation key');
    return false;
  }
  const publicKey = leaf?.publicKey;
  const same =
    publicKey?.kind === 'rsa' &&
    equalInConstantTime(publicKey.modulus, key.n) &&
    equalInConstantTime(publicKey.exponent, key.e);
  return checks.require(same, 'hcl_ak_mismatch');
}

function verifyTrust(checks: Checks, path: readonly X509Certificate[], { azure, configured }: AkRoots): boolean {
  const problem = pathProblem(path, new Set([...azure, ...configured]));
  const trusted = checks.require(problem === null, 'ak_cert_untrusted', {
    otherwise: `the AK certificate cannot be relied on: ${problem}`,
  });
  if (!trusted) checks.skip(['cert_validity'], 'the AK certificate cannot be relied on');
  return trusted;
}

/** What does not hold whatever the time; null where all does. */
function pathProblem(path: readonly X509Certificate[], anchors: ReadonlySet<string>): string | null {
  const [leaf] = path;
  if (leaf === undefined || path.length === 1) return 'no chain was sent with it';
  // Authorities of Azure have 4096 bits, attestation keys 2048 or 3072.
  const [problem] = verifyCertificatePath(path, { ...RSA_PKCS1_PROFILE, anchors });
  if (problem !== undefined) return describePathProblem(problem);
  return hasPurpose(leaf) ? null : 'it is not marked as an AK certificate';
}

function hasPurpose({ extensions }: X509Certificate): boolean {
  const usage = onlyExtension(extensions, EXTENSION.extendedKeyUsage);
  return usage !== null && nullIfMalformed(() => parseExtendedKeyUsage(usage))?.includes(ATTESTATION_KEY) === true;
}

function knowsParavisor(path: readonly X509Certificate[], { azure, paravisorsSince }: AkRoots): boolean {
  const [leaf] = path;
  const root = path.at(-1);
  if (leaf === undefined || root === undefined || !azure.has(spkiDigest(root))) return false;
  const { notBefore, subject } = leaf;
  const counts = paravisorsSince !== null && notBefore !== null && notBefore >= paravisorsSince;
  return counts && subject.commonName?.endsWith(CONFIDENTIAL_VM) === true;
}

function endorsementOf({ der, notAfter }: X509Certificate, index: number): UsedEndorsement {
  return {
    kind: index === 0 ? 'ak' : 'ak-ca',
    sha256: hex(sha256(der)),
    source: 'evidence',
    notAfter,
    revocation: 'not_applicable',
  };
}
