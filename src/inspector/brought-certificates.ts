import { latin1 } from '../core/bytes.js';
import { nullIfMalformed } from '../core/errors.js';
import { withoutFilling } from '../formats/der.js';
import { parsePemCertificates } from '../formats/pem.js';
import { parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { parseSnpCertificateTable } from '../tee/snp/format/snp-certificate-table.js';
import { SNP_REPORT_LENGTH } from '../tee/snp/format/snp-report.js';
import type { FoundBytes } from './structures.js';

/** Every certificate in the evidence, then those from the service. */
export function certificatesIn(found: readonly FoundBytes[]): readonly X509Certificate[] {
  return found
    .flatMap(({ kind, bytes }) => dersIn(kind, bytes))
    .flatMap((der) => {
      const certificate = nullIfMalformed(() => parseCertificate(der, { allowZeroSerial: true }));
      return certificate === null ? [] : [certificate];
    });
}

function dersIn(kind: FoundBytes['kind'], bytes: Uint8Array): readonly Uint8Array[] {
  switch (kind) {
    case 'certificate':
      return [withoutFilling(bytes)];
    case 'pem':
      return nullIfMalformed(() => parsePemCertificates(latin1(bytes), 'cert_format')) ?? [];
    case 'snp-certificate-table':
      return tableIn(bytes);
    case 'snp-extended-report':
      return tableIn(bytes.subarray(SNP_REPORT_LENGTH));
    default:
      return [];
  }
}

const tableIn = (bytes: Uint8Array) => Object.values(nullIfMalformed(() => parseSnpCertificateTable(bytes)) ?? {});
