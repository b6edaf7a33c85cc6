import { describe, expect, it } from 'vitest';
import { memoized } from '../../../src/core/memoized.js';

describe('a memoized function', () => {
  it('computes once for an object, and again for another that is equal', () => {
    let readings = 0;
    const read = memoized((bytes: Uint8Array) => ({ length: bytes.byteLength, reading: ++readings }));
    const bytes = Uint8Array.of(1, 2);
    expect(read(bytes)).toBe(read(bytes));
    expect(read(Uint8Array.of(1, 2))).toEqual({ length: 2, reading: 2 });
  });

  it('throws each time where it throws once', () => {
    let readings = 0;
    const read = memoized((_bytes: Uint8Array) => {
      throw new Error(`reading ${++readings}`);
    });
    const bytes = new Uint8Array(1);
    expect(() => read(bytes)).toThrow('reading 1');
    expect(() => read(bytes)).toThrow('reading 2');
  });
});
