import { describe, expect, it } from 'vitest';
import {
  EFI_GLOBAL_VARIABLE,
  EFI_IMAGE_SECURITY_DATABASE,
  parseEfiVariable,
} from '../../../../src/boot/format/efi-variable.js';
import { joinBytes, littleEndian, patchBytes } from '../../../lab/byte-patch.js';
import { secureBootVariable } from '../../../lab/event-log-builder.js';

const CONTENTS = Uint8Array.of(1, 2, 3);
const DB = secureBootVariable('db', CONTENTS);
const withLengths = (name: bigint, contents: bigint) =>
  patchBytes(DB, [
    { offset: 16, bytes: littleEndian(name, 8) },
    { offset: 24, bytes: littleEndian(contents, 8) },
  ]);

describe('data of a variable', () => {
  it('has vendor GUID, name and contents', () => {
    expect(parseEfiVariable(DB)).toEqual({
      guid: EFI_IMAGE_SECURITY_DATABASE,
      name: 'db',
      contents: CONTENTS,
      trailing: 0,
    });
    expect(parseEfiVariable(secureBootVariable('SecureBoot', CONTENTS))).toMatchObject({
      guid: EFI_GLOBAL_VARIABLE,
      name: 'SecureBoot',
    });
  });

  it('is read where it stands inside of other bytes', () => {
    const within = joinBytes(new Uint8Array(7), DB, new Uint8Array(9)).subarray(7, 7 + DB.byteLength);
    expect(parseEfiVariable(within)).toMatchObject({ name: 'db', contents: CONTENTS, trailing: 0 });
  });

  it('may have no name and no contents', () => {
    expect(parseEfiVariable(new Uint8Array(32))).toMatchObject({ name: '', trailing: 0 });
  });

  it('counts bytes that follow', () => {
    expect(parseEfiVariable(joinBytes(DB, Uint8Array.of(7)))).toMatchObject({ contents: CONTENTS, trailing: 1 });
  });

  it('is none where it is cut anywhere', () => {
    for (let length = 0; length < DB.byteLength; length++) expect(parseEfiVariable(DB.subarray(0, length))).toBeNull();
  });

  it.each<[string, bigint, bigint]>([
    ['a name of 257 characters', 257n, 3n],
    ['a name of 2^64-1 characters', 2n ** 64n - 1n, 3n],
    ['a name of 2^63 characters, twice which is 0', 2n ** 63n, 3n],
    ['contents of 2^64-1 bytes', 2n, 2n ** 64n - 1n],
    ['contents that end where they start, modulo 2^64', 2n, 2n ** 64n - 36n],
    ['contents of a byte more than there are', 2n, 4n],
  ])('TPM-14 is none with %s', (_name, name, contents) => {
    expect(parseEfiVariable(withLengths(name, contents))).toBeNull();
  });

  it('is none with a name of 257 characters that are there', () => {
    const named = (length: number) => secureBootVariable('x'.repeat(length), CONTENTS);
    expect(parseEfiVariable(named(256))?.name).toHaveLength(256);
    expect(parseEfiVariable(named(257))).toBeNull();
  });
});
