import { FormatError } from '../../../core/errors.js';
import type { AkCertificateInput, CertificateInput } from '../../../core/evidence.js';
import { withoutFilling } from '../../../formats/der.js';
import { parsePemCertificates } from '../../../formats/pem.js';
import { parseCertificate, type X509Certificate } from '../../../formats/x509-certificate.js';

/**
 * Reads the leaf. Zeros after its DER are what fills an NV index; PEM holds exactly one block.
 *
 * @throws {FormatError} `cert_format`
 */
export function readAkLeaf({ certificate }: AkCertificateInput): X509Certificate {
  return parseCertificate('der' in certificate ? withoutFilling(certificate.der) : onlyBlock(certificate));
}

/**
 * Reads the chain. Whether it is the leaf's, and whole, is for a verifier.
 *
 * @param maximum certificates that are read; what comes after them is not looked at
 * @throws {FormatError} `cert_format`
 */
export function readAkChain(
  { chain }: AkCertificateInput,
  maximum: number = Number.POSITIVE_INFINITY,
): readonly X509Certificate[] {
  if (chain === null) return [];
  const certificates = parsePemCertificates(chain, 'cert_format').slice(0, maximum);
  return certificates.map((der) => parseCertificate(der));
}

function onlyBlock({ pem }: Extract<CertificateInput, { readonly pem: string }>): Uint8Array {
  const [der, ...others] = parsePemCertificates(pem, 'cert_format');
  if (der === undefined || others.length > 0) throw new FormatError('cert_format', 'expected exactly one certificate');
  return der;
}
