import { hex } from '../core/bytes.js';
import { isTimeNext } from '../formats/x509-certificate.js';
import { countCrlEntries, parseCrlFrame } from '../formats/x509-crl.js';
import { EXTENSION, onlyExtension } from '../formats/x509-extension.js';
import { readerBehind } from './describe-certificate.js';
import { FieldTable, type StructureDescription } from './field-description.js';

/**
 * Describes the usual fields of a CRL (RFC 5280 5.1).
 * @param start offset in the object named by `about`; null if that is not the CRL in DER
 * @throws {FormatError} `cert_format`
 */
export function describeCrl(der: Uint8Array, about: string, start: number | null): StructureDescription {
  const list = parseCrlFrame(der);
  const { issuer, thisUpdate, nextUpdate, crlNumber, revokedCertificates, outerAlgorithm, signature } = list;
  const times = readerBehind(der, issuer.der);
  const fields = new FieldTable(der)
    .part('issuer', issuer.der, issuer.commonName, 'common name')
    .part('this update', times.any('this update').bytes, thisUpdate?.toISOString() ?? null)
    .part('next update', isTimeNext(times) ? times.any('next update').bytes : null, nextUpdate?.toISOString() ?? null)
    .part('number', onlyExtension(list.extensions, EXTENSION.crlNumber)?.value ?? null, crlNumber?.toString() ?? null)
    .part('revoked certificates', revokedCertificates?.bytes ?? null, countCrlEntries(list))
    .part('signature algorithm', outerAlgorithm.bytes, outerAlgorithm.name)
    .part('signature', signature, hex(signature)).fields;
  return { name: 'revocation list', about, start, length: der.byteLength, fields };
}
