import { latin1 } from '../core/bytes.js';
import { malformed, parseDerSequence } from './der.js';
import type { X509Certificate } from './x509-certificate.js';
import { EXTENSION, onlyExtension } from './x509-extension.js';

/** dNSName [2] and uniformResourceIdentifier [6], IA5String (RFC 5280 4.2.1.6). */
const DNS_NAME = 0x82;
const URI = 0x86;
/** RFC 5280 sets no limit; cloud servers have some hundred. The names are read before anything is verified. */
const MAXIMUM_NAMES = 1024;

/**
 * Returns the DNS names of a certificate (subjectAltName, RFC 5280 4.2.1.6), in order and unchanged: a name may be a
 * wildcard, and may have any bytes. Names of other kinds are left out. Empty if the extension is missing or
 * occurs twice.
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
