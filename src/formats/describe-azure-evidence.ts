import type { TpmQuoteInput } from '../model/evidence.js';
import type { JsonValue } from '../model/json.js';
import { type FieldDescription, FieldTable, type StructureDescription } from './field-description.js';
import { parseHclReport } from './hcl-report.js';
import { readRuntimeObject } from './runtime-claims.js';
import { parseTpmsAttestHeader, parseTpmsQuote, TPM_GENERATED_VALUE, TPM_ST_ATTEST_QUOTE } from './tpms-attest.js';

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
export function describeRuntimeData(bytes: Uint8Array, about: string): StructureDescription {
  const object = readRuntimeObject(bytes);
  const fields = object.ok
    ? Object.entries(object.value).map(([name, value]) => textField(name, value))
    : [textField('data', Buffer.from(bytes).toString('hex'), object.detail)];
  return { name: 'runtime data', about, length: bytes.byteLength, fields };
}

/**
 * A vTPM quote and the PCR values sent with it.
 * @throws {FormatError} `tpm_format`
 */
export function describeTpmQuote(quote: TpmQuoteInput, about: string): readonly StructureDescription[] {
  const { magic, type } = parseTpmsAttestHeader(quote.message);
  const word = (value: number) => `0x${value.toString(16)}`;
  const isQuote = magic === TPM_GENERATED_VALUE && type === TPM_ST_ATTEST_QUOTE;
  const fields = [
    textField('magic', word(magic), magic === TPM_GENERATED_VALUE ? 'made by a TPM' : 'not made by a TPM'),
    textField('type', word(type), type === TPM_ST_ATTEST_QUOTE ? 'a quote' : 'not a quote'),
    ...(isQuote ? quoteFields(quote.message) : []),
  ];
  return [
    { name: 'TPMS_ATTEST', about: `${about}/message`, length: quote.message.byteLength, fields },
    describePcrs(quote, `${about}/pcrs`),
  ];
}

function quoteFields(message: Uint8Array): readonly FieldDescription[] {
  const quote = parseTpmsQuote(message);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return [
    textField('qualifiedSigner', hex(quote.qualifiedSigner)),
    textField('extraData', hex(quote.extraData), 'the nonce that the quote was made for'),
    textField('clockInfo', {
      clock: quote.clock.toString(),
      resetCount: quote.resetCount,
      restartCount: quote.restartCount,
      safe: quote.safe,
    }),
    textField('firmwareVersion', `0x${quote.firmwareVersion.toString(16)}`),
    textField(
      'pcrSelect',
      quote.selections.map(({ bank, algorithm, indices }) => ({
        hash: bank ?? `0x${algorithm.toString(16)}`,
        pcrs: indices,
      })),
    ),
    textField('pcrDigest', hex(quote.pcrDigest), 'hash of the selected PCR values'),
  ];
}

function describePcrs(quote: TpmQuoteInput, about: string): StructureDescription {
  const fields = [...quote.pcrs].flatMap(([bank, values]) =>
    [...values]
      .sort(([a], [b]) => a - b)
      .map(([index, value]) => textField(`${bank}:${index}`, Buffer.from(value).toString('hex'))),
  );
  const length = [...quote.pcrs.values()]
    .flatMap((values) => [...values.values()])
    .reduce((sum, value) => sum + value.byteLength, 0);
  return { name: 'PCR values', about, length, fields };
}

function textField(name: string, value: JsonValue, meaning: string | null = null): FieldDescription {
  return { name, offset: null, length: null, value, meaning };
}
