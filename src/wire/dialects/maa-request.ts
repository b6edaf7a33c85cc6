import { FormatError } from '../../core/errors.js';
import type { SnpEndorsementInput, SnpEvidence, TdxEvidence } from '../../core/evidence.js';
import { splitVcekChain } from '../../formats/pem.js';
import { parseStrictJson } from '../../formats/strict-json.js';
import { NO_SNP_ENDORSEMENTS, readBytes, readStructure, refuseForeignStructure } from '../encoded-members.js';
import { checkSchema, type SchemaName, type Schemas } from '../schema-check.js';

/**
 * Dialect `maa` for SEV-SNP: the body of attest/SevSnpVm. Its `report` is base64url of a JSON document, whose members report
 * and certificates are base64url again.
 *
 * `initTimeData` is compared with HOST_DATA if that is set; launch endorsements are not verified, which a warning states.
 * Ignored: its policy and its nonce, which the hardware did not sign.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`; errors inside `report` point to it
 */
export function readMaaSnpRequest(evidence: Schemas['MaaSnpRequestEvidence'], pointer: string): SnpEvidence {
  const { report: text, runtimeData, initTimeData } = evidence.value;
  const place = `${pointer}/value/report`;
  const document = readDocument('MaaSnpReport', text, place);
  const { report, endorsements } = readMaaSnpReport(document, place);
  const initData = initTimeData?.data ?? '';
  return {
    type: 'snp',
    report,
    runtimeData: readData(runtimeData, pointer),
    endorsements,
    ...(initData === '' ? {} : { initData: readBytes(initData, `${pointer}/value/initTimeData/data`) }),
    ...((document.Endorsements ?? '') === '' ? {} : { hasLaunchEndorsements: true }),
  };
}

/**
 * Reads report and certificates from the document of clients of Azure Attestation.
 *
 * @param place JSON pointer of every error in it
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readMaaSnpReport(
  { SnpReport, VcekCertChain }: Schemas['MaaSnpReport'],
  place: string,
): Pick<SnpEvidence, 'report' | 'endorsements'> {
  const report = readStructure(SnpReport, place);
  refuseForeignStructure(report, 'SNP report', place);
  const endorsements =
    VcekCertChain === undefined ? NO_SNP_ENDORSEMENTS : certificatesIn(readBytes(VcekCertChain, place));
  return { report, endorsements };
}

/**
 * Dialect `maa` for TDX: the body of attest/TdxVm. Ignored: `initTimeData` and `nonce`.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readMaaTdxRequest(evidence: Schemas['MaaTdxRequestEvidence'], pointer: string): TdxEvidence {
  const quote = readStructure(evidence.value.quote, `${pointer}/value/quote`);
  refuseForeignStructure(quote, 'TD quote', `${pointer}/value/quote`);
  return {
    type: 'tdx',
    quote,
    runtimeData: readData(evidence.value.runtimeData, pointer),
    collateral: null,
    ccel: null,
  };
}

/**
 * Reads a JSON document inside a string of the request.
 * @throws {FormatError} codes of `parseStrictJson`, `unknown_property`, `schema`, `encoding`, all at `place`
 */
export function readDocument<N extends SchemaName>(schema: N, text: string, place: string): Schemas[N] {
  const bytes = readStructure(text, place);
  try {
    return checkSchema(schema, parseStrictJson(bytes));
  } catch (error) {
    // a pointer into the text of a string would not resolve in the request
    throw error instanceof FormatError ? new FormatError(error.code, error.message, { pointer: place }) : error;
  }
}

/** Some clients write an empty text for missing data. */
function readData(
  { data }: Schemas['MaaData'] | { readonly data?: undefined } = {},
  pointer: string,
): Uint8Array | null {
  return data === undefined || data === '' ? null : readBytes(data, `${pointer}/value/runtimeData/data`);
}

function certificatesIn(certificates: Uint8Array): SnpEndorsementInput {
  const { vek, chain } = splitVcekChain(certificates);
  return { ...NO_SNP_ENDORSEMENTS, vek: { pem: vek }, chain };
}
