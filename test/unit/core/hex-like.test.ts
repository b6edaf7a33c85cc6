import { describe, expect, it } from 'vitest';
import { looksLikeHex } from '../../../src/core/hex-like.js';

const HEX = '0123456789abcdef0123456789abcdef';

describe('looksLikeHex', () => {
  it.each([HEX, HEX.toUpperCase(), `${HEX}${HEX}`])('takes %s for hex', (text) => {
    expect(looksLikeHex(text)).toBe(true);
  });

  it.each([
    ['another letter', `${HEX.slice(1)}g`],
    ['both cases', HEX.replace('a', 'A')],
    ['an odd number of digits', `${HEX}0`],
    ['too few of them', HEX.slice(2)],
    ['zeros, which base64 writes as A', 'A'.repeat(64)],
    ['a few letters over and over', 'abcabcf'.repeat(8)],
    ['few digits in its first 1 024', `${'a'.repeat(1024)}${HEX}`],
    ['nothing', ''],
  ])('does not take for hex what has %s', (_, text) => {
    expect(looksLikeHex(text)).toBe(false);
  });
});
