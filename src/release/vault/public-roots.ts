import { X509Certificate as NodeCertificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { nullIfMalformed } from '../../core/errors.js';
import { parseCertificate, type X509Certificate } from '../../formats/x509-certificate.js';

/** Some public roots have the serial number zero. */
export const ROOT_RULES = { allowZeroSerial: true } as const;

let known: readonly X509Certificate[] | null = null;

/**
 * The roots of Node, which are those of Mozilla: without those of `NODE_EXTRA_CA_CERTS` and of the system. A root that
 * this service cannot parse is left out.
 */
export function publicRoots(): readonly X509Certificate[] {
  known ??= rootCertificates.flatMap((pem) => rootOf(new NodeCertificate(pem).raw) ?? []);
  return known;
}

function rootOf(der: Uint8Array): X509Certificate | null {
  return nullIfMalformed(() => parseCertificate(der, ROOT_RULES));
}
