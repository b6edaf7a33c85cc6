import { describe, expect, it } from 'vitest';
import { ALL_PCRS, isDigestOf, parsePcrList } from '../../../src/collector/pcr-values.js';
import { sha256 } from '../../../src/crypto/digest.js';
import { readPcrValues } from '../../../src/tee/tpm/format/pcr-values.js';
import type { PcrSelection } from '../../../src/tee/tpm/format/tpms-attest.js';

const sha256Of = (...indices: readonly number[]) => ({
  selections: [{ algorithm: 0x000b, bank: 'sha256', indices }] satisfies readonly PcrSelection[],
});
const value = (index: number) => new Uint8Array(32).fill(index + 1);
const expected = (...indices: readonly number[]) => indices.map((index) => [index, value(index)]);
const listed = (values: ReadonlyMap<number, Uint8Array>) =>
  [...values].map(([at, bytes]) => [at, Uint8Array.from(bytes)]);

/** As tpm2_quote -F serialized writes it on a little-endian machine. */
function serialized(
  indices: readonly number[],
  changes: { count?: number; bank?: number; lists?: number; size?: number; perList?: number } = {},
) {
  const lists = Math.ceil(indices.length / 8);
  const bytes = new Uint8Array(136 + lists * 532);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, changes.count ?? 1, true);
  view.setUint16(4, changes.bank ?? 0x000b, true);
  view.setUint8(6, 3);
  for (const index of indices) bytes[7 + (index >> 3)] = (bytes[7 + (index >> 3)] ?? 0) | (1 << (index & 7));
  view.setUint32(132, changes.lists ?? lists, true);
  for (let list = 0; list < lists; list++) {
    const inList = indices.slice(list * 8, list * 8 + 8);
    view.setUint32(136 + list * 532, changes.perList ?? inList.length, true);
    inList.forEach((index, item) => {
      const at = 136 + list * 532 + 4 + item * 66;
      view.setUint16(at, changes.size ?? 32, true);
      bytes.set(value(index), at + 2);
    });
  }
  return bytes;
}

const refusedWith = (message: string) => expect.objectContaining({ code: 'schema', message });

describe('a list of PCRs', () => {
  it.each<[string, readonly number[]]>([
    ['7', [7]],
    ['0-7,11', [0, 1, 2, 3, 4, 5, 6, 7, 11]],
    ['14,0-2', [0, 1, 2, 14]],
    ['0-23', ALL_PCRS],
    ['5-5', [5]],
  ])('%s', (text, indices) => {
    expect(parsePcrList(text)).toEqual(indices);
  });

  it.each([
    ['', 'nothing'],
    [',', 'nothing'],
    ['0-7,', 'nothing'],
    ['24', '"24"'],
    ['0-24', '"0-24"'],
    ['7-0', '"7-0"'],
    ['-1', '"-1"'],
    ['1-', '"1-"'],
    ['a', '"a"'],
    ['3,1 ,2', '"1 "'],
    ['0x7', '"0x7"'],
    ['100', '"100"'],
    ['0-100', '"0-100"'],
    ['1\n', '(name withheld)'],
  ])('is refused, and the part that is wrong is named: %j', (text, part) => {
    expect(() => parsePcrList(text)).toThrow(
      refusedWith(`${part}: expected PCRs from 0 to 23 as numbers and ranges, such as 0-7,11`),
    );
  });

  it.each([
    ['1,1', 1],
    ['0-3,2', 2],
    ['7,0-7', 7],
    ['23,23', 23],
  ])('is refused where a PCR stands there twice: %s', (text, index) => {
    expect(() => parsePcrList(text)).toThrow(refusedWith(`PCR ${index} is listed twice`));
  });

  it('may be as long as 24 PCRs can make it, and no longer', () => {
    const longest = ALL_PCRS.map((index) => String(index).padStart(2, '0'))
      .map((index) => `${index}-${index}`)
      .join(',');
    expect([longest.length, parsePcrList(longest)]).toEqual([143, ALL_PCRS]);
    expect(() => parsePcrList(`${longest},`)).toThrow(refusedWith('the list has 144 characters, expected at most 143'));
  });
});

describe('PCR values', () => {
  it('are those that are selected, one after the other', () => {
    const bytes = Buffer.concat([0, 7, 9].map(value));
    expect(listed(readPcrValues(bytes, sha256Of(0, 7, 9)))).toEqual(expected(0, 7, 9));
  });

  it('are picked from all 24', () => {
    const bytes = Buffer.concat(ALL_PCRS.map(value));
    expect(listed(readPcrValues(bytes, sha256Of(0, 7, 23)))).toEqual(expected(0, 7, 23));
    expect(listed(readPcrValues(bytes, sha256Of(...ALL_PCRS)))).toEqual(expected(...ALL_PCRS));
  });

  it.each([[[4]], [[0, 7, 9]], [[0, 1, 2, 3, 4, 5, 6, 7, 8]], [ALL_PCRS]])(
    'are read from structures of tpm2-tools: %j',
    (indices) => {
      expect(listed(readPcrValues(serialized(indices), sha256Of(...indices)))).toEqual(expected(...indices));
    },
  );

  it.each<[string, Uint8Array, string]>([
    ['of another length', new Uint8Array(33), '33 bytes are not the values of the 2 PCRs that the quote selects'],
    ['of other PCRs', serialized([0, 8]), 'these are not the PCRs that the quote selects'],
    ['of two banks', serialized([0, 7], { count: 2 }), 'these are not the PCRs that the quote selects'],
    ['of another bank', serialized([0, 7], { bank: 4 }), 'these are not the PCRs that the quote selects'],
    ['in another number of lists', serialized([0, 7], { lists: 2 }), 'the number of digest lists does not fit'],
    ['fewer than said', serialized([0, 7], { perList: 1 }), 'the number of PCR values does not fit'],
    ['more than said', serialized([0, 7], { perList: 0xffffffff }), 'a PCR value does not have 32 bytes'],
    ['of another size', serialized([0, 7], { size: 20 }), 'a PCR value does not have 32 bytes'],
  ])('are refused: %s', (_title, bytes, message) => {
    expect(() => readPcrValues(bytes, sha256Of(0, 7))).toThrow(message);
  });

  it.each<[string, readonly PcrSelection[]]>([
    ['no bank', []],
    ['another bank', [{ algorithm: 4, bank: 'sha1', indices: [0] }]],
    ['two banks', [...sha256Of(0).selections, ...sha256Of(1).selections]],
  ])('are refused for a quote of %s', (_title, selections) => {
    expect(() => readPcrValues(new Uint8Array(32), { selections })).toThrow(
      'the quote does not select PCRs of the SHA-256 bank alone',
    );
  });

  it('are compared with the digest of the quote', () => {
    const values = new Map([[0, value(0)]]);
    expect(isDigestOf(values, { pcrDigest: sha256(value(0)) })).toBe(true);
    expect(isDigestOf(values, { pcrDigest: sha256(value(1)) })).toBe(false);
  });
});
