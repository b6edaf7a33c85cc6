import { describe, expect, it } from 'vitest';
import { containsText } from '../../../../src/policy/cel/contains-text.js';

/** All texts of so many words, each of five letters that look like those of the other. */
function texts(words: number): readonly string[] {
  return words === 0 ? [''] : texts(words - 1).flatMap((text) => [`${text}xxxxy`, `${text}xxyxx`]);
}

describe('containsText', () => {
  it('says what includes says, of short parts and of long ones', () => {
    const parts = [0, 1, 2, 4, 5].flatMap(texts).flatMap((part) => [part, part.slice(1), `x${part}`]);
    const all = [0, 3, 7].flatMap(texts);
    const found = all.flatMap((text) => parts.map((part) => [text, part, text.includes(part)] as const));
    expect(found.filter(([text, part, expected]) => containsText(text, part) !== expected)).toEqual([]);
    expect(found.filter(([, part, expected]) => expected && part.length > 16).length).toBeGreaterThan(100);
  });

  it('compares code units', () => {
    const rest = 'ab'.repeat(10);
    expect(containsText(`a\u{1f512}${rest}`, `\u{1f512}${rest}`)).toBe(true);
    expect(containsText(`a\u{1f512}${rest}`, `\u{1f513}${rest}`)).toBe(false);
  });

  it('takes no time that grows with the product of two lengths: includes takes minutes', () => {
    const half = 'a'.repeat(250_000);
    expect(containsText('a'.repeat(1_000_000), `${half}b${half}`)).toBe(false);
  });
});
