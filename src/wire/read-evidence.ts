import type {
  AzSnpVtpmEvidence,
  AzTdxVtpmEvidence,
  Evidence,
  PcrBank,
  SnpEndorsementInput,
  SnpEvidence,
  TdxEvidence,
  TpmQuoteInput,
} from '../model/evidence.js';
import { readConfigfsTsmSnp, readConfigfsTsmTdx } from './dialects/configfs-tsm.js';
import { readExtendedReport } from './dialects/extended-report.js';
import { readItaRequestV1, readItaRequestV2 } from './dialects/ita-request.js';
import { readMaaSnpRequest, readMaaTdxRequest } from './dialects/maa-request.js';
import { readTrusteeTdxV0, readTrusteeTdxV1, readTrusteeV0, readTrusteeV1 } from './dialects/trustee.js';
import {
  NO_SNP_ENDORSEMENTS,
  readAkCertificate,
  readCertificate,
  readCollateral,
  readCrl,
  readHex,
  readOptionalBytes,
  readStructure,
} from './encoded-members.js';
import { refuseForeignStructure } from './foreign-structure.js';
import type { EvidenceForm, Schemas } from './schema-check.js';

type EvidenceReaders = { readonly [F in EvidenceForm]: (evidence: Schemas[F], pointer: string) => Evidence };

const PCR_BANKS: readonly PcrBank[] = ['sha1', 'sha256', 'sha384', 'sha512'];

const READERS: EvidenceReaders = {
  SnpEvidence: readSnpEvidence,
  TdxEvidence: readTdxEvidence,
  AzSnpVtpmEvidence: readAzSnpVtpmEvidence,
  AzTdxVtpmEvidence: readAzTdxVtpmEvidence,
  // A token is taken apart where it is verified: its text is what is signed.
  MaaTokenEvidence: (evidence) => evidence,
  ItaTokenEvidence: (evidence) => evidence,
  TrusteeEvidenceV0: readTrusteeV0,
  TrusteeEvidenceV1: readTrusteeV1,
  TrusteeTdxEvidenceV0: readTrusteeTdxV0,
  TrusteeTdxEvidenceV1: readTrusteeTdxV1,
  MaaSnpRequestEvidence: readMaaSnpRequest,
  MaaTdxRequestEvidence: readMaaTdxRequest,
  ExtendedReportEvidence: readExtendedReport,
  ConfigfsTsmSnpEvidence: readConfigfsTsmSnp,
  ConfigfsTsmTdxEvidence: readConfigfsTsmTdx,
  ItaRequestEvidenceV1: readItaRequestV1,
  ItaRequestEvidenceV2: readItaRequestV2,
};

/**
 * Decodes evidence whose schema was checked, from its native form or a dialect.
 *
 * @param pointer where the evidence is in the request
 * @throws {FormatError} `encoding`; `type_mismatch` for bytes of another evidence type
 */
export function readEvidence<F extends EvidenceForm>(form: F, evidence: Schemas[F], pointer: string): Evidence {
  return READERS[form](evidence, pointer);
}

function readSnpEvidence(evidence: Schemas['SnpEvidence'], pointer: string): SnpEvidence {
  const report = readStructure(evidence.report, `${pointer}/report`);
  refuseForeignStructure(report, 'SNP report', `${pointer}/report`);
  return {
    type: 'snp',
    report,
    runtimeData: readOptionalBytes(evidence.runtimeData, `${pointer}/runtimeData`),
    endorsements: readSnpEndorsements(evidence.endorsements, `${pointer}/endorsements`),
  };
}

function readAzSnpVtpmEvidence(evidence: Schemas['AzSnpVtpmEvidence'], pointer: string): AzSnpVtpmEvidence {
  const hclReport = readStructure(evidence.hclReport, `${pointer}/hclReport`);
  refuseForeignStructure(hclReport, 'HCL report', `${pointer}/hclReport`);
  return {
    type: 'az-snp-vtpm',
    hclReport,
    tpmQuote: readTpmQuote(evidence.tpmQuote, `${pointer}/tpmQuote`),
    endorsements: readSnpEndorsements(evidence.endorsements, `${pointer}/endorsements`),
    ak: readAkCertificate(evidence, pointer),
  };
}

function readTdxEvidence(evidence: Schemas['TdxEvidence'], pointer: string): TdxEvidence {
  const quote = readStructure(evidence.quote, `${pointer}/quote`);
  refuseForeignStructure(quote, 'TD quote', `${pointer}/quote`);
  return {
    type: 'tdx',
    quote,
    runtimeData: readOptionalBytes(evidence.runtimeData, `${pointer}/runtimeData`),
    collateral: readCollateral(evidence.collateral, `${pointer}/collateral`),
    ccel: readOptionalBytes(evidence.ccel, `${pointer}/ccel`),
  };
}

function readAzTdxVtpmEvidence(evidence: Schemas['AzTdxVtpmEvidence'], pointer: string): AzTdxVtpmEvidence {
  const hclReport = readStructure(evidence.hclReport, `${pointer}/hclReport`);
  refuseForeignStructure(hclReport, 'HCL report', `${pointer}/hclReport`);
  const tdQuote = readStructure(evidence.tdQuote, `${pointer}/tdQuote`);
  refuseForeignStructure(tdQuote, 'TD quote', `${pointer}/tdQuote`);
  return {
    type: 'az-tdx-vtpm',
    hclReport,
    tdQuote,
    tpmQuote: readTpmQuote(evidence.tpmQuote, `${pointer}/tpmQuote`),
    collateral: readCollateral(evidence.collateral, `${pointer}/collateral`),
    ak: readAkCertificate(evidence, pointer),
  };
}

function readTpmQuote(quote: Schemas['TpmQuote'], pointer: string): TpmQuoteInput {
  const message = readStructure(quote.message, `${pointer}/message`);
  refuseForeignStructure(message, 'TPM quote', `${pointer}/message`);
  return {
    message,
    signature: readStructure(quote.signature, `${pointer}/signature`),
    pcrs: readPcrs(quote.pcrs, `${pointer}/pcrs`),
  };
}

/** Sizes of the values, and whether they are those of the signed selection, are judged with the quote. */
function readPcrs(pcrs: Schemas['PcrValues'], pointer: string): TpmQuoteInput['pcrs'] {
  const banks = new Map<PcrBank, ReadonlyMap<number, Uint8Array>>();
  for (const bank of PCR_BANKS) {
    const values = pcrs[bank];
    if (values !== undefined) banks.set(bank, readPcrBank(values, `${pointer}/${bank}`));
  }
  return banks;
}

function readPcrBank(values: Schemas['PcrBankValues'], pointer: string): ReadonlyMap<number, Uint8Array> {
  const bank = new Map<number, Uint8Array>();
  for (const index of Object.keys(values)) {
    const value = values[index];
    if (value !== undefined) bank.set(Number(index), readHex(value, `${pointer}/${index}`));
  }
  return bank;
}

function readSnpEndorsements(
  endorsements: Schemas['SnpEndorsements'] | undefined,
  pointer: string,
): SnpEndorsementInput {
  if (endorsements === undefined) return NO_SNP_ENDORSEMENTS;
  const { vek, chain, certificateTable, crls } = endorsements;
  return {
    vek: vek === undefined ? null : readCertificate(vek, `${pointer}/vek`),
    // what a chain must be, PEM of two certificates, is judged where it is parsed
    chain: chain ?? null,
    certificateTable: readOptionalBytes(certificateTable, `${pointer}/certificateTable`),
    crls: (crls ?? []).map((crl, index) => readCrl(crl, `${pointer}/crls/${index}`)),
  };
}
