import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readFileIfThere, readRegularFile, writePrivateFile } from '../../../src/collector/files.js';
import { configfsEntry } from '../../../src/collector/tsm-report.js';
import { makePipe } from '../../make-pipe.js';

let folder: string;
const path = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-files-'));
  return () => rm(folder, { recursive: true });
});

describe('a file that is read', () => {
  it('may be as long as the bound, and no longer', async () => {
    await writeFile(path('a'), '12345');
    expect(Buffer.from(await readRegularFile(path('a'), 5)).toString()).toBe('12345');
    await expect(readRegularFile(path('a'), 4)).rejects.toThrow('has more than 4 bytes');
  });

  it('has a size that its status does not tell', async () => {
    expect((await readRegularFile('/proc/self/stat', 4096)).byteLength).toBeGreaterThan(10);
  });

  it('is no link, pipe, folder or socket', async () => {
    await writeFile(path('a'), 'x');
    await symlink(path('a'), path('link'));
    makePipe(path('pipe'));
    const server = createServer().listen(path('socket'));
    await expect(readRegularFile(path('link'), 5)).rejects.toThrow('is a symbolic link');
    await expect(readRegularFile(path('pipe'), 5)).rejects.toThrow('is not a regular file');
    await expect(readRegularFile(folder, 5)).rejects.toThrow('is not a regular file');
    await expect(readRegularFile(path('socket'), 5)).rejects.toThrow('is not a regular file');
    await expect(readRegularFile('/dev/zero', 5)).rejects.toThrow('is not a regular file');
    server.close();
  });

  it('may be missing', async () => {
    expect(await readFileIfThere(path('none'), 5)).toBeNull();
    await writeFile(path('a'), 'x');
    expect(await readFileIfThere(path('a/below'), 5)).toBeNull();
    await expect(readFileIfThere(folder, 5)).rejects.toThrow('is not a regular file');
  });
});

describe('a file that is written', () => {
  it('belongs to its owner alone, replaces another, and leaves nothing beside it', async () => {
    await writeFile(path('a'), 'old', { mode: 0o644 });
    await writePrivateFile(path('a'), 'new');
    expect([await readFile(path('a'), 'utf8'), (await stat(path('a'))).mode & 0o777]).toEqual(['new', 0o600]);
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('leaves nothing behind where it cannot be written', async () => {
    await writeFile(path('a'), 'old');
    await expect(writePrivateFile(path('a'), {} as string)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect([await readdir(folder), await readFile(path('a'), 'utf8')]).toEqual([['a'], 'old']);
  });

  it('does not take the place of a device, link or folder', async () => {
    await symlink(path('elsewhere'), path('link'));
    await mkdir(path('sub'));
    for (const name of [path('link'), path('sub'), '/dev/null']) {
      await expect(writePrivateFile(name, 'x')).rejects.toThrow('is not a regular file');
    }
    await expect(writePrivateFile(path('none/a'), 'x')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(folder)).toEqual(['link', 'sub']);
  });
});

describe('an entry of configfs-tsm', () => {
  it('is a folder of its own, whose attributes are read and written, and is removed', async () => {
    const entry = await configfsEntry(folder);
    const [name = ''] = await readdir(folder);
    expect(name).toMatch(/^veritee-/);
    await entry.write('inblob', Buffer.from('x'));
    expect(Buffer.from(await entry.read('inblob')).toString()).toBe('x');
    await writeFile(path(`${name}/outblob`), new Uint8Array(32 * 1024));
    expect(await entry.read('outblob')).toHaveLength(32 * 1024);
    await writeFile(path(`${name}/outblob`), new Uint8Array(32 * 1024 + 1));
    await expect(entry.read('outblob')).rejects.toThrow('has more than 32768 bytes');
    await rm(path(`${name}/outblob`));
    // The kernel removes attributes with their entry.
    await rm(path(`${name}/inblob`));
    await entry.remove();
    expect(await readdir(folder)).toEqual([]);
  });
});
