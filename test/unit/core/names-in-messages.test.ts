import { describe, expect, it } from 'vitest';
import { listedNames, meantName, nearNames, quotedName } from '../../../src/core/names-in-messages.js';

const many = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

describe('quotedName', () => {
  it.each(['snp', 'sev-snp', 'policies/payments.yaml', 'a b', 'x'.repeat(64)])('repeats %j', (name) => {
    expect(quotedName(name)).toBe(`"${name}"`);
  });

  it.each(['', 'x'.repeat(65), 'a\nb', 'a"b', 'ä', '\u202e', '\u0000'])('withholds %j', (name) => {
    expect(quotedName(name)).toBe('(name withheld)');
  });
});

describe('listedNames', () => {
  it('lists 16 names, and counts the rest', () => {
    expect(listedNames([])).toBe('none');
    expect(listedNames(['a', 'b'])).toBe('a, b');
    expect(listedNames(many(16))).toBe(many(16).join(', '));
    expect(listedNames(many(18))).toBe(`${many(16).join(', ')} and 2 more`);
  });
});

describe('nearNames', () => {
  const known = ['endorsements', 'evidence', 'policy', 'at'];

  it.each([
    ['endorsments', ['endorsements']],
    ['Policy', ['policy']],
    ['polciy', ['policy']],
    ['evidnce', ['evidence']],
    ['surplus', []],
    ['x'.repeat(65), []],
  ])('of %j are %j', (name, near) => {
    expect(nearNames(name, known)).toEqual(near);
  });

  it.each([
    ['tpm', ['snp', 'tdx']],
    ['x5c', ['x', 'y']],
    ['ata', ['at']],
  ])('of %j, which is short, are few', (name, names) => {
    expect(nearNames(name, names)).toEqual(names.filter((known) => known === 'at'));
  });

  it('differ in a third of their characters at most, and not in one more', () => {
    expect(nearNames('xxxdefghi', ['abcdefghi'])).toEqual(['abcdefghi']);
    expect(nearNames('xxxxefghi', ['abcdefghi'])).toEqual([]);
    expect(nearNames('abcdef', ['abcdefghi'])).toEqual(['abcdefghi']);
    expect(nearNames('abcde', ['abcdefghi'])).toEqual([]);
    expect(nearNames('abcdefghixxx', ['abcdefghi'])).toEqual(['abcdefghi']);
    expect(nearNames('abcdefghixxxx', ['abcdefghi'])).toEqual([]);
  });

  it('are in the order of their nearness', () => {
    expect(nearNames('abcd', ['abxy', 'abcx', 'abcd'])).toEqual(['abcd', 'abcx', 'abxy']);
  });
});

describe('meantName', () => {
  const known = ['x-ms-azurevm-ostype', 'x-ms-azurevm-elam-enabled', 'x-ms-sevsnpvm-vmpl', 'x-ms-ver', 'secureboot'];

  it.each([
    ['x-ms-azurevm-ostyp', 'x-ms-azurevm-ostype'],
    ['x-ms-azurevm-elm-enabled', 'x-ms-azurevm-elam-enabled'],
    ['x-ms-sevsnpmv-vmpl', 'x-ms-sevsnpvm-vmpl'],
    ['secure-boot', 'secureboot'],
  ])('of %j is %j', (name, meant) => {
    expect(meantName(name, known)).toBe(meant);
  });

  it.each([
    'x-ms-azurevm-custom',
    'x-ms-azurevm-foo-enabled',
    'x-ms-foo',
    'x-ms-azurevm',
    'mine',
    '',
    'x'.repeat(9_000),
  ])('of %j is none: words that both share make no name near', (name) => {
    expect(meantName(name, known)).toBeNull();
  });

  it('is the nearest, whatever comes first', () => {
    expect(meantName('abcd', ['abxy', 'abcx'])).toBe('abcx');
  });
});
