import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileWatch } from '../../../../src/app/reload/file-watch.js';

let folder: string;
let changes: number;
let watch: FileWatch;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-watch-'));
  changes = 0;
  watch = new FileWatch({ onChange: () => changed(), pollMs: 5 });
});

afterEach(async () => {
  await watch.close();
  await rm(folder, { recursive: true });
});

const changed = () => {
  changes += 1;
};

const file = (name: string) => join(folder, name);

/** Several looks later than now. */
const looks = () => new Promise((resolve) => setTimeout(resolve, 100));

describe('Files that are looked at', () => {
  it.each([
    ['is written', () => writeFile(file('a.pem'), 'new')],
    [
      'is replaced',
      async () => {
        await writeFile(file('next'), 'new');
        await rename(file('next'), file('a.pem'));
      },
    ],
    ['is gone', () => rm(file('a.pem'))],
  ])('tell once that one %s', async (_what, change) => {
    await writeFile(file('a.pem'), 'old');
    await watch.readBytes(file('a.pem'));
    watch.watch();
    await change();
    await expect.poll(() => changes).toBe(1);
    await looks();
    expect(changes).toBe(1);
  });

  it('tell nothing of one that is made anew with the same content, and of the next change', async () => {
    await writeFile(file('a.pem'), 'old');
    await watch.readBytes(file('a.pem'));
    watch.watch();
    await writeFile(file('next'), 'old');
    await rename(file('next'), file('a.pem'));
    await looks();
    expect(changes).toBe(0);
    await writeFile(file('a.pem'), 'new');
    await expect.poll(() => changes).toBe(1);
  });

  it('tell that one is there which was not', async () => {
    await watch.note(file('veritee.yaml'));
    watch.watch();
    await writeFile(file('veritee.yaml'), '{}');
    await expect.poll(() => changes).toBe(1);
  });

  it('tell of a change that came while one was read', async () => {
    // The state of before the reading is noted, and then the file changes.
    let reads = 0;
    const mark = async () => `after ${reads} readings`;
    const read = async () => Buffer.from(reads++ === 0 ? 'old' : 'new');
    watch = new FileWatch({
      onChange: () => changed(),
      pollMs: 5,
      disk: { read, mark },
    });
    await watch.readBytes(file('a.pem'));
    watch.watch();
    await expect.poll(() => changes).toBe(1);
  });

  it('tell nothing while one is still being written', async () => {
    let state = 0;
    const disk = { read: async () => Buffer.of(), mark: async () => String(state++) };
    watch = new FileWatch({
      onChange: () => changed(),
      pollMs: 5,
      disk,
    });
    await watch.readBytes('a');
    watch.watch();
    await expect.poll(() => state).toBeGreaterThan(5);
    expect(changes).toBe(0);
  });

  it('twin: tell nothing where nothing changes, nor of what nobody has read', async () => {
    await writeFile(file('a.pem'), 'old');
    await watch.readBytes(file('a.pem'));
    watch.watch();
    await writeFile(file('b.pem'), 'new');
    await looks();
    expect(changes).toBe(0);
  });

  it('tell nothing any more once they are closed, also where one was being looked at', async () => {
    let release = () => {};
    let isHeld = false;
    let looks = 0;
    const mark = async () => {
      looks += 1;
      if (isHeld) {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      }
      return isHeld ? 'after' : 'before';
    };
    const read = async () => Buffer.from(isHeld ? 'new' : 'old');
    watch = new FileWatch({
      onChange: () => changed(),
      pollMs: 5,
      disk: { read, mark },
    });
    await watch.readBytes(file('a.pem'));
    isHeld = true;
    watch.watch();
    await expect.poll(() => looks).toBe(2);
    release();
    await expect.poll(() => looks).toBe(3);
    // The second look at the change, which would be told.
    const closing = watch.close();
    release();
    await closing;
    expect(changes).toBe(0);
  });
});
