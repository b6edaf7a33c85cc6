import { isUtf8 } from 'node:buffer';
import { BANK_LENGTH } from '../boot/format/measured-event.js';
import { FormatError } from '../core/errors.js';
import type { TpmQuoteInput } from '../core/evidence.js';
import type { StrictJsonLimits } from '../formats/strict-json.js';
import { parseBody } from './read-body.js';
import { readRegisterValues } from './read-evidence.js';
import { checkSchema } from './schema-check.js';

/** Number of PCRs in a TPM, and so of values in a list. */
const PCR_COUNT = 24;
const LIST_LENGTH = PCR_COUNT * BANK_LENGTH.sha256;

/**
 * Reads a file of register values: the concatenated SHA-256 values of PCR 0 to 23, or JSON as `pcrs` of a request.
 *
 * @throws {FormatError} `tpm_format` for a list or a value of another length; codes of `parseStrictJson`,
 *   `unknown_property`, `schema`, `encoding`
 */
export function readPcrsFile(bytes: Uint8Array, limits?: StrictJsonLimits): TpmQuoteInput['pcrs'] {
  if (bytes.byteLength === LIST_LENGTH && !isAscii(bytes)) return new Map([['sha256', splitPcrValues(bytes)]]);
  if (!isUtf8(bytes)) {
    const message = `a list of ${PCR_COUNT} SHA-256 PCR values is ${bytes.byteLength} bytes, expected ${LIST_LENGTH}`;
    throw new FormatError('tpm_format', message);
  }
  const values = readRegisterValues(checkSchema('PcrValues', parseBody(bytes, limits)), '');
  // The caller expects a comparison: without values, "no problem was found" would be meaningless.
  if ([...values.values()].every((bank) => bank.size === 0)) {
    throw new FormatError('schema', 'there is no value of a register, expected {"sha256": {"7": "hex of 32 bytes"}}');
  }
  return values;
}

/** Whether the bytes are text. Among 768 bytes of hashes, some are never ASCII. */
function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80);
}

function splitPcrValues(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const length = BANK_LENGTH.sha256;
  const values = Array.from({ length: PCR_COUNT }, (_, index) => bytes.subarray(index * length, (index + 1) * length));
  return new Map(values.entries());
}
