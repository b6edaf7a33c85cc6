import { FormatError } from '../core/errors.js';
import { quotedName } from '../core/names-in-messages.js';
import { equalInConstantTime } from '../crypto/constant-time.js';
import { sha256 } from '../crypto/digest.js';
import { PCR_COUNT, type PcrValues } from '../tee/tpm/format/pcr-values.js';
import type { TpmsQuote } from '../tee/tpm/format/tpms-attest.js';

export const ALL_PCRS: readonly number[] = Array.from({ length: PCR_COUNT }, (_, index) => index);

/** The longest list: each of 24 PCRs as a range of two digits, and the commas between. */
const LIST_CHARACTERS = PCR_COUNT * '00-00'.length + PCR_COUNT - 1;

/**
 * Reads a list of PCRs, such as `0-7,11`.
 * @returns indices, ascending
 * @throws {FormatError} `schema`
 */
export function parsePcrList(text: string): readonly number[] {
  if (text.length > LIST_CHARACTERS) {
    throw new FormatError('schema', `the list has ${text.length} characters, expected at most ${LIST_CHARACTERS}`);
  }
  const indices = text.split(',').flatMap((part) => {
    const [, from, to = from] = /^(\d{1,2})(?:-(\d{1,2}))?$/.exec(part) ?? [];
    if (from === undefined || Number(from) > Number(to) || Number(to) >= PCR_COUNT) {
      const found = part === '' ? 'nothing' : quotedName(part);
      throw new FormatError('schema', `${found}: expected PCRs from 0 to 23 as numbers and ranges, such as 0-7,11`);
    }
    return ALL_PCRS.slice(Number(from), Number(to) + 1);
  });
  const twice = indices.find((index, at) => indices.indexOf(index) !== at);
  if (twice !== undefined) throw new FormatError('schema', `PCR ${twice} is listed twice`);
  return indices.toSorted((a, b) => a - b);
}

/** Whether values have the digest of a SHA-256 quote. */
export function isDigestOf(values: PcrValues, { pcrDigest }: Pick<TpmsQuote, 'pcrDigest'>): boolean {
  return equalInConstantTime(sha256(...values.values()), pcrDigest);
}
