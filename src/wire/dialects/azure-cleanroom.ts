import { FormatError, within } from '../../core/errors.js';
import type { AzSnpVtpmEvidence, SnpEndorsementInput, TpmQuoteInput } from '../../core/evidence.js';
import type { JsonObject } from '../../core/json.js';
import { isSameName } from '../../formats/distinguished-name.js';
import { parsePemCertificates, pemOf } from '../../formats/pem.js';
import { isSelfIssued, parseCertificate } from '../../formats/x509-certificate.js';
import { NO_SNP_ENDORSEMENTS, readBytes, readStructure, refuseForeignStructure } from '../encoded-members.js';
import type { Schemas } from '../schema-check.js';

/**
 * Dialect `azure-cleanroom`: evidence of the agent of Azure clean rooms, for a confidential VM on SEV-SNP. The copies of report,
 * claims and nonce are compared during verification. Ignored: `imageReference`, which no measurement covers.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`; `tpm_format` for a quote without its size; `cert_format` and `cert_chain`
 *   unless the certificates are VCEK, ASK and ARK
 */
export function readAzureCleanroom(evidence: Schemas['AzureCleanroomEvidence'], pointer: string): AzSnpVtpmEvidence {
  return readValue(evidence.value, `${pointer}/value`);
}

/** Reads the same members below the name of the platform. */
export function readAzureCleanroomReport(
  evidence: Schemas['AzureCleanroomReportEvidence'],
  pointer: string,
): AzSnpVtpmEvidence {
  return readValue(evidence.value.report.snpCvm, `${pointer}/value/report/snpCvm`);
}

function readValue(value: Schemas['AzureCleanroomValue'], place: string): AzSnpVtpmEvidence {
  const { evidence, nonce, platformCertificates } = value;
  const at = `${place}/evidence`;
  const hclReport = readStructure(evidence.hclReport, `${at}/hclReport`);
  refuseForeignStructure(hclReport, 'HCL report', `${at}/hclReport`);
  return {
    type: 'az-snp-vtpm',
    hclReport,
    tpmQuote: readQuote(evidence, at),
    endorsements:
      platformCertificates === undefined
        ? NO_SNP_ENDORSEMENTS
        : readPlatform(platformCertificates, `${place}/platformCertificates`),
    ak: { certificate: { der: readStructure(evidence.aikCert, `${at}/aikCert`) }, chain: null },
    eventLog: null,
    restated: {
      hardwareReport: readStructure(evidence.snpReport, `${at}/snpReport`),
      runtimeClaims: (evidence.runtimeClaims ?? {}) as JsonObject,
      nonce: nonce === undefined ? null : readBytes(nonce, `${place}/nonce`),
    },
  };
}

/** TPM2B_ATTEST, which begins with its size, then TPMT_SIGNATURE. */
function readQuote({ tpmQuote, pcrs }: Schemas['AzureCleanroomParts'], at: string): TpmQuoteInput {
  const pointer = `${at}/tpmQuote`;
  const bytes = readStructure(tpmQuote, pointer);
  const [high = 0, low = 0] = bytes;
  const end = 2 + ((high << 8) | low);
  if (end >= bytes.byteLength) {
    throw new FormatError('tpm_format', 'the quote is not a TPM2B_ATTEST followed by a signature', { pointer });
  }
  const message = bytes.subarray(2, end);
  refuseForeignStructure(message, 'TPM quote', pointer);
  const values = Object.entries(pcrs).map(
    ([index, value = '']) => [Number(index), readBytes(value, `${at}/pcrs/${index}`)] as const,
  );
  return { message, signature: bytes.subarray(end), pcrs: new Map([['sha256', new Map(values)]]) };
}

/** VCEK, ASK and ARK in any order: the ARK is self-issued, and the ASK is the issuer of the VCEK. */
function readPlatform(pem: string, pointer: string): SnpEndorsementInput {
  const certificates = within(pointer, () =>
    parsePemCertificates(pem, 'cert_chain', { certificates: 3 }).map(readBlock),
  );
  const root = certificates.find(({ parsed }) => isSelfIssued(parsed));
  const below = certificates.filter(({ parsed }) => !isSelfIssued(parsed));
  const leaf = below.find(({ parsed }) => below.some((other) => isSameName(parsed.issuer, other.parsed.subject)));
  const issuer = below.find((certificate) => certificate !== leaf);
  if (below.length !== 2 || root === undefined || leaf === undefined || issuer === undefined) {
    throw new FormatError('cert_chain', 'the certificates are not a VCEK, its ASK and an ARK', { pointer });
  }
  return { ...NO_SNP_ENDORSEMENTS, vek: { der: leaf.der }, chain: pemOf(issuer.der) + pemOf(root.der) };
}

function readBlock(der: Uint8Array) {
  // VCEKs have the serial number zero
  return { der, parsed: parseCertificate(der, { allowZeroSerial: true }) };
}
