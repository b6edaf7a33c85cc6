import { latin1 } from '../core/bytes.js';
import { contextTag, DER, type DerReader, parseDerSequence } from './der.js';
import type { X509Certificate } from './x509-certificate.js';
import { EXTENSION, onlyExtension } from './x509-extension.js';

/** uniformResourceIdentifier [6] IA5String (RFC 5280 4.2.1.6). */
const URI = 0x86;
/** Reasons and cRLIssuer of a distribution point. */
const REASONS = 0x81;
const CRL_ISSUER = contextTag(2);

/**
 * Returns the CRL URIs of a certificate (RFC 5280 4.2.1.13), in order and unchanged.
 * Leaves out points for some reasons only, and points whose CRL another issuer signs: the service uses no such CRL.
 * Empty if the extension is missing or occurs twice.
 *
 * @throws {FormatError} `cert_format`
 */
export function crlUris({ extensions }: X509Certificate): readonly string[] {
  const extension = onlyExtension(extensions, EXTENSION.crlDistributionPoints);
  if (extension === null) return [];
  const points = parseDerSequence(extension.value, 'distribution points');
  const uris: string[] = [];
  while (!points.done) uris.push(...urisOfPoint(points.open(DER.sequence, 'distribution point')));
  return uris;
}

function urisOfPoint(point: DerReader): readonly string[] {
  const name = point.openOptional(contextTag(0), 'distribution point name');
  const restricted = point.nextTag === REASONS || point.nextTag === CRL_ISSUER;
  // nameRelativeToCRLIssuer [1] is no URI
  const fullName = name?.openOptional(contextTag(0), 'full name') ?? null;
  const uris: string[] = [];
  while (fullName !== null && !fullName.done) {
    const { tag, content } = fullName.any('general name');
    if (tag === URI) uris.push(latin1(content));
  }
  return restricted ? [] : uris;
}
