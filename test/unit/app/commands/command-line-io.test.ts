import { Readable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readInput } from '../../../../src/app/commands/command-line-io.js';

const MIB = 1024 * 1024;

/** Standard input of so many bytes, which tells how many of them were asked for. */
function standardInput(length: number): { taken: number } {
  const chunk = Buffer.alloc(MIB);
  const count = { taken: 0 };
  const chunks = function* () {
    for (let left = length; left > 0; left -= MIB) {
      const part = chunk.subarray(0, Math.min(left, MIB));
      count.taken += part.length;
      yield part;
    }
  };
  const stream = Readable.from(chunks(), { highWaterMark: 1 });
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(stream as typeof process.stdin);
  return count;
}

afterEach(() => vi.restoreAllMocks());

describe('an input of the command line', () => {
  it('is refused beyond 128 MiB, and not read to its end', async () => {
    const count = standardInput(200 * MIB);
    await expect(readInput('-', 'a policy')).rejects.toMatchObject({
      name: 'UsageError',
      lines: ['standard input: has more than 134217728 bytes', 'expected a policy'],
    });
    expect(count.taken).toBeLessThan(132 * MIB);
  });

  it('twin: may have 128 MiB', async () => {
    standardInput(128 * MIB);
    const { name, bytes } = await readInput('-', 'a policy');
    expect([name, bytes.byteLength]).toEqual(['standard input', 128 * MIB]);
  });

  it('is refused where standard input breaks off', async () => {
    const broken = new Readable({ read: () => {} });
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(broken as typeof process.stdin);
    const reading = readInput('-', 'a policy');
    broken.push('half of it');
    broken.destroy(Object.assign(new Error('x'), { code: 'EIO', syscall: 'read' }));
    await expect(reading).rejects.toMatchObject({
      lines: ['standard input: cannot be read: the disk or the file system fails', 'expected a policy'],
    });
  });
});
