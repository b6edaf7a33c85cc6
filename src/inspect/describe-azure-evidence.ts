import { hex } from '../core/bytes.js';
import { FormatError, nullIfMalformed, within } from '../core/errors.js';
import type { CertifiedKeyInput, TpmQuoteInput } from '../core/evidence.js';
import { decodeHex } from '../formats/base64.js';
import { parseHclReport } from '../tee/azure/format/hcl-report.js';
import { readRuntimeObject } from '../tee/shared/format/runtime-claims.js';
import {
  parseTpmsAttestHeader,
  parseTpmsCertify,
  parseTpmsQuote,
  TPM_GENERATED_VALUE,
  TPM_ST_ATTEST_CERTIFY,
  TPM_ST_ATTEST_QUOTE,
} from '../tee/tpm/format/tpms-attest.js';
import { parseTpm2bPublic, type TpmtPublic } from '../tee/tpm/format/tpmt-public.js';
import {
  type FieldDescription,
  FieldTable,
  inBase64Url,
  type StructureDescription,
  startIn,
  textField,
} from './field-description.js';
import { memberFields } from './json-members.js';

/** Lengths in a TPMS_ATTEST (TPM 2.0 part 2, 10.12.8): TPMS_CLOCK_INFO, firmwareVersion, and the size of a TPM2B. */
const CLOCK_INFO_LENGTH = 17;
const FIRMWARE_VERSION_LENGTH = 8;
const SIZE_LENGTH = 2;
/** Length of SHA-512, the longest digest of a bank. */
const MAXIMUM_PCR_LENGTH = 64;

/**
 * Describes header and request data of the paravisor's report, and its runtime claims by member.
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
    { name: 'HCL report', about, start: 0, length: bytes.byteLength, fields: table.fields },
    { ...describeRuntimeData(report.runtimeClaims, about), start: startIn(bytes, report.runtimeClaims) },
  ];
}

/** Runtime data by member; one field of hex if it is no JSON object. */
export function describeRuntimeData(
  bytes: Uint8Array,
  about: string,
  object: ReturnType<typeof readRuntimeObject> = readRuntimeObject(bytes),
): StructureDescription {
  const fields = object.ok
    ? memberFields(bytes, object.value).map(withBase64Url)
    : new FieldTable(bytes).hex('data', 0, bytes.byteLength, object.detail).fields;
  return { name: 'runtime data', about, start: 0, length: bytes.byteLength, fields };
}

/** User data of a paravisor, which it writes as hex. */
function withBase64Url(field: FieldDescription): FieldDescription {
  const { name, value } = field;
  if (name !== 'user-data' || typeof value !== 'string') return field;
  const userData = nullIfMalformed(() => decodeHex(value));
  return userData === null ? field : { ...field, meaning: inBase64Url(userData) };
}

/**
 * Describes a vTPM quote and its PCR values.
 * @throws {FormatError} `tpm_format`
 */
export function describeTpmQuote(quote: TpmQuoteInput, about: string): readonly StructureDescription[] {
  const { message } = quote;
  const { magic, type } = parseTpmsAttestHeader(message);
  const table = new FieldTable(message)
    .add('magic', 0, 4, hexWord(magic), magic === TPM_GENERATED_VALUE ? 'made by a TPM' : 'not made by a TPM')
    .add('type', 4, 2, hexWord(type), type === TPM_ST_ATTEST_QUOTE ? 'a quote' : 'not a quote');
  if (magic === TPM_GENERATED_VALUE && type === TPM_ST_ATTEST_QUOTE) describeQuoted(table, message);
  return [
    { name: 'TPMS_ATTEST', about: `${about}/message`, start: 0, length: message.byteLength, fields: table.fields },
    describePcrs(quote, `${about}/pcrs`),
  ];
}

/** The part of a quote after magic and type. The place of a TPM2B is that of its bytes, after the size. */
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
    .bound('extraData', extraData, quote.extraData.byteLength, 'the nonce that the quote was made for')
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

