import type {
  AzSnpVtpmEvidence,
  AzTdxVtpmEvidence,
  CertificateInput,
  TdxEvidence,
  TpmEvidence,
  TpmQuoteInput,
} from '../../core/evidence.js';
import { DER } from '../../formats/der.js';
import { sizedPublic } from '../../tee/tpm/format/tpmt-public.js';
import {
  NO_SNP_ENDORSEMENTS,
  readCertificate,
  readHex,
  readStructure,
  refuseForeignStructure,
} from '../encoded-members.js';
import type { Schemas } from '../schema-check.js';

/** Bytes, and their place in the request. */
interface Placed {
  readonly bytes: Uint8Array;
  readonly pointer: string;
}

/**
 * Dialect `trustee` without version: the first form of guests of confidential-containers/trustee, on SEV-SNP.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readTrusteeV0(evidence: Schemas['TrusteeEvidenceV0'], pointer: string): AzSnpVtpmEvidence {
  const { quote, report, vcek } = evidence.value;
  const hclReport = { bytes: Uint8Array.from(report), pointer: `${pointer}/value/report` };
  return onSnp(hclReport, readQuoteV0(quote), readCertificate(vcek, `${pointer}/value/vcek`));
}

/**
 * Dialect `trustee`, versions 1 and 2, on SEV-SNP. They differ in the guest's statement about `user-data`. The policy alone
 * decides what the evidence must contain, so the version is ignored.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readTrusteeV1(evidence: Schemas['TrusteeEvidenceV1'], pointer: string): AzSnpVtpmEvidence {
  const { tpm_quote: quote, hcl_report: report, vcek } = evidence.value;
  const tpmQuote = readQuoteV1(quote, `${pointer}/value/tpm_quote`);
  const hclReport = placedStructure(report, `${pointer}/value/hcl_report`);
  return onSnp(hclReport, tpmQuote, readCertificate(vcek, `${pointer}/value/vcek`));
}

/**
 * Dialect `trustee` without version, on TDX.
 *
 * @throws {FormatError} `type_mismatch`
 */
export function readTrusteeTdxV0(evidence: Schemas['TrusteeTdxEvidenceV0'], pointer: string): AzTdxVtpmEvidence {
  const { tpm_quote: quote, hcl_report: report, td_quote: tdQuote } = evidence.value;
  return onTdx(
    { bytes: Uint8Array.from(report), pointer: `${pointer}/value/hcl_report` },
    { bytes: Uint8Array.from(tdQuote), pointer: `${pointer}/value/td_quote` },
    readQuoteV0(quote),
  );
}

/**
 * Dialect `trustee`, versions 1 and 2, on TDX. The version is ignored here too.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readTrusteeTdxV1(evidence: Schemas['TrusteeTdxEvidenceV1'], pointer: string): AzTdxVtpmEvidence {
  const { tpm_quote: quote, hcl_report: report, td_quote: tdQuote } = evidence.value;
  return onTdx(
    placedStructure(report, `${pointer}/value/hcl_report`),
    placedStructure(tdQuote, `${pointer}/value/td_quote`),
    readQuoteV1(quote, `${pointer}/value/tpm_quote`),
  );
}

/**
 * Dialect `trustee` of a TD without paravisor. Guests write `null` if the firmware has no log; Trustee also accepts an empty text.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readTrusteeTd(evidence: Schemas['TrusteeTdEvidence'], pointer: string): TdxEvidence {
  const { quote: text, cc_eventlog: log } = evidence.value;
  const quote = readStructure(text, `${pointer}/value/quote`);
  refuseForeignStructure(quote, 'TD quote', `${pointer}/value/quote`);
  const ccel = log == null || log === '' ? null : readStructure(log, `${pointer}/value/cc_eventlog`);
  return { type: 'tdx', quote, runtimeData: null, collateral: null, ccel };
}

/** The length of the nonce that the key broker of Trustee gives to guests. */
const TPM_NONCE_BYTES = 32;

