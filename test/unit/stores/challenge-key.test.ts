import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/core/errors.js';
import { CHALLENGE_KEY_BYTES, readOrCreateChallengeKey } from '../../../src/stores/challenge-key.js';
import { makePipe } from '../../make-pipe.js';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'veritee-'));
  path = join(directory, 'data', 'challenges.key');
});
afterEach(() => rm(directory, { recursive: true }));

describe('the key', () => {
  it('is made, for its owner only, with nothing left beside it', async () => {
    const key = await readOrCreateChallengeKey(path);
    expect(key.byteLength).toBe(CHALLENGE_KEY_BYTES);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(directory, 'data'))).toEqual(['challenges.key']);
  });

  it('FRS-07 is said to be new by the one process that made it, and by none that found it', async () => {
    let made = 0;
    const read = () => readOrCreateChallengeKey(path, () => made++);
    await Promise.all(Array.from({ length: 8 }, read));
    expect(made).toBe(1);
    await read();
    expect(made).toBe(1);
    await rm(path);
    await read();
    expect(made).toBe(2);
  });

  it('FRS-07 is the same after a restart', async () => {
    expect(await readOrCreateChallengeKey(path)).toEqual(await readOrCreateChallengeKey(path));
  });

  it('is the same for all that start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 16 }, () => readOrCreateChallengeKey(path)));
    const kept = new Uint8Array(await readFile(path));
    for (const key of keys) expect(key).toEqual(kept);
    expect(await readdir(join(directory, 'data'))).toEqual(['challenges.key']);
  });

  it('is another one in another place', async () => {
    const other = await readOrCreateChallengeKey(join(directory, 'other.key'));
    expect(other).not.toEqual(await readOrCreateChallengeKey(path));
  });

  it('may be a mounted secret that everybody can read', async () => {
    await writeFile(join(directory, 'secret'), new Uint8Array(32).fill(7), { mode: 0o644 });
    await symlink(join(directory, 'secret'), join(directory, 'mounted'));
    expect(await readOrCreateChallengeKey(join(directory, 'mounted'))).toEqual(new Uint8Array(32).fill(7));
  });
});

describe('the service does not start with', () => {
  async function problem(): Promise<string> {
    const reading = readOrCreateChallengeKey(join(directory, 'k'));
    await expect(reading).rejects.toThrow(ConfigurationError);
    return reading.then(
      () => '',
      (error: ConfigurationError) => error.problems.join(),
    );
  }

  it('a pipe, and does not wait for it', async () => {
    makePipe(join(directory, 'k'));
    expect(await problem()).toBe(`challenges.key: ${directory}/k is not a file of 32 bytes`);
  });

  it.each([0, 31, 33, 64])('a key of %i bytes', async (length) => {
    await writeFile(join(directory, 'k'), new Uint8Array(length));
    expect(await problem()).toBe(`challenges.key: ${directory}/k is not a file of 32 bytes`);
  });

  it('a key that everybody may write', async () => {
    await writeFile(join(directory, 'k'), new Uint8Array(32));
    await chmod(join(directory, 'k'), 0o602);
    expect(await problem()).toBe(`challenges.key: ${directory}/k is writable by everyone`);
  });

  it('a key in a directory that is a file', async () => {
    await writeFile(join(directory, 'file'), '');
    const reading = readOrCreateChallengeKey(join(directory, 'file', 'k'));
    await expect(reading).rejects.toThrow(`challenges.key: ${directory}/file/k can neither be read nor created`);
  });

  it('a link to nowhere', async () => {
    await symlink(join(directory, 'nowhere'), join(directory, 'k'));
    expect(await problem()).toBe(`challenges.key: ${directory}/k vanished`);
  });
});
