import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError, FormatError, UnfitError } from '../../../../src/core/errors.js';
import {
  ALL_FILES,
  attempt,
  CERTIFICATE_FILES,
  codeOf,
  type EndingFile,
  fingerprintOf,
  lastOfEach,
  readBundle,
  readMaterialFiles,
  requireBundle,
  requireEmptyFolder,
} from '../../../../src/endorsements/files/material-files.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-material-'));
});

afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, text = name) => writeFile(join(folder, name), text);

/** The reason why a folder is refused; null if it is not. */
async function refusalOf(required: Promise<unknown>): Promise<string | null> {
  try {
    await required;
    return null;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}

describe('files of a folder', () => {
  it('are those whose names fit, in the order of their names', async () => {
    for (const name of ['b.pem', 'a.crl', 'c.txt', '.d.pem']) await write(name);
    const { files, refused } = await readMaterialFiles(folder, CERTIFICATE_FILES);
    expect([files.map(({ name }) => name), refused]).toEqual([['a.crl', 'b.pem'], []]);
  });

  it('are none where there is no folder, and a fault where the folder is a file', async () => {
    expect(await readMaterialFiles(join(folder, 'none'), ALL_FILES)).toEqual({ files: [], refused: [] });
    await write('file');
    await expect(readMaterialFiles(join(folder, 'file'), ALL_FILES)).rejects.toThrow('ENOTDIR');
  });

  it('that cannot be read are named with the reason', async () => {
    await symlink('nowhere', join(folder, 'dangling.pem'));
    await write('large.pem');
    await truncate(join(folder, 'large.pem'), 1024 * 1024 + 1);
    expect(await readMaterialFiles(folder, ALL_FILES)).toEqual({
      files: [],
      refused: [
        { name: 'dangling.pem', why: 'there is no such file' },
        { name: 'large.pem', why: 'over 1048576 bytes' },
      ],
    });
  });

  it('are read up to 64 MiB', async () => {
    const names = Array.from({ length: 65 }, (_, index) => `${String(index).padStart(2, '0')}.pem`);
    for (const name of names) {
      await write(name);
      await truncate(join(folder, name), 1024 * 1024);
    }
    const { files, refused } = await readMaterialFiles(folder, ALL_FILES);
    expect([files.length, refused]).toEqual([64, [{ name: '64.pem', why: 'too much in this folder' }]]);
  });
});

describe('the fingerprint of a folder', () => {
  it('changes when a file comes or is written, also behind a link', async () => {
    const outside = `${folder}-outside`;
    const marks = [await fingerprintOf(folder, ALL_FILES)];
    try {
      await symlink(outside, join(folder, 'link.pem'));
      marks.push(await fingerprintOf(folder, ALL_FILES));
      await writeFile(outside, 'one');
      marks.push(await fingerprintOf(folder, ALL_FILES));
      await writeFile(outside, 'three');
      marks.push(await fingerprintOf(folder, ALL_FILES));
    } finally {
      await rm(outside, { force: true });
    }
    expect(marks.slice(0, 2)).toEqual(['[]', '[["link.pem","ENOENT"]]']);
    expect(new Set(marks).size).toBe(4);
  });

  it('is null where there is no folder', async () => {
    expect(await fingerprintOf(join(folder, 'none'), ALL_FILES)).toBeNull();
  });
});

describe('the folder of a bundle', () => {
  it('has to be there to be read', async () => {
    expect(await refusalOf(readBundle(join(folder, 'none'), ALL_FILES))).toMatch(/none: no such folder$/);
    await write('a.pem');
    expect((await readBundle(folder, ALL_FILES)).files).toHaveLength(1);
  });

  it('is empty, new or has files with a dot alone where an export writes into it', async () => {
    expect(await refusalOf(requireEmptyFolder(join(folder, 'none')))).toBeNull();
    await write('.hidden');
    expect(await refusalOf(requireEmptyFolder(folder))).toBeNull();
    await write('a.txt');
    expect(await refusalOf(requireEmptyFolder(folder))).toMatch(
      /: is not empty; an export writes into a new or empty folder$/,
    );
    expect(await refusalOf(requireEmptyFolder(join(folder, 'a.txt')))).toMatch(/a\.txt: is not a folder$/);
  });

  it('has something to import', async () => {
    expect(await refusalOf(requireBundle(join(folder, 'none')))).toMatch(/none: no such folder$/);
    expect(await refusalOf(requireBundle(folder))).toMatch(/: is empty; a bundle holds certificates and CRLs/);
    await write('a.txt');
    expect(await refusalOf(requireBundle(folder))).toMatch(/: has nothing to import; a bundle holds/);
    expect(await refusalOf(requireBundle(join(folder, 'a.txt')))).toMatch(/a\.txt: is not a folder$/);
    await write('a.json');
    expect(await refusalOf(requireBundle(folder))).toBeNull();
    await rm(join(folder, 'a.json'));
    await write('a.der');
    expect(await refusalOf(requireBundle(folder))).toBeNull();
  });

  it('whose name is too long is a fault of the system', async () => {
    await expect(requireBundle(join(folder, 'x'.repeat(300)))).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  });
});

describe('files that end', () => {
  const file = (name: string, group: string, expires: string) => ({
    key: 'amd.chains' as const,
    file: name,
    subject: 'ARK-Milan',
    expires,
    group,
  });

  it('are those of each group that end last', () => {
    const found: readonly EndingFile[] = lastOfEach([
      file('old', 'one', '2026-01-01T00:00:00Z'),
      file('new', 'one', '2026-03-01T00:00:00Z'),
      file('older', 'one', '2025-01-01T00:00:00Z'),
      file('other', 'two', '2026-02-01T00:00:00Z'),
    ]);
    expect(found.map(({ file: name }) => name)).toEqual(['new', 'other']);
  });
});

describe('an attempt to read material', () => {
  it('gives what is wrong with it, and passes on what is wrong with the program', () => {
    const throwing = (error: Error) => () => {
      throw error;
    };
    const [format, unfit] = [new FormatError('schema', 'no form'), new UnfitError('no use')];
    expect(attempt(() => 1)).toBe(1);
    expect(attempt(throwing(format))).toBe(format);
    expect(attempt(throwing(unfit))).toBe(unfit);
    expect(() => attempt(throwing(new TypeError('a fault')))).toThrow('a fault');
  });

  it('has a code where the system has one', () => {
    expect(codeOf(Object.assign(new Error('no space'), { code: 'ENOSPC' }))).toBe('ENOSPC');
    expect([codeOf(new Error('no')), codeOf('ENOSPC')]).toEqual(['unknown fault', 'unknown fault']);
  });
});
