import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CacheFolder } from '../../../../src/endorsements/files/cache-folder.js';
import { makePipe } from '../../../make-pipe.js';
import { RecordingLog } from '../recording-log.js';

/** Takes so much longer to write than the short one that a write begun later would be over sooner. */
const LONG = new Uint8Array(512 * 1024);
const SHORT = Uint8Array.of(2);

let path: string;
let log: RecordingLog;
let folder: CacheFolder;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'veritee-cache-'));
  log = new RecordingLog();
  folder = new CacheFolder(path, log);
});

afterEach(() => rm(path, { recursive: true }));

describe('changes at the same time', () => {
  it('leave what was written last', async () => {
    await Promise.all([folder.write('a', LONG), folder.write('a', SHORT)]);
    expect(await folder.read('a')).toHaveLength(SHORT.byteLength);
  });

  it('leave what was written after a removal', async () => {
    await folder.write('a', SHORT);
    await Promise.all([folder.write('a', LONG), folder.remove('a')]);
    expect(await folder.read('a')).toBeNull();
    await Promise.all([folder.remove('a'), folder.write('a', SHORT)]);
    expect(await folder.read('a')).toHaveLength(SHORT.byteLength);
  });
});

describe('the end of changes', () => {
  it('is waited for, those that follow one another included', async () => {
    const inTurn = async () => {
      for (const name of ['a', 'b', 'c']) await folder.write(name, LONG);
    };
    const writing = inTurn();
    await folder.settled();
    expect((await readdir(path)).sort()).toEqual(['a', 'b', 'c']);
    await writing;
  });

  it('is there at once where nothing is written', async () => {
    await expect(folder.settled()).resolves.toBeUndefined();
  });
});

describe('a file that is none of ours', () => {
  it('is not read where it is larger than any endorsement', async () => {
    await writeFile(join(path, 'a'), new Uint8Array(1024 * 1024 + 1));
    expect(await folder.read('a')).toBeNull();
    expect(log.of(/cannot be read/)).toHaveLength(1);
    await writeFile(join(path, 'a'), new Uint8Array(1024 * 1024));
    expect(await folder.read('a')).toHaveLength(1024 * 1024);
  });

  it('is not waited for where it is a pipe', async () => {
    makePipe(join(path, 'a'));
    expect(await folder.read('a')).toBeNull();
    expect(log.of(/cannot be read/)).toHaveLength(1);
  });
});
