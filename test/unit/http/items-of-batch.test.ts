import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AT_ONCE, asTheyCome, inOrder, Turns } from '../../../src/http/items-of-batch.js';

/** Items that end when the test says so, and how many have begun and not ended. */
function heldItems() {
  const begun: number[] = [];
  const end = new Map<number, () => void>();
  const run = (index: number) => {
    begun.push(index);
    return new Promise<string>((resolve) => end.set(index, () => resolve(`item ${index}`)));
  };
  return { begun, run, end: (index: number) => end.get(index)?.() };
}

const immediately = async (index: number) => index;

async function all<T>(items: AsyncGenerator<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('inOrder', () => {
  it('gives the items in their order, whichever ends first', async () => {
    const { run, end } = heldItems();
    const items = all(inOrder(3, run));
    await turn();
    for (const index of [2, 1, 0]) end(index);
    expect(await items).toEqual(['item 0', 'item 1', 'item 2']);
  });

  it.each([1, AT_ONCE, 256])('gives each of %i once', async (count) => {
    expect(await all(inOrder(count, immediately))).toEqual(Array.from({ length: count }, (_, index) => index));
  });

  it('begins no more at once than it may, and one more for each that was taken', async () => {
    const { begun, run, end } = heldItems();
    const items = inOrder(10, run);
    const first = items.next();
    await turn();
    expect(begun).toEqual([0, 1, 2, 3]);
    for (const index of [1, 2, 3]) end(index);
    await turn();
    expect(begun).toHaveLength(AT_ONCE);
    end(0);
    await first;
    void items.next();
    await turn();
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  it('begins nothing more once nobody takes what is there', async () => {
    const begun: number[] = [];
    const items = inOrder(10, async (index) => begun.push(index));
    await items.next();
    await items.return(undefined);
    expect(begun).toHaveLength(AT_ONCE);
  });
});

describe('asTheyCome', () => {
  it('gives each item when it ends, with its index', async () => {
    const { run, end } = heldItems();
    const items = asTheyCome(2, run);
    const first = items.next();
    await turn();
    end(1);
    expect((await first).value).toEqual({ index: 1, value: 'item 1' });
    const second = items.next();
    end(0);
    expect((await second).value).toEqual({ index: 0, value: 'item 0' });
    expect((await items.next()).done).toBe(true);
  });

  it('begins no more at once than it may', async () => {
    const { begun, run, end } = heldItems();
    const items = asTheyCome(10, run);
    const first = items.next();
    await turn();
    expect(begun).toEqual([0, 1, 2, 3]);
    end(2);
    await first;
    void items.next();
    await turn();
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  it.each([1, AT_ONCE, 256])('gives each of %i once', async (count) => {
    const found = await all(asTheyCome(count, immediately));
    expect(found.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: count }, (_, index) => index),
    );
    for (const { index, value } of found) expect(value).toBe(index);
  });
});

describe('Turns', () => {
  it('lets one go on in each round of the event loop', async () => {
    const turns = new Turns();
    let on = 0;
    const waiting = [1, 2, 3].map(() => turns.next().then(() => (on += 1)));
    let most = 0;
    for (let before = on; on < 3; before = on) {
      await turn();
      most = Math.max(most, on - before);
    }
    await Promise.all(waiting);
    expect(most).toBe(1);
  });
});
