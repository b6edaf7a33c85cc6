import { describe, expect, it } from 'vitest';
import { NamedLocks } from '../../../src/workers/named-locks.js';

const locks = () => {
  const all = new NamedLocks<string>();
  const begun: string[] = [];
  const lock = (name: string, holder: string) =>
    void all.lock(name, holder).then(() => begun.push(`${name} ${holder}`));
  return { all, begun, lock };
};

describe('A named lock', () => {
  it('is given in the order in which it was asked for, once the one before has unlocked it', async () => {
    const { all, begun, lock } = locks();
    for (const holder of ['a', 'b', 'c']) lock('mark', holder);
    await expect.poll(() => begun).toEqual(['mark a']);
    all.unlock('mark', 'a');
    await expect.poll(() => begun).toEqual(['mark a', 'mark b']);
    all.unlock('mark', 'b');
    await expect.poll(() => begun).toEqual(['mark a', 'mark b', 'mark c']);
  });

  it('does not hold up one of another name', async () => {
    const { begun, lock } = locks();
    lock('mark', 'a');
    lock('other', 'b');
    await expect.poll(() => begun).toEqual(['mark a', 'other b']);
  });

  it('is unlocked by its holder alone', async () => {
    const { all, begun, lock } = locks();
    for (const holder of ['a', 'b']) lock('mark', holder);
    all.unlock('mark', 'b');
    all.unlock('another', 'a');
    await Promise.resolve();
    expect(begun).toEqual(['mark a']);
  });

  it('of a process that is gone is unlocked, and it gets none that it waited for', async () => {
    const { all, begun, lock } = locks();
    for (const holder of ['gone', 'gone', 'b']) lock('mark', holder);
    lock('other', 'b');
    lock('other', 'gone');
    lock('other', 'c');
    all.drop('gone');
    await expect.poll(() => begun).toEqual(['mark gone', 'other b', 'mark b']);
    all.unlock('other', 'b');
    await expect.poll(() => begun.at(-1)).toBe('other c');
  });
});
