import type { Check, Checks } from '../../core/check.js';
import { NO_ENDORSEMENTS, type TokenKey } from '../../core/endorsement.js';
import { FormatError } from '../../core/errors.js';
import { sha256 } from '../../crypto/digest.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import { isPadded } from '../shared/binding/held-value.js';
import type { SnpReportVerifier } from '../shared/evidence/parts.js';
import { type KeyCertificates, verifyKeyCertificates } from '../shared/tokens/token-certificates.js';
import {
  type MaaSignerEvidence,
  parseMaaSignerEvidence,
  type SnpSignerEvidence,
} from './format/maa-signer-evidence.js';
import type { MaaIssuer } from './issuer-policy.js';

/**
 * Verifies the certificates that an instance publishes for its signing key, and the evidence in them that a TEE holds
 * the key. No root is pinned, because an instance signs its own certificate. The origin of the key set identifies the
 * key.
 *
 * Verifies SNP evidence even if the configuration does not require a TEE.
 *
 * @returns null if the key cannot be relied on; the checks give the reason
 */
export async function verifySigner(
  checks: Checks,
  key: TokenKey,
  { teeSigner }: MaaIssuer,
  reports: SnpReportVerifier,
  at: Date,
): Promise<KeyCertificates | null> {
  const certificates = verifyKeyCertificates(checks, key, { roots: null, revocation: null, at });
  if (certificates === null) return null;
  const evidence = evidenceOf(certificates.path[0]);
  if (evidence.tee === 'snp') {
    return (await verifyGuest(checks, key, evidence, reports, at)) ? certificates : null;
  }
  const detail = LACKS[evidence.tee];
  if (evidence.tee === 'unreadable' || teeSigner === 'required') {
    checks.fail('token_key', { expected: 'a key that a tee holds', actual: evidence.tee, detail });
    return null;
  }
  // Not recorded as `token_key`, which must pass: the configuration requires no TEE-protected key.
  if (evidence.tee !== 'none') checks.notConfigured('cert_extension', detail);
  return certificates;
}

type Evidence = MaaSignerEvidence | { readonly tee: 'none' | 'unreadable' };

const LACKS: { readonly [tee in Exclude<Evidence['tee'], 'snp'>]: string } = {
  none: 'the issuer publishes no certificate of the key that shows that a TEE holds it',
  sgx: 'the certificate of the key carries an SGX quote, which is not verified here',
  other: 'the certificate of the key carries evidence of a kind of TEE that is not verified here',
  unreadable: 'the evidence in the certificate of the key cannot be read',
};

function evidenceOf(certificate: X509Certificate | undefined): Evidence {
  try {
    return (certificate && parseMaaSignerEvidence(certificate)) ?? { tee: 'none' };
  } catch (error) {
    if (error instanceof FormatError) return { tee: 'unreadable' };
    throw error;
  }
}

/**
 * Verifies the report of an SEV-SNP guest. Its REPORT_DATA must be the digest of the key. The certificate contains the
 * endorsements of the report but no CRL. A missing CRL, which could only revoke AMD's intermediate, is a warning.
 */
async function verifyGuest(
  checks: Checks,
  key: TokenKey,
  evidence: SnpSignerEvidence,
  reports: SnpReportVerifier,
  at: Date,
): Promise<boolean> {
  const problem = await guestProblem(key, evidence, reports, at);
  const held = checks.require(problem === null, 'token_key', {
    expected: 'a key that a tee holds',
    detail: 'the certificate of the key shows that an SNP guest holds it',
    otherwise: `the certificate of the key does not show that an SNP guest holds it: ${problem}`,
  });
  if (held) {
    checks.warn('crl_unavailable', {
      detail: 'no CRL is available for the report in the certificate of the key',
    });
  }
  return held;
}

async function guestProblem(
  key: TokenKey,
  { report, vek, chain }: SnpSignerEvidence,
  reports: SnpReportVerifier,
  at: Date,
): Promise<string | null> {
  try {
    const supplied = { vek: { pem: vek }, chain, certificateTable: null, crls: [] };
    const opened = reports.open(report, supplied, { report: '', endorsements: '' });
    const { checks, reportData } = await opened.verify({ at, endorsements: NO_ENDORSEMENTS });
    const unmet = checks.find((check) => !isMet(check));
    if (unmet !== undefined) return `${unmet.id}: ${unmet.detail}`;
    return isPadded(reportData, keyDigest(key)) ? null : 'report data is not the digest of the key';
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

function isMet({ id, result }: Check): boolean {
  return result === 'pass' || result === 'warn' || (id === 'crl_unavailable' && result === 'unavailable');
}

/**
 * SHA-256 of the SubjectPublicKeyInfo as PEM text, with LF line ends and a NUL at the end. The SGX quotes in
 * certificates of 2020 have this digest in their report data. Microsoft's verifier of SEV-SNP certificates expects it
 * too.
 */
function keyDigest({ spki }: TokenKey): Uint8Array {
  const lines =
    Buffer.from(spki)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', '\0'].join('\n');
  return sha256(Buffer.from(pem, 'latin1'));
}
