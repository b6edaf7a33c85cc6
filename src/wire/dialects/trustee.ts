import type { AzSnpVtpmEvidence, CertificateInput, TpmQuoteInput } from '../../model/evidence.js';
import { NO_SNP_ENDORSEMENTS, readBytes, readCertificate, readHex } from '../encoded-members.js';
import { refuseForeignStructure } from '../foreign-structure.js';
import type { Schemas } from '../schema-check.js';

/**
 * Dialect `trustee` without version: what guests of confidential-containers/trustee sent first.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readTrusteeV0(evidence: Schemas['TrusteeEvidenceV0'], pointer: string): AzSnpVtpmEvidence {
  const { quote, report, vcek } = evidence.value;
  const tpmQuote = {
    message: Uint8Array.from(quote.message),
    signature: Uint8Array.from(quote.signature),
    pcrs: sha256Bank(quote.pcrs.map((value) => Uint8Array.from(value))),
  };
  return native(
    { bytes: Uint8Array.from(report), pointer: `${pointer}/value/report` },
    tpmQuote,
    readCertificate(vcek, `${pointer}/value/vcek`),
  );
}

/**
 * Dialect `trustee`, versions 1 and 2. They differ in what the guest promises about `user-data`; what the evidence
 * has to show follows from the policy alone, so the version is not looked at.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readTrusteeV1(evidence: Schemas['TrusteeEvidenceV1'], pointer: string): AzSnpVtpmEvidence {
  const { tpm_quote: quote, hcl_report: report, vcek } = evidence.value;
  const quotePointer = `${pointer}/value/tpm_quote`;
  const tpmQuote = {
    message: readHex(quote.message, `${quotePointer}/message`),
    signature: readHex(quote.signature, `${quotePointer}/signature`),
    pcrs: sha256Bank(quote.pcrs.map((value, index) => readHex(value, `${quotePointer}/pcrs/${index}`))),
  };
  const reportPointer = `${pointer}/value/hcl_report`;
  return native(
    { bytes: readBytes(report, reportPointer), pointer: reportPointer },
    tpmQuote,
    readCertificate(vcek, `${pointer}/value/vcek`),
  );
}

/** The values stand in the order of their indices. The signed selection, not this order, decides what they are. */
function sha256Bank(values: readonly Uint8Array[]): TpmQuoteInput['pcrs'] {
  return new Map([['sha256', new Map(values.entries())]]);
}

function native(
  hclReport: { readonly bytes: Uint8Array; readonly pointer: string },
  tpmQuote: TpmQuoteInput,
  vek: CertificateInput,
): AzSnpVtpmEvidence {
  refuseForeignStructure(hclReport.bytes, 'HCL report', hclReport.pointer);
  return {
    type: 'az-snp-vtpm',
    hclReport: hclReport.bytes,
    tpmQuote,
    endorsements: { ...NO_SNP_ENDORSEMENTS, vek },
  };
}
