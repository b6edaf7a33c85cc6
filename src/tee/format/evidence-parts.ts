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

/** Structures that are always the same part of evidence. */
const PART_OF_KIND = {
  'snp-report': 'report',
  'snp-certificate-table': 'certificateTable',
  'hcl-report': 'hcl',
  'td-quote': 'tdQuote',
  'tpm-quote': 'quoteMessage',
  collateral: 'collateral',
  crl: 'crl',
} as const satisfies { readonly [kind in StructureKind]?: string };

/** Parts of evidence that can be recognised in a file. */
type EvidencePart = (typeof PART_OF_KIND)[keyof typeof PART_OF_KIND] | 'vek' | 'chain' | 'akCertificate' | 'akChain';

/** A file can contain several parts: a report and its certificate table, or a leaf and the chain above it. */
type EvidenceParts = readonly (readonly [EvidencePart, Uint8Array])[];

/** Types of evidence with an HCL report, by its report type; null if there is none. */
export const EVIDENCE_OF_HCL = {
  snp: 'az-snp-vtpm',
  tdx: 'az-tdx-vtpm',
  tvm: 'tpm',
  vbs: null,
  cca: null,
} as const satisfies { readonly [type in HclReportType]: EvidenceType | null };

/** A TPM signature without a TPMT_SIGNATURE around it has the length of the modulus: RSA 2048, 3072 or 4096. */
const RSA_SIGNATURE_BYTES: readonly number[] = [256, 384, 512];
/** OID prefix of AMD's certificate extensions (AMD 57230, table 8). Only VCEK and VLEK have them. */
const AMD_EXTENSIONS = '1.3.6.1.4.1.3704.1.';
/** Key purpose of an attestation key (TCG EK credential profile, 3.2.16). */
const ATTESTATION_KEY = '2.23.133.8.3';
const AMD_ORGANISATION = 'Advanced Micro Devices';

/**
 * Lists the parts of evidence in a structure. Verifies nothing.
 *
 * @param kind the recognised kind of structure
 * @returns nothing for a structure that is not a part by itself. Which log an event log is depends on other files
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

/** Distinguishes the log of the operating system (CEL) from the log of the firmware. */
export function logPartOf({ format }: EventLog): 'eventLog' | 'systemLog' {
  return format === 'cel-json' || format === 'cel-tlv' ? 'systemLog' : 'eventLog';
}

/**
 * Lists the parts of evidence in a DER certificate, by its content. Verifies nothing. An issuer is not a part, because
 * only PEM texts contain chains.
 *
 * @param bytes the certificate. Zeros may follow, as in the NV index of an AK certificate; the part keeps them
 */
function partsOfCertificate(bytes: Uint8Array): EvidenceParts {
  const certificate = certificateIn(withoutFilling(bytes));
  const part = certificate === null ? null : leafPartOf(certificate);
  return part === null ? [] : [[part, bytes]];
}

/** Lists the parts of evidence in a PEM text, by its content. Azure writes a VCEK and its chain into one text. */
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

/** Parses a certificate. VCEKs and VLEKs have the serial number zero. */
function certificateIn(der: Uint8Array): X509Certificate | null {
  return nullIfMalformed(() => parseCertificate(der, { allowZeroSerial: true }));
}

/**
 * The part of a leaf; null for an issuer. Azure's CAs for attestation keys also have the key purpose of their leaves.
 */
function leafPartOf({ extensions, basicConstraints }: X509Certificate): 'vek' | 'akCertificate' | null {
  if (extensions.some(({ oid }) => oid.startsWith(AMD_EXTENSIONS))) return 'vek';
  const usage = onlyExtension(extensions, EXTENSION.extendedKeyUsage);
  if (basicConstraints?.ca === true || usage === null) return null;
  const purposes = nullIfMalformed(() => parseExtendedKeyUsage(usage)) ?? [];
  return purposes.includes(ATTESTATION_KEY) ? 'akCertificate' : null;
}