/**
 * Describes the certification of a key by the attestation key, and the public area of that key.
 * @throws {FormatError} `tpm_format`
 */
export function describeCertifiedKey(
  { info, publicArea }: CertifiedKeyInput,
  about: string,
): readonly StructureDescription[] {
  return [
    within(`${about}/info`, () => describeCertification(info, `${about}/info`)),
    within(`${about}/publicArea`, () => describePublicArea(publicArea, `${about}/publicArea`)),
  ];
}

/**
 * Describes the certification of a key by the attestation key.
 * @throws {FormatError} `tpm_format`
 */
export function describeCertification(info: Uint8Array, about: string): StructureDescription {
  const { magic, type } = parseTpmsAttestHeader(info);
  const isOfTpm = magic === TPM_GENERATED_VALUE;
  const isCertify = isOfTpm && type === TPM_ST_ATTEST_CERTIFY;
  const table = new FieldTable(info)
    .add('magic', 0, 4, hexWord(magic), isOfTpm ? 'made by a TPM' : 'not made by a TPM')
    .add('type', 4, 2, hexWord(type), isCertify ? 'the certification of a key' : 'not the certification of a key');
  if (isCertify) {
    const { extraData, name, qualifiedName } = parseTpmsCertify(info);
    const offsetOf = (part: Uint8Array) => part.byteOffset - info.byteOffset;
    table
      .bound('extraData', offsetOf(extraData), extraData.byteLength, 'the nonce, where one was given')
      .hex('name', offsetOf(name), name.byteLength, 'algorithm and hash of the public area of the certified key')
      .hex('qualifiedName', offsetOf(qualifiedName), qualifiedName.byteLength);
  }
  return { name: 'TPMS_ATTEST', about, start: 0, length: info.byteLength, fields: table.fields };
}

/**
 * Describes the public area of a key in a TPM.
 * @throws {FormatError} `tpm_format`
 */
export function describePublicArea(bytes: Uint8Array, about: string): StructureDescription {
  const { area, nameHash, nameAlgorithm, attributes, authPolicy, key } = parseTpm2bPublic(bytes);
  const start = area.byteOffset - bytes.byteOffset;
  const set = Object.entries(attributes).flatMap(([name, isSet]) => (isSet ? [name] : []));
  const table = new FieldTable(bytes)
    .add('nameAlg', start + 2, 2, nameHash ?? hexWord(nameAlgorithm))
    .add('objectAttributes', start + 4, 4, set, 'those that are set, of the ones that matter here')
    .hex('authPolicy', authPolicy.byteOffset - bytes.byteOffset, authPolicy.byteLength);
  const fields = [...table.fields, textField('key', publicKeyFields(key))];
  return { name: 'TPM2B_PUBLIC', about, start: 0, length: bytes.byteLength, fields };
}

function publicKeyFields(key: TpmtPublic['key']): { readonly [member: string]: string } {
  if (key.kind === 'ec') return { curve: key.curve, x: hex(key.x), y: hex(key.y) };
  return { modulus: hex(key.n), exponent: hex(key.e) };
}

export function hexWord(value: number): string {
  return `0x${value.toString(16)}`;
}

function describePcrs(quote: TpmQuoteInput, about: string): StructureDescription {
  const values = [...quote.pcrs.values()].flatMap((bank) => [...bank.values()]);
  if (values.some((value) => value.byteLength > MAXIMUM_PCR_LENGTH)) {
    throw new FormatError('tpm_format', 'a PCR value is longer than any digest', { pointer: about });
  }
  const fields = [...quote.pcrs].flatMap(([bank, indexed]) =>
    [...indexed].sort(([a], [b]) => a - b).map(([index, value]) => textField(`${bank}:${index}`, hex(value))),
  );
  const length = values.reduce((sum, value) => sum + value.byteLength, 0);
  return { name: 'PCR values', about, start: null, length, fields };
}