/**
 * Dialect `trustee` of a vTPM by itself. The guest has no certificate of its attestation key, only the key beside its value.
 * Guests fill the nonce with zeros up to 64 bytes. Ignored: the copy of older guests (`report_data`), and `svn`.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readTrusteeTpm(evidence: Schemas['TrusteeTpmEvidence'], pointer: string): TpmEvidence {
  const { ak_public: akPublic, tpm_quote: quote } = evidence.value;
  const at = `${pointer}/value/tpm_quote`;
  const message = readStructure(quote.message, `${at}/message`);
  refuseForeignStructure(message, 'TPM quote', `${at}/message`);
  return {
    type: 'tpm',
    tpmQuote: {
      message,
      signature: readStructure(quote.signature, `${at}/signature`),
      pcrs: sha256Bank(quote.pcrs.map((value, index) => readHex(value, `${at}/pcrs/${index}`))),
    },
    ak: { certificate: readCertificate(evidence.akCertificate, `${pointer}/akCertificate`), chain: null },
    akPublicName: 'ak_public',
    ...statedKey(readStructure(akPublic, `${pointer}/value/ak_public`)),
    exactNonce: TPM_NONCE_BYTES,
    eventLog: null,
  };
}

/** Reads a SubjectPublicKeyInfo by its first byte (DER). A TPMT_PUBLIC begins with 0, and no TPM2B_PUBLIC has a size with that byte. */
function statedKey(bytes: Uint8Array): Pick<TpmEvidence, 'akPublic' | 'akSpki'> {
  return bytes[0] === DER.sequence ? { akSpki: bytes } : { akPublic: sizedPublic(bytes) };
}

function placedStructure(text: string, pointer: string): Placed {
  return { bytes: readStructure(text, pointer), pointer };
}

function readQuoteV0({ message, signature, pcrs }: Schemas['TrusteeQuoteV0']): TpmQuoteInput {
  return {
    message: Uint8Array.from(message),
    signature: Uint8Array.from(signature),
    pcrs: sha256Bank(pcrs.map((value) => Uint8Array.from(value))),
  };
}

function readQuoteV1({ message, signature, pcrs }: Schemas['TrusteeQuoteV1'], pointer: string): TpmQuoteInput {
  return {
    message: readHex(message, `${pointer}/message`),
    signature: readHex(signature, `${pointer}/signature`),
    pcrs: sha256Bank(pcrs.map((value, index) => readHex(value, `${pointer}/pcrs/${index}`))),
  };
}

/** The values are in the order of their indices. The signed selection, not this order, decides which PCRs they are. */
function sha256Bank(values: readonly Uint8Array[]): TpmQuoteInput['pcrs'] {
  return new Map([['sha256', new Map(values.entries())]]);
}

function onSnp(hclReport: Placed, tpmQuote: TpmQuoteInput, vek: CertificateInput): AzSnpVtpmEvidence {
  refuseForeignStructure(hclReport.bytes, 'HCL report', hclReport.pointer);
  return {
    type: 'az-snp-vtpm',
    hclReport: hclReport.bytes,
    tpmQuote,
    endorsements: { ...NO_SNP_ENDORSEMENTS, vek },
    ak: null,
    eventLog: null,
  };
}

function onTdx(hclReport: Placed, tdQuote: Placed, tpmQuote: TpmQuoteInput): AzTdxVtpmEvidence {
  refuseForeignStructure(hclReport.bytes, 'HCL report', hclReport.pointer);
  refuseForeignStructure(tdQuote.bytes, 'TD quote', tdQuote.pointer);
  return {
    type: 'az-tdx-vtpm',
    hclReport: hclReport.bytes,
    tdQuote: tdQuote.bytes,
    tpmQuote,
    collateral: null,
    ak: null,
    eventLog: null,
  };
}
