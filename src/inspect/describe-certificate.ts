import { hex } from '../core/bytes.js';
import { within } from '../core/errors.js';
import type { AkCertificateInput } from '../core/evidence.js';
import { DER, DerReader } from '../formats/der.js';
import type { X509Certificate } from '../formats/x509-certificate.js';
import { EXTENSION, onlyExtension, parseExtendedKeyUsage } from '../formats/x509-extension.js';
import { readAkChain, readAkLeaf } from '../tee/shared/format/ak-certificate-input.js';
import { FieldTable, type StructureDescription, startIn } from './field-description.js';

/**
 * Describes the usual fields of a certificate (RFC 5280 4.1).
 * @param start offset in the object named by `about`; null if that is not the certificate in DER
 */
export function describeCertificate(
  certificate: X509Certificate,
  name: string,
  about: string,
  start: number | null,
): StructureDescription {
  const { serial, issuer, subject, notBefore, notAfter, publicKey, spki, outerAlgorithm, signature, der } = certificate;
  const key =
    publicKey.kind === 'rsa' ? `RSA, ${publicKey.bits} bits` : publicKey.kind === 'ec' ? publicKey.curve : 'other';
  const validity = readerBehind(der, issuer.der).open(DER.sequence, 'validity');
  const table = new FieldTable(der)
    .part('subject', subject.der, subject.commonName, 'common name')
    .part('issuer', issuer.der, issuer.commonName, 'common name')
    .part('serial number', serial, hex(serial))
    .part('not before', validity.any('not before').bytes, notBefore?.toISOString() ?? null)
    .part('not after', validity.any('not after').bytes, notAfter?.toISOString() ?? null)
    .part('key', spki, key)
    .part('signature algorithm', outerAlgorithm.bytes, outerAlgorithm.name)
    .part('signature', signature, hex(signature));
  const usage = onlyExtension(certificate.extensions, EXTENSION.extendedKeyUsage);
  if (usage !== null) table.part('extended key usage', usage.value, parseExtendedKeyUsage(usage));
  return { name, about, start, length: der.byteLength, fields: table.fields };
}

/** Returns a reader of the bytes after a part of DER. */
export function readerBehind(der: Uint8Array, part: Uint8Array): DerReader {
  return new DerReader(der, part.byteOffset - der.byteOffset + part.byteLength, der.byteLength);
}

/**
 * Describes the certificate of an attestation key, and each of its chain.
 * @throws {FormatError} `cert_format` at the leaf or the chain
 */
export function describeAkCertificate(
  input: AkCertificateInput,
  about: { readonly leaf: string; readonly chain: string },
): readonly StructureDescription[] {
  const { certificate } = input;
  return [
    within(about.leaf, () => {
      const leaf = readAkLeaf(input);
      const start = 'der' in certificate ? startIn(certificate.der, leaf.der) : null;
      return describeCertificate(leaf, 'AK certificate', about.leaf, start);
    }),
    ...within(about.chain, () =>
      readAkChain(input).map((above) => describeCertificate(above, 'certificate above the AK', about.chain, null)),
    ),
  ];
}
