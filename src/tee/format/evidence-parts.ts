import type { EventLog } from '../../boot/format/measured-event.js';
import { fromLatin1, latin1 } from '../../core/bytes.js';
import { nullIfMalformed } from '../../core/errors.js';
import type { EvidenceType, StructureKind } from '../../core/evidence.js';
import { withoutFilling } from '../../formats/der.js';
import { parsePemBlocks, splitVcekChain } from '../../formats/pem.js';
import { parseCertificate, type X509Certificate } from '../../formats/x509-certificate.js';
import { EXTENSION, onlyExtension, parseExtendedKeyUsage } from '../../formats/x509-extension.js';
import type { HclReportType } from '../azure/format/hcl-report.js';
import { SNP_REPORT_LENGTH } from '../snp/format/snp-report.js';
import { parseTpmSignature } from '../tpm/format/tpmt-signature.js';

/** Structures that are one part of evidence, whatever they say. */
const PART_OF_KIND = {
  'snp-report': 'report',
  'snp-certificate-table': 'certificateTable',
  'hcl-report': 'hcl',
  'td-quote': 'tdQuote',
  'tpm-quote': 'quoteMessage',
  collateral: 'collateral',
  crl: 'crl',
} as const satisfies { readonly [kind in StructureKind]?: string };

/** Parts of evidence that the content of a file shows. */
type EvidencePart = (typeof PART_OF_KIND)[keyof typeof PART_OF_KIND] | 'vek' | 'chain' | 'akCertificate' | 'akChain';

/** A file may hold several parts: a report and its certificate table, or a leaf and the chain above it. */
type EvidenceParts = readonly (readonly [EvidencePart, Uint8Array])[];

/** Types of evidence that have an HCL report, by its report type; null where none has. */
export const EVIDENCE_OF_HCL = {
  snp: 'az-snp-vtpm',
  tdx: 'az-tdx-vtpm',
  tvm: 'tpm',
  vbs: null,
  cca: null,
} as const satisfies { readonly [type in HclReportType]: EvidenceType | null };

/** A TPM signature without a TPMT_SIGNATURE around it has the length of the modulus: RSA 2048, 3072 or 4096. */
const RSA_SIGNATURE_BYTES: readonly number[] = [256, 384, 512];
/** AMD's arc of certificate extensions (VCEK specification, 57230, table 8): VCEK and VLEK have them, and no other. */
const AMD_EXTENSIONS = '1.3.6.1.4.1.3704.1.';
/** TCG EK credential profile, 3.2.16: the certificate is of an attestation key. */
const ATTESTATION_KEY = '2.23.133.8.3';
const AMD_ORGANISATION = 'Advanced Micro Devices';

/**
 * Lists the parts of evidence that a structure is. Nothing is verified.
 *
 * @param kind as it was recognised
 * @returns nothing for a structure that is no part by itself: other files show which log an event log is
 */
export function partsOfStructure(kind: string, bytes: Uint8Array): EvidenceParts {
  if (kind === 'certificate') return partsOfCertificate(bytes);
  if (kind === 'pem') return partsOfPem(bytes);
  if (kind === 'snp-extended-report')
    return [
      ['report', bytes.subarray(0, SNP_REPORT_LENGTH)],
      ['certificateTable', bytes.subarray(SNP_REPORT_LENGTH)],
    ];
  const part: EvidencePart | undefined = PART_OF_KIND[kind as keyof typeof PART_OF_KIND];
  return part === undefined ? [] : [[part, bytes]];
}

/** Tells the log of the operating system (CEL) from that of the firmware. */
export function logPartOf({ format }: EventLog): 'eventLog' | 'systemLog' {
  return format === 'cel-json' || format === 'cel-tlv' ? 'systemLog' : 'eventLog';
}

/**
 * Tells by its content which parts of evidence a DER certificate is. Nothing is verified. An issuer is none: only PEM texts
 * hold chains.
 *
 * @param bytes zeros may follow the certificate, as in the NV index of an AK certificate; the part keeps them
 */
function partsOfCertificate(bytes: Uint8Array): EvidenceParts {
  const certificate = certificateIn(withoutFilling(bytes));
  const part = certificate === null ? null : leafPartOf(certificate);
  return part === null ? [] : [[part, bytes]];
}

/** Tells by its content which parts of evidence a PEM text holds. Azure writes a VCEK and its chain into one text. */
function partsOfPem(pem: Uint8Array): EvidenceParts {
  const [first, ...others] = nullIfMalformed(() => parsePemBlocks(latin1(pem))) ?? [];
  if (first === undefined) return [];
  if (first.label === 'X509 CRL') return others.length === 0 ? [['crl', first.der]] : [];
  const certificate = certificateIn(first.der);
  if (certificate === null) return [];
  const above = latin1(certificate.issuer.der).includes(AMD_ORGANISATION) ? 'chain' : 'akChain';
  const leaf = leafPartOf(certificate);
  if (leaf === null) return [[above, pem]];
  const { chain } = splitVcekChain(pem);
  return chain === null
    ? [[leaf, first.der]]
    : [
        [leaf, first.der],
        [above, fromLatin1(chain)],
      ];
}

/** Whether bytes look like the signature of a TPM quote, as a TPMT_SIGNATURE or alone. */
export function isTpmSignature(bytes: Uint8Array): boolean {
  return (
    RSA_SIGNATURE_BYTES.includes(bytes.byteLength) || nullIfMalformed(() => parseTpmSignature(bytes, null)) !== null
  );
}

/** VCEKs have the serial number zero. */
function certificateIn(der: Uint8Array): X509Certificate | null {
  return nullIfMalformed(() => parseCertificate(der, { allowZeroSerial: true }));
}

/** Null for an issuer. Azure's CAs for attestation keys carry the key purpose of their leaves too. */
function leafPartOf({ extensions, basicConstraints }: X509Certificate): 'vek' | 'akCertificate' | null {
  if (extensions.some(({ oid }) => oid.startsWith(AMD_EXTENSIONS))) return 'vek';
  const usage = onlyExtension(extensions, EXTENSION.extendedKeyUsage);
  if (basicConstraints?.ca === true || usage === null) return null;
  const purposes = nullIfMalformed(() => parseExtendedKeyUsage(usage)) ?? [];
  return purposes.includes(ATTESTATION_KEY) ? 'akCertificate' : null;
}
