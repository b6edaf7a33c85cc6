import { describe, expect, it } from 'vitest';
import type { ConfiguredFiles } from '../../../src/model/configured-files.js';
import { UnfitError } from '../../../src/model/errors.js';
import { FileBundle, filesBy } from '../../../src/workers/file-bundle.js';

let content = 'old';
let reads = 0;

const DISK: ConfiguredFiles = {
  read: async (path) => {
    reads += 1;
    if (path === 'bad') throw new UnfitError('not a file');
    return Buffer.from(`${content} ${path}`);
  },
  names: async () => [content],
  mark: async () => content,
  policies: async () => null,
};

const filesOf = (bundle: FileBundle, part: string) => filesBy((question) => bundle.ask(part, question));
const textOf = async (bundle: FileBundle, part: string, path = 'a') => String(await filesOf(bundle, part).read(path));

describe('A bundle of files', () => {
  it('says what they held when the first one asked, and reads each once', async () => {
    [content, reads] = ['old', 0];
    const bundle = new FileBundle(DISK);
    expect(await textOf(bundle, 'roots')).toBe('old a');
    content = 'new';
    expect(await textOf(bundle, 'roots')).toBe('old a');
    expect(reads).toBe(1);
    expect([await filesOf(bundle, 'roots').names('a'), await filesOf(bundle, 'roots').mark('a')]).toEqual([
      ['new'],
      'new',
    ]);
  });

  it('says each time that one could not be read', async () => {
    reads = 0;
    const bundle = new FileBundle(DISK);
    for (const _time of [1, 2]) await expect(textOf(bundle, 'roots', 'bad')).rejects.toThrow(UnfitError);
    expect(reads).toBe(1);
  });

  it('takes over the parts of a later one that can be used, and keeps the others', async () => {
    content = 'old';
    const before = new FileBundle(DISK);
    for (const part of ['roots', 'policies']) await textOf(before, part);
    content = 'new';
    const next = new FileBundle(DISK);
    for (const part of ['roots', 'policies']) await textOf(next, part);
    const after = before.with(['policies'], next);
    expect([await textOf(after, 'roots'), await textOf(after, 'policies')]).toEqual(['old a', 'new a']);
  });

  it('reads nothing from the disk once it is closed', async () => {
    content = 'old';
    const bundle = new FileBundle(DISK);
    await textOf(bundle, 'roots');
    for (const closed of [bundle.closed(), bundle.with([], new FileBundle(DISK))]) {
      expect(await textOf(closed, 'roots')).toBe('old a');
      await expect(textOf(closed, 'roots', 'b')).rejects.toThrow('b was not read when roots was taken over');
    }
  });
});
