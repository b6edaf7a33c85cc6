import { describe, expect, it } from 'vitest';
import { ReadOnce } from '../../../../src/endorsements/files/read-once.js';

describe('ReadOnce', () => {
  it('reads a value once, for all that ask at the same time and afterwards', async () => {
    const values = new ReadOnce<number>();
    let reads = 0;
    const read = async () => ++reads;
    expect(await Promise.all([values.get('a', read), values.get('a', read)])).toEqual([1, 1]);
    expect(await values.get('a', read)).toBe(1);
    expect(await values.get('b', read)).toBe(2);
  });

  it('remembers that there is none', async () => {
    const values = new ReadOnce<number>();
    let reads = 0;
    const read = async () => {
      reads += 1;
      return null;
    };
    expect(await values.get('a', read)).toBeNull();
    expect(await values.get('a', read)).toBeNull();
    expect(reads).toBe(1);
  });

  it('does not put what it read in the place of what was set meanwhile', async () => {
    const values = new ReadOnce<number>();
    const reading = values.get('a', async () => {
      values.set('a', 2);
      return 1;
    });
    expect(await reading).toBe(2);
    expect(values.known('a')).toBe(2);
  });

  it('reads again after a reading that failed', async () => {
    const values = new ReadOnce<number>();
    await expect(values.get('a', () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
    expect(await values.get('a', async () => 1)).toBe(1);
  });
});
