import type { Checks } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import type { UsedEndorsement } from '../../core/endorsement.js';
import type { RsaPublicKey } from '../../core/rsa-public-key.js';
import type { VerificationContext } from '../../core/verification.js';
import type { Verified } from '../../core/verified.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { spkiDigest } from '../../crypto/key-cache.js';
import { RSA_PKCS1_PROFILE } from '../../crypto/path-profile.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import {
  AK_LEAF,
  AK_PATH_CHECKS,
  type AkPath,
  type TrustedAkPath,
  verifyAkPath,
} from '../shared/attestation-key/ak-path.js';
import type { AkRoots } from '../shared/attestation-key/ak-roots.js';

/** Checks that must have an outcome where a certificate was sent. */
export const AK_CERTIFICATE_CHECKS = ['hcl_ak_mismatch', ...AK_PATH_CHECKS] as const satisfies readonly CheckId[];

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

/** The verdict on evidence without a certificate. */
export const NO_AK_VERDICT: AkVerdict = { knowsParavisor: false, endorsements: [], validUntil: null };

/** The end of the subject of a confidential VM's certificate. Those of Trusted Launch end in `.TrustedVM.…`. */
const CONFIDENTIAL_VM = '.ConfidentialVM.Azure.windows.net';

/**
 * Judges the certificate of an attestation key, whenever one is sent. It never replaces the binding of the key to the
 * hardware report, and its absence says nothing: a vTPM that is made anew at each boot may have none yet.
 *
 * @param key the attestation key of the runtime claims; null where nothing vouches for one
 */
export function verifyAkCertificate(
  all: Checks,
  path: AkPath,
  key: Verified<RsaPublicKey> | null,
  roots: AkRoots,
  context: VerificationContext,
): AkVerdict {
  const same = verifyKey(all.at(AK_LEAF), path[0], key);
  // Authorities of Azure have 4096 bits, attestation keys 2048 or 3072.
  const trusted = verifyAkPath(all, path, { roots, profile: RSA_PKCS1_PROFILE }, context);
  if (trusted === null || !same) return NO_AK_VERDICT;
  const { endorsements, validUntil } = trusted;
  return { knowsParavisor: knowsParavisor(trusted, roots), endorsements, validUntil };
}

function verifyKey(checks: Checks, { publicKey }: X509Certificate, key: Verified<RsaPublicKey> | null): boolean {
  if (key === null) {
    checks.skip(['hcl_ak_mismatch'], 'no verified report certifies the attestation key');
    return false;
  }
  const same =
    publicKey.kind === 'rsa' &&
    equalInConstantTime(publicKey.modulus, key.n) &&
    equalInConstantTime(publicKey.exponent, key.e);
  return checks.require(same, 'hcl_ak_mismatch');
}

function knowsParavisor({ leaf, root }: TrustedAkPath, { azure, paravisorsSince }: AkRoots): boolean {
  if (!azure.has(spkiDigest(root))) return false;
  const { notBefore, subject } = leaf;
  const counts = paravisorsSince !== null && notBefore !== null && notBefore >= paravisorsSince;
  return counts && subject.commonName?.endsWith(CONFIDENTIAL_VM) === true;
}
