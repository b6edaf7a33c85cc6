import { describe, expect, it } from 'vitest';
import { ExclusiveTurns } from '../../../src/workers/exclusive-turns.js';

const turns = () => {
  const all = new ExclusiveTurns<string>();
  const begun: string[] = [];
  const take = (name: string, holder: string) =>
    void all.take(name, holder).then(() => begun.push(`${name} ${holder}`));
  return { all, begun, take };
};

describe('Turns at something that one process does at a time', () => {
  it('come in the order in which they were asked for, each once the one before is over', async () => {
    const { all, begun, take } = turns();
    for (const holder of ['a', 'b', 'c']) take('mark', holder);
    await expect.poll(() => begun).toEqual(['mark a']);
    all.give('mark', 'a');
    await expect.poll(() => begun).toEqual(['mark a', 'mark b']);
    all.give('mark', 'b');
    await expect.poll(() => begun).toEqual(['mark a', 'mark b', 'mark c']);
  });

  it('at something else are not waited for', async () => {
    const { begun, take } = turns();
    take('mark', 'a');
    take('other', 'b');
    await expect.poll(() => begun).toEqual(['mark a', 'other b']);
  });

  it('are given on by who has them alone', async () => {
    const { all, begun, take } = turns();
    for (const holder of ['a', 'b']) take('mark', holder);
    all.give('mark', 'b');
    all.give('another', 'a');
    await Promise.resolve();
    expect(begun).toEqual(['mark a']);
  });

  it('of a process that is gone are given on, and those that it waits for are not given to it', async () => {
    const { all, begun, take } = turns();
    for (const holder of ['gone', 'gone', 'b']) take('mark', holder);
    take('other', 'b');
    take('other', 'gone');
    take('other', 'c');
    all.drop('gone');
    await expect.poll(() => begun).toEqual(['mark gone', 'other b', 'mark b']);
    all.give('other', 'b');
    await expect.poll(() => begun.at(-1)).toBe('other c');
  });
});
