import { parseHclReport } from '../formats/hcl-report.js';
import { readRuntimeObject } from '../formats/runtime-claims.js';
import {
  parseTpmsAttestHeader,
  parseTpmsQuote,
  TPM_GENERATED_VALUE,
  TPM_ST_ATTEST_QUOTE,
} from '../formats/tpms-attest.js';
import { FormatError } from '../model/errors.js';
import type { TpmQuoteInput } from '../model/evidence.js';
import { FieldTable, type StructureDescription, textField } from './field-description.js';

/** Lengths in a TPMS_ATTEST (TPM 2.0 part 2, 10.12.8): TPMS_CLOCK_INFO, firmwareVersion, and the size of a TPM2B. */
const CLOCK_INFO_LENGTH = 17;
const FIRMWARE_VERSION_LENGTH = 8;
const SIZE_LENGTH = 2;
/** Of SHA-512, the longest digest of a bank. */
const MAXIMUM_PCR_LENGTH = 64;

/**
 * Header and request data of the paravisor's report, and its runtime claims by member.
 * @throws {FormatError} as `parseHclReport`
 */
export function describeHclReport(bytes: Uint8Array, about: string): readonly StructureDescription[] {
  const report = parseHclReport(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (offset: number) => view.getUint32(offset, true);
  const table = new FieldTable(bytes)
    .add('signature', 0x000, 4, 'HCLA')
    .add('version', 0x004, 4, report.version)
    .add('report size', 0x008, 4, word(0x008))
    .add('request type', 0x00c, 4, word(0x00c), 'AK certificate request')
    .add('status', 0x010, 4, word(0x010))
    .add('report type', 0x4c8, 4, report.reportType, 'the hardware whose report is inside')
    .add('report data hash type', 0x4cc, 4, word(0x4cc), 'SHA-256')
    .add('variable data size', 0x4d0, 4, report.runtimeClaims.byteLength);
  return [
    { name: 'HCL report', about, length: bytes.byteLength, fields: table.fields },
    describeRuntimeData(report.runtimeClaims, about),
  ];
}

/** Runtime data by member; one field of hex where it is no JSON object. */
export function describeRuntimeData(
  bytes: Uint8Array,
  about: string,
  object: ReturnType<typeof readRuntimeObject> = readRuntimeObject(bytes),
): StructureDescription {
  const fields = object.ok
    ? Object.entries(object.value).map(([name, value]) => textField(name, value))
    : new FieldTable(bytes).hex('data', 0, bytes.byteLength, object.detail).fields;
  return { name: 'runtime data', about, length: bytes.byteLength, fields };
}

/**
 * A vTPM quote and the PCR values sent with it.
 * @throws {FormatError} `tpm_format`
 */
export function describeTpmQuote(quote: TpmQuoteInput, about: string): readonly StructureDescription[] {
  const { message } = quote;
  const { magic, type } = parseTpmsAttestHeader(message);
  const word = (value: number) => `0x${value.toString(16)}`;
  const table = new FieldTable(message)
    .add('magic', 0, 4, word(magic), magic === TPM_GENERATED_VALUE ? 'made by a TPM' : 'not made by a TPM')
    .add('type', 4, 2, word(type), type === TPM_ST_ATTEST_QUOTE ? 'a quote' : 'not a quote');
  if (magic === TPM_GENERATED_VALUE && type === TPM_ST_ATTEST_QUOTE) describeQuoted(table, message);
  return [
    { name: 'TPMS_ATTEST', about: `${about}/message`, length: message.byteLength, fields: table.fields },
    describePcrs(quote, `${about}/pcrs`),
  ];
}

/** What follows magic and type in a quote. Places of a TPM2B are those of its bytes, behind the size. */
function describeQuoted(table: FieldTable, message: Uint8Array): void {
  const quote = parseTpmsQuote(message);
  const offsetOf = (part: Uint8Array) => part.byteOffset - message.byteOffset;
  const [extraData, pcrDigest] = [offsetOf(quote.extraData), offsetOf(quote.pcrDigest)];
  const clockInfo = extraData + quote.extraData.byteLength;
  const pcrSelect = clockInfo + CLOCK_INFO_LENGTH + FIRMWARE_VERSION_LENGTH;
  const { clock, resetCount, restartCount, safe } = quote;
  const selections = quote.selections.map(({ bank, algorithm, indices }) => ({
    hash: bank ?? `0x${algorithm.toString(16)}`,
    pcrs: indices,
  }));
  table
    .hex('qualifiedSigner', offsetOf(quote.qualifiedSigner), quote.qualifiedSigner.byteLength)
    .hex('extraData', extraData, quote.extraData.byteLength, 'the nonce that the quote was made for')
    .add('clockInfo', clockInfo, CLOCK_INFO_LENGTH, { clock: clock.toString(), resetCount, restartCount, safe })
    .add(
      'firmwareVersion',
      clockInfo + CLOCK_INFO_LENGTH,
      FIRMWARE_VERSION_LENGTH,
      `0x${quote.firmwareVersion.toString(16)}`,
    )
    .add('pcrSelect', pcrSelect, pcrDigest - SIZE_LENGTH - pcrSelect, selections)
    .hex('pcrDigest', pcrDigest, quote.pcrDigest.byteLength, 'hash of the selected PCR values');
}

function describePcrs(quote: TpmQuoteInput, about: string): StructureDescription {
  const values = [...quote.pcrs.values()].flatMap((bank) => [...bank.values()]);
  if (values.some((value) => value.byteLength > MAXIMUM_PCR_LENGTH)) {
    throw new FormatError('tpm_format', 'a PCR value is longer than any digest', { pointer: about });
  }
  const fields = [...quote.pcrs].flatMap(([bank, indexed]) =>
    [...indexed]
      .sort(([a], [b]) => a - b)
      .map(([index, value]) => textField(`${bank}:${index}`, Buffer.from(value).toString('hex'))),
  );
  const length = values.reduce((sum, value) => sum + value.byteLength, 0);
  return { name: 'PCR values', about, length, fields };
}
