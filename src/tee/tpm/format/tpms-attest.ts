import { DIGEST_ALGORITHM } from '../../../boot/format/measured-event.js';
import { FormatError } from '../../../core/errors.js';
import type { PcrBank } from '../../../core/evidence.js';
import { ByteReader } from '../../../formats/byte-reader.js';

/** TPM_GENERATED_VALUE. A restricted key refuses to sign foreign data that begins with it. */
export const TPM_GENERATED_VALUE = 0xff544347;
export const TPM_ST_ATTEST_QUOTE = 0x8018;
export const TPM_ST_ATTEST_CERTIFY = 0x8017;

export interface PcrSelection {
  /** TPM_ALG_ID of the bank. */
  readonly algorithm: number;
  /** Null for an unsupported PCR bank. */
  readonly bank: PcrBank | null;
  /** Selected indices, ascending. */
  readonly indices: readonly number[];
}

/** TPMS_ATTEST of type TPM_ST_ATTEST_QUOTE (TPM 2.0 part 2, 10.12.8). Not verified. */
export type TpmsQuote = Readonly<ReturnType<typeof parseTpmsQuote>>;

/** TPMS_ATTEST of type TPM_ST_ATTEST_CERTIFY (TPM 2.0 part 2, 10.12.3). Not verified. */
export type TpmsCertify = Readonly<ReturnType<typeof parseTpmsCertify>>;

/** TPM2B_NAME holds a hash and its algorithm; TPM2B_DATA a hash and its algorithm (TPM 2.0 part 2, 10.4.3). */
const NAME_MAXIMUM = 66;
const EXTRA_DATA_MAXIMUM = 66;
const DIGEST_MAXIMUM = 64;
const SELECTIONS_MAXIMUM = 16;

/** Hashes by TPM_ALG_ID. */
export const TPM_HASHES: ReadonlyMap<number, PcrBank> = new Map(
  (Object.keys(DIGEST_ALGORITHM) as readonly PcrBank[]).map((hash) => [DIGEST_ALGORITHM[hash], hash]),
);

/**
 * Reads magic and type only, because the rest of the layout depends on the type.
 * @throws {FormatError} `tpm_format`
 */
export function parseTpmsAttestHeader(bytes: Uint8Array) {
  refuseSizePrefix(bytes);
  const reader = new ByteReader(bytes, 'tpm_format');
  return { magic: reader.u32be('magic'), type: reader.u16be('type') };
}

/**
 * Rejects a TPM2B_ATTEST, which TPM2_Quote returns and some tools write. The signature does not cover its size prefix.
 */
function refuseSizePrefix(bytes: Uint8Array): void {
  if (bytes.byteLength < 6) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) !== bytes.byteLength - 2 || view.getUint32(2) !== TPM_GENERATED_VALUE) return;
  throw new FormatError('tpm_format', 'this is a TPM2B_ATTEST: remove its first two bytes, the size');
}

/**
 * Reads a TPMS_ATTEST as a quote, to its last byte. Ignores magic and type, which a separate check verifies.
 *
 * @param bytes TPMS_ATTEST without size prefix
 * @throws {FormatError} `tpm_format` where a size does not fit, or bytes are left over
 */
export function parseTpmsQuote(bytes: Uint8Array) {
  const reader = new ByteReader(bytes, 'tpm_format');
  const common = parseCommon(reader);
  const start = reader.offset;
  const selections = parseSelections(reader);
  const pcrSelect = bytes.subarray(start, reader.offset);
  const quote = { ...common, selections, pcrSelect, pcrDigest: reader.sized(DIGEST_MAXIMUM, 'pcrDigest') };
  reader.expectEnd();
  return quote;
}

/**
 * Reads a TPMS_ATTEST as the certification of a key, to its last byte. Ignores magic and type.
 *
 * @param bytes TPMS_ATTEST without size prefix
 * @throws {FormatError} `tpm_format` where a size does not fit, or bytes are left over
 */
export function parseTpmsCertify(bytes: Uint8Array) {
  const reader = new ByteReader(bytes, 'tpm_format');
  const certify = {
    ...parseCommon(reader),
    /** Algorithm and hash of the public area of the certified key. */
    name: reader.sized(NAME_MAXIMUM, 'name'),
    qualifiedName: reader.sized(NAME_MAXIMUM, 'qualifiedName'),
  };
  reader.expectEnd();
  return certify;
}

/** Reads the members of every TPMS_ATTEST. */
function parseCommon(reader: ByteReader) {
  reader.u32be('magic');
  reader.u16be('type');
  return {
    qualifiedSigner: reader.sized(NAME_MAXIMUM, 'qualifiedSigner'),
    extraData: reader.sized(EXTRA_DATA_MAXIMUM, 'extraData'),
    clock: reader.u64be('clock'),
    resetCount: reader.u32be('resetCount'),
    restartCount: reader.u32be('restartCount'),
    safe: parseYesNo(reader.u8('safe')),
    firmwareVersion: reader.u64be('firmwareVersion'),
  };
}

function parseYesNo(value: number): boolean {
  if (value > 1) throw new FormatError('tpm_format', 'safe is neither YES nor NO');
  return value === 1;
}

function parseSelections(reader: ByteReader): readonly PcrSelection[] {
  const count = reader.u32be('pcrSelect.count');
  if (count > SELECTIONS_MAXIMUM) throw new FormatError('tpm_format', `${count} PCR selections are too many`);
  return Array.from({ length: count }, () => parseSelection(reader));
}

/** Bit i of byte j selects PCR 8j+i. */
function parseSelection(reader: ByteReader): PcrSelection {
  const algorithm = reader.u16be('hash');
  const size = reader.u8('sizeofSelect');
  // The 24 PCRs of a PC client TPM need three bytes. A longer bitmap could name undefined indices.
  if (size > 4) throw new FormatError('tpm_format', `a PCR selection of ${size} bytes is too long`);
  const bitmap = reader.bytes(size, 'pcrSelect');
  const indices: number[] = [];
  for (let index = 0; index < size * 8; index++) {
    if ((((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1) indices.push(index);
  }
  return { algorithm, bank: TPM_HASHES.get(algorithm) ?? null, indices };
}
