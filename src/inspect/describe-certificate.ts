import { readAkChain, readAkLeaf } from '../formats/ak-certificate-input.js';
import type { X509Certificate } from '../formats/x509-certificate.js';
import { EXTENSION, onlyExtension, parseExtendedKeyUsage } from '../formats/x509-extension.js';
import { hex } from '../model/bytes.js';
import { within } from '../model/errors.js';
import type { AkCertificateInput } from '../model/evidence.js';
import { type FieldDescription, type StructureDescription, textField } from './field-description.js';

/** A certificate by what people ask of one (RFC 5280 4.1). */
export function describeCertificate(certificate: X509Certificate, name: string, about: string): StructureDescription {
  const { serial, issuer, subject, notBefore, notAfter, publicKey, outerAlgorithm, der } = certificate;
  const key =
    publicKey.kind === 'rsa' ? `RSA, ${publicKey.bits} bits` : publicKey.kind === 'ec' ? publicKey.curve : 'other';
  return {
    name,
    about,
    start: null,
    length: der.byteLength,
    fields: [
      textField('subject', subject.commonName, 'common name'),
      textField('issuer', issuer.commonName, 'common name'),
      textField('serial number', hex(serial)),
      textField('not before', notBefore?.toISOString() ?? null),
      textField('not after', notAfter?.toISOString() ?? null),
      textField('key', key),
      textField('signature algorithm', outerAlgorithm.name),
      ...purposesOf(certificate),
    ],
  };
}

/**
 * The certificate of an attestation key, and each of its chain.
 * @throws {FormatError} `cert_format` at the leaf or the chain
 */
export function describeAkCertificate(
  input: AkCertificateInput,
  about: { readonly leaf: string; readonly chain: string },
): readonly StructureDescription[] {
  return [
    within(about.leaf, () => describeCertificate(readAkLeaf(input), 'AK certificate', about.leaf)),
    ...within(about.chain, () =>
      readAkChain(input).map((above) => describeCertificate(above, 'certificate above the AK', about.chain)),
    ),
  ];
}

function purposesOf({ extensions }: X509Certificate): readonly FieldDescription[] {
  const usage = onlyExtension(extensions, EXTENSION.extendedKeyUsage);
  return usage === null ? [] : [textField('extended key usage', parseExtendedKeyUsage(usage))];
}
