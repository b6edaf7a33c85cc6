import { latin1 } from '../core/bytes.js';
import { malformed, parseDerSequence } from './der.js';
import type { X509Certificate } from './x509-certificate.js';
import { EXTENSION, onlyExtension } from './x509-extension.js';

/** dNSName [2] and uniformResourceIdentifier [6], IA5String (RFC 5280 4.2.1.6). */
const DNS_NAME = 0x82;
const URI = 0x86;
/** RFC 5280 leaves the number open; servers of a cloud have some hundred. They are read before anything is verified. */
const MAXIMUM_NAMES = 1024;

/**
 * The DNS names that a certificate is for (subjectAltName, RFC 5280 4.2.1.6), in order, as they stand: a name may be a
 * wildcard, and its bytes any. Names of other kinds are left out. Empty where the extension is missing, and where it
 * comes twice.
 *
 * @throws {FormatError} `cert_format`
 */
export function dnsNames(certificate: Pick<X509Certificate, 'extensions'>): readonly string[] {
  return namesOf(certificate, DNS_NAME);
}

/** The URIs of the same extension, such as a SPIFFE ID. @throws {FormatError} `cert_format` */
export function uriNames(certificate: Pick<X509Certificate, 'extensions'>): readonly string[] {
  return namesOf(certificate, URI);
}

function namesOf({ extensions }: Pick<X509Certificate, 'extensions'>, kind: number): readonly string[] {
  const extension = onlyExtension(extensions, EXTENSION.subjectAltName);
  if (extension === null) return [];
  const reader = parseDerSequence(extension.value, 'subject alternative names');
  const names: string[] = [];
  for (let count = 1; !reader.done; count += 1) {
    if (count > MAXIMUM_NAMES) throw malformed(`more than ${MAXIMUM_NAMES} alternative names`);
    const { tag, content } = reader.any('alternative name');
    if (tag === kind) names.push(latin1(content));
  }
  return names;
}
