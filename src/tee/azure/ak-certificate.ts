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

/** Checks that must have an outcome if a certificate was sent. */
export const AK_CERTIFICATE_CHECKS = ['hcl_ak_mismatch', ...AK_PATH_CHECKS] as const satisfies readonly CheckId[];

export interface AkVerdict {
  /**
   * Whether Azure certifies that the key belongs to the vTPM of a confidential VM, in a certificate of a date that the
   * operator trusts. Azure verifies the paravisor before it issues the certificate. The certificate does not cover this
   * report: another guest may have put the same key into claims of its own.
   */
  readonly knowsParavisor: boolean;
  readonly endorsements: readonly UsedEndorsement[];
  readonly validUntil: Date | null;
}

/** The verdict if there is no certificate. */
export const NO_AK_VERDICT: AkVerdict = { knowsParavisor: false, endorsements: [], validUntil: null };

/** Suffix of the subject common name for a confidential VM. For a Trusted Launch VM it begins with `.TrustedVM.`. */
const CONFIDENTIAL_VM = '.ConfidentialVM.Azure.windows.net';

/**
 * Verifies the certificate of an attestation key, if one was sent. The certificate never replaces the binding of the
 * key to the hardware report. It is optional: a vTPM that is new at each boot may have no certificate yet.
 *
 * @param key the attestation key in the runtime claims; null if no verified report vouches for it
 */
export function verifyAkCertificate(
  all: Checks,
  path: AkPath,
  key: Verified<RsaPublicKey> | null,
  roots: AkRoots,
  context: VerificationContext,
): AkVerdict {
  const same = verifyKey(all.at(AK_LEAF), path[0], key);
  // Azure's CA keys have 4096 bits, attestation keys 2048 or 3072.
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
