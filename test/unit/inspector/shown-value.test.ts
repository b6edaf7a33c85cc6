import { describe, expect, it } from 'vitest';
import { shownValue } from '../../../src/inspector/shown-value.js';

describe('a shown value', () => {
  it.each([
    ['text', 'text'],
    [7, '7'],
    [true, 'true'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ a: [1] }, '{"a":[1]}'],
    ['two\nlines\tand a tab', 'two\nlines\tand a tab'],
  ])('of %j is %s', (value, shown) => {
    expect(shownValue(value)).toBe(shown);
  });

  it.each([
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
    ['\u0000\u001b[31m', '\\u0000\\u001b[31m'],
    ['a\u2028b', 'a\\u2028b'],
    ['\ud800', '\\ud800'],
    ['\u{e0001}', '\\ue0001'],
  ])('has what hides or reorders text written out: %j', (value, shown) => {
    expect(shownValue(value)).toBe(shown);
  });

  it('is cut where it is long, and says how long it is', () => {
    const shown = shownValue('a'.repeat(1_000_000));
    expect(shown).toBe(`${'a'.repeat(2_000)}… (1000000 characters)`);
    expect(shownValue('abcdef', 3)).toBe('abc… (6 characters)');
    expect(shownValue('abc', 3)).toBe('abc');
  });
});
