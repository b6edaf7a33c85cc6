import { describe, expect, it } from 'vitest';
import { readYaml, type YamlBounds } from '../../../src/schema/yaml.js';

const BOUNDS: YamlBounds = { bytes: 64, depth: 3, faults: 2 };

const said = (text: string, bounds?: YamlBounds) => readYaml(text, bounds).problems.map(({ what }) => what);

describe('YAML of an operator', () => {
  it('may have anchors, tags of the core schema, and names of any meaning', () => {
    expect(readYaml('a: &x !!str 1\nconstructor: .inf').value).toEqual({
      a: '1',
      constructor: Number.POSITIVE_INFINITY,
    });
    expect(Object.keys(readYaml('__proto__: { a: 1 }').value as object)).toEqual(['__proto__']);
  });

  it('may be empty', () => {
    expect(readYaml('')).toMatchObject({ value: null, problems: [] });
  });

  it('has an empty name for a key that is left out', () => {
    expect(readYaml('[ ? ]').value).toEqual([{ '': null }]);
  });

  it('has no value where anything is wrong', () => {
    expect(readYaml('a: &x 1\nb: *x').value).toBeNull();
    expect(said('a: 1\na: 2')).toEqual(['this key appears twice']);
  });

  it('says where each problem is', () => {
    expect(readYaml('a:\n  b: 1\n  b: 2').problems).toEqual([
      { path: ['a', 'b'], position: { line: 3, column: 3 }, what: 'this key appears twice' },
    ]);
    expect(readYaml('a: [1').problems).toMatchObject([{ path: null, position: { line: 1, column: 6 } }]);
  });

  it('has no lines for a place that is not there', () => {
    const { linesOf } = readYaml('a:\n  - 1\n');
    expect([linesOf(['a']), linesOf(['a', 0])]).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect([linesOf(['b']), linesOf(['a', 1]), linesOf(['a', 0, 'c'])]).toEqual([null, null, null]);
    expect(readYaml('').linesOf([])).toEqual([1, 1]);
  });

  it('has no version directive, and no more tokens than are allowed', () => {
    expect(said('%YAML 1.2\n---\na: 1')).toEqual(['has a version directive (%YAML)']);
    expect(said('a: 1', { ...BOUNDS, tokens: 3 })).toEqual([
      'has more than 3 YAML tokens: names, values, marks, blanks and line ends',
    ]);
    expect(said('a: 1', { ...BOUNDS, tokens: 64 })).toEqual([]);
  });

  it('says what is wrong in the words of the parser where it has no others', () => {
    expect(said('a: &x &y 1')).toEqual(['multiple anchors']);
  });

  it('has a line for every place, that of the innermost around what is not there', () => {
    const { lineOf } = readYaml('a.b:\n  - c: 1\n  - d:\n      e: 2\n');
    expect(lineOf(['a.b', 1, 'd', 'e'])).toBe(4);
    expect(lineOf(['a.b', 0, 'x'])).toBe(2);
    expect(lineOf(['a.b', 7])).toBe(1);
    expect(lineOf(['a', 'b'])).toBeNull();
    expect(lineOf([])).toBeNull();
  });

  it.each([
    ['{\n  a:\n    b: 1\n}', 'a block list or object cannot be inside brackets'],
    [`{ ${'k'.repeat(1025)}: 1 }\n`, null],
    [`${'k'.repeat(1025)}: 1\n`, 'a key is longer than 1024 characters'],
  ])('says in words what the parser means: %s', (text, what) => {
    if (what === null) expect(said(text)).toEqual([]);
    else expect(said(text)).toContain(what);
  });
});

describe('YAML within bounds', () => {
  it.each([
    ['a: &x 1', 'anchors are not allowed'],
    ['a: !!str 1', 'tags are not allowed'],
    ['constructor: 1', 'this key is not allowed'],
    ['a: .nan', 'is not text, a finite number, a boolean or null'],
    ['[[[[1]]]]', 'nested deeper than 3 levels'],
    ['', 'is empty'],
    ['a'.repeat(65), 'larger than 64 bytes'],
  ])('refuses %s', (text, what) => {
    expect(said(text, BOUNDS)).toEqual([what]);
  });

  it('says the first faults of syntax', () => {
    expect(said('[[[[', BOUNDS).length).toBeLessThanOrEqual(2);
  });
});
