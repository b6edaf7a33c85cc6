import { FormatError } from '../../../core/errors.js';
import type { AkCertificateInput, CertificateInput } from '../../../core/evidence.js';
import { withoutFilling } from '../../../formats/der.js';
import { parsePemCertificates } from '../../../formats/pem.js';
import { parseCertificate, type X509Certificate } from '../../../formats/x509-certificate.js';

/**
 * Reads the leaf. Zeros may follow its DER, up to the size of its NV index. PEM must hold exactly one block.
 *
 * @throws {FormatError} `cert_format`
 */
export function readAkLeaf({ certificate }: AkCertificateInput): X509Certificate {
  return parseCertificate('der' in certificate ? withoutFilling(certificate.der) : onlyBlock(certificate));
}

/**
 * Reads the chain. Does not check that it is complete, nor that it belongs to the leaf: the verifier does.
 *
 * @param maximum number of certificates that are read; further ones are ignored
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
