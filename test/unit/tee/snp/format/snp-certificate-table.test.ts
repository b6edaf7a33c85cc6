import { describe, expect, it } from 'vitest';
import { parseSnpCertificateTable } from '../../../../../src/tee/snp/format/snp-certificate-table.js';
import { formatErrorOf } from '../../../../format-error-of.js';

const VCEK = '63da758d-e664-4564-adc5-f4b93be8accd';
const VLEK = 'a8074bc2-a25a-483e-aae6-39c045a0b8a1';
const ASK = '4ab7b379-bbac-4fe4-a02f-05aef327c782';
const ARK = 'c0b406a4-a803-4952-9743-3fb6014cd0ae';
const EXTRA = 'ecae0c0f-9502-43b1-afa2-0ae2e0d565b6';
const MALFORMED = { code: 'cert_format', pointer: null };

interface Entry {
  readonly guid: string;
  readonly offset: number;
  readonly length: number;
}

function entry({ guid, offset, length }: Entry): Buffer {
  const bytes = Buffer.alloc(24);
  Buffer.from(guid.replaceAll('-', ''), 'hex').copy(bytes);
  bytes.writeUInt32LE(offset, 16);
  bytes.writeUInt32LE(length, 20);
  return bytes;
}

/** Entries, their end, and bytes 0, 1, 2, … after them. */
function table(entries: readonly Entry[], content = 12): Uint8Array {
  return Buffer.concat([
    ...entries.map(entry),
    Buffer.alloc(24),
    Buffer.from(Array.from({ length: content }, (_, i) => i)),
  ]);
}

describe('parseSnpCertificateTable', () => {
  it('REQ-19 reads 64 entries, and refuses one more, however many follow', () => {
    const entries = (count: number) => {
      const start = (count + 1) * 24;
      return Array.from({ length: count }, (_, index) => ({ guid: EXTRA, offset: start + index, length: 1 }));
    };
    expect(parseSnpCertificateTable(table(entries(64), 64))).toEqual({});
    for (const count of [65, 60_000]) {
      expect(formatErrorOf(() => parseSnpCertificateTable(table(entries(count), count)))).toEqual(MALFORMED);
    }
  });

  it('finds each kind of certificate', () => {
    const start = 5 * 24;
    const bytes = table([
      { guid: VCEK, offset: start, length: 3 },
      { guid: VLEK, offset: start + 3, length: 3 },
      { guid: ASK, offset: start + 6, length: 3 },
      { guid: ARK, offset: start + 9, length: 3 },
    ]);
    const { vcek, vlek, ask, ark } = parseSnpCertificateTable(bytes);
    expect([vcek, vlek, ask, ark].map((found) => [...(found ?? [])])).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
      [9, 10, 11],
    ]);
  });

  it('finds them in any order, inside a larger buffer, with filling after them', () => {
    const start = 3 * 24;
    const inner = table(
      [
        { guid: ARK, offset: start + 4, length: 2 },
        { guid: VCEK, offset: start, length: 4 },
      ],
      100,
    );
    const outer = Buffer.concat([Buffer.alloc(7, 0xee), inner]);
    const found = parseSnpCertificateTable(outer.subarray(7));
    expect({ vcek: [...(found.vcek ?? [])], ark: [...(found.ark ?? [])] }).toEqual({ vcek: [0, 1, 2, 3], ark: [4, 5] });
  });

  it('passes over entries of another kind', () => {
    expect(parseSnpCertificateTable(table([{ guid: EXTRA, offset: 48, length: 12 }]))).toEqual({});
  });

  it('reads a table without entries', () => {
    expect(parseSnpCertificateTable(new Uint8Array(4096))).toEqual({});
  });

  it.each<[string, readonly Entry[]]>([
    ['points outside the table', [{ guid: VCEK, offset: 48, length: 13 }]],
    ['starts outside the table', [{ guid: VCEK, offset: 61, length: 1 }]],
    ['wraps around', [{ guid: VCEK, offset: 0xffffffff, length: 0xffffffff }]],
    ['points into the entries', [{ guid: VCEK, offset: 47, length: 4 }]],
    ['has no bytes', [{ guid: VCEK, offset: 48, length: 0 }]],
    ['of another kind points outside the table', [{ guid: EXTRA, offset: 48, length: 13 }]],
    [
      'overlaps another',
      [
        { guid: VCEK, offset: 72, length: 4 },
        { guid: ASK, offset: 75, length: 4 },
      ],
    ],
    [
      'is another one once more',
      [
        { guid: VCEK, offset: 72, length: 4 },
        { guid: ASK, offset: 72, length: 4 },
      ],
    ],
    [
      'repeats a kind',
      [
        { guid: VCEK, offset: 72, length: 4 },
        { guid: VCEK, offset: 76, length: 4 },
      ],
    ],
  ])('refuses an entry that %s', (_, entries) => {
    expect(formatErrorOf(() => parseSnpCertificateTable(table(entries)))).toEqual(MALFORMED);
  });

  it('refuses a table whose entries do not end', () => {
    const bytes = entry({ guid: VCEK, offset: 24, length: 1 });
    expect(formatErrorOf(() => parseSnpCertificateTable(bytes))).toEqual(MALFORMED);
    expect(formatErrorOf(() => parseSnpCertificateTable(new Uint8Array(0)))).toEqual(MALFORMED);
  });

  it('refuses a last entry that is zero but for its length', () => {
    const zero = '00000000-0000-0000-0000-000000000000';
    const bytes = entry({ guid: zero, offset: 0, length: 1 });
    expect(formatErrorOf(() => parseSnpCertificateTable(bytes))).toEqual(MALFORMED);
  });

  it('reads the GUID in the byte order of RFC 4122, not in that of Windows', () => {
    const bytes = Buffer.from(table([{ guid: '8d75da63-64e6-6445-adc5-f4b93be8accd', offset: 48, length: 4 }]));
    expect(parseSnpCertificateTable(bytes)).toEqual({});
  });
});
