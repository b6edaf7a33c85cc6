import { FormatError } from '../../../core/errors.js';
import type { TpmsQuote } from './tpms-attest.js';

export const PCR_COUNT = 24;
const DIGEST_LENGTH = 32;

/** Values of the SHA-256 bank by index. */
export type PcrValues = ReadonlyMap<number, Uint8Array>;

/** The selected indices. Requires one selection, of the SHA-256 bank. @throws {FormatError} `tpm_format` */
function selectedPcrs({ selections }: Pick<TpmsQuote, 'selections'>): readonly number[] {
  const [selection, ...others] = selections;
  if (selection?.bank === 'sha256' && others.length === 0) return selection.indices;
  throw new FormatError('tpm_format', 'the quote does not select PCRs of the SHA-256 bank alone');
}

/**
 * Assigns PCR values to the indices that a quote selects. Reads three forms: the concatenated selected values
 * (`tpm2_quote -F values`), the structures of tpm2-tools (`-F serialized`), and all 24 PCRs concatenated.
 *
 * @throws {FormatError} `tpm_format` for any other form, or if the structures select other PCRs
 */
export function readPcrValues(bytes: Uint8Array, quote: Pick<TpmsQuote, 'selections'>): PcrValues {
  const indices = selectedPcrs(quote);
  if (bytes.byteLength === indices.length * DIGEST_LENGTH) return assigned(indices, digestsOf(bytes));
  if (bytes.byteLength === PCR_COUNT * DIGEST_LENGTH) {
    const all = digestsOf(bytes);
    return assigned(
      indices,
      indices.map((index) => all[index] ?? new Uint8Array()),
    );
  }
  return readSerialized(bytes, indices);
}

/**
 * TPML_PCR_SELECTION, the number of TPML_DIGEST, and the TPML_DIGESTs, in the memory layout of a little-endian machine
 * (tpm2-tools, lib/pcr.c): 16 selections of 8 bytes, and lists of 8 digests, each of a size and 64 bytes.
 */
const SERIALIZED = { selections: 4, selection: 8, afterSelections: 132, lists: 136, list: 532, perList: 8, digest: 66 };

function readSerialized(bytes: Uint8Array, indices: readonly number[]): PcrValues {
  const fault = (what: string) => new FormatError('tpm_format', what);
  const lists = Math.ceil(indices.length / SERIALIZED.perList);
  if (bytes.byteLength !== SERIALIZED.lists + lists * SERIALIZED.list) {
    throw fault(`${bytes.byteLength} bytes are not the values of the ${indices.length} PCRs that the quote selects`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { selections, afterSelections } = SERIALIZED;
  const isSelection = view.getUint32(0, true) === 1 && view.getUint16(selections, true) === 0x000b;
  const map = view.getUint32(selections + 3, true) & 0xffffff;
  const expected = indices.reduce((bits, index) => bits | (1 << index), 0);
  if (!isSelection || map !== expected) throw fault('these are not the PCRs that the quote selects');
  if (view.getUint32(afterSelections, true) !== lists) throw fault('the number of digest lists does not fit');
  const digests = Array.from({ length: lists }, (_, list) => SERIALIZED.lists + list * SERIALIZED.list).flatMap((at) =>
    Array.from({ length: Math.min(view.getUint32(at, true), SERIALIZED.perList) }, (_, item) => {
      const digest = at + 4 + item * SERIALIZED.digest;
      if (view.getUint16(digest, true) !== DIGEST_LENGTH) throw fault('a PCR value does not have 32 bytes');
      return bytes.subarray(digest + 2, digest + 2 + DIGEST_LENGTH);
    }),
  );
  if (digests.length !== indices.length) throw fault('the number of PCR values does not fit');
  return assigned(indices, digests);
}

function digestsOf(bytes: Uint8Array): readonly Uint8Array[] {
  const count = bytes.byteLength / DIGEST_LENGTH;
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * DIGEST_LENGTH, (at + 1) * DIGEST_LENGTH));
}

function assigned(indices: readonly number[], digests: readonly Uint8Array[]): PcrValues {
  return new Map(indices.map((index, at) => [index, digests[at] ?? new Uint8Array()]));
}
