import { describe, expect, it } from 'vitest';
import { isSameText } from '../../../src/relying-party/constant-time.js';

describe('isSameText', () => {
  it.each(['', 'a', 'nonce', '\u0141'])('DEC-10 takes %j for itself', (text) => {
    expect(isSameText(text, `${text}`)).toBe(true);
  });

  it.each([
    ['a', ''],
    ['a', 'aa'],
    ['ab', 'bb'],
    ['ab', 'aa'],
    ['a', 'A'],
    ['\u0141', '\u0041'],
    ['ab', 'ba'],
  ])('DEC-10 does not take %j for %j', (a, b) => {
    expect(isSameText(a, b)).toBe(false);
  });
});
