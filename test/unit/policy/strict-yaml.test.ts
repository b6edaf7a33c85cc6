import { describe, expect, it } from 'vitest';
import { parseStrictJson, parseStrictYaml, REQUEST_BOUNDS } from '../../../src/policy/document/policy-document.js';
import { PolicyError } from '../../../src/policy/document/policy-problem.js';

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (!(error instanceof PolicyError) || error.policyProblems.length === 0) throw error;
    expect(error.policyProblems.map(({ code }) => code)).not.toContain('policy_member_unused');
    return error.policyProblems.map(
      ({ pointer, line, message }) => `${pointer || (line === undefined ? 'document' : `line ${line}`)}: ${message}`,
    );
  }
  return [];
}

describe('strict YAML', () => {
  it('reads the core schema, and takes off, yes and a date as texts', () => {
    const value = parseStrictYaml('a: 1\nb: off\nc: yes\nd: 2027-01-01\ne: true\nf: ~\ng: [1.5, "x"]\n');
    expect(value).toEqual({ a: 1, b: 'off', c: 'yes', d: '2027-01-01', e: true, f: null, g: [1.5, 'x'] });
  });

  it('reads a member without a value as null', () => {
    expect(parseStrictYaml('{ a, "b": , c: [ ~ ] }')).toEqual({ a: null, b: null, c: [null] });
    expect(parseStrictYaml('? a\n')).toEqual({ a: null });
  });

  it('keeps every key a text, so that 7 and 0x7 are two keys', () => {
    expect(parseStrictYaml('7: a\n0x7: b\n')).toEqual({ '7': 'a', '0x7': 'b' });
  });

  it('gives objects without a prototype', () => {
    expect(Object.getPrototypeOf(parseStrictYaml('a: {}'))).toBeNull();
  });

  it.each([
    ['a duplicate key', 'a: 1\nb: { c: 1, c: 2 }', '/b/c: this key appears twice'],
    ['a duplicate key in another spelling', '{ "nonce": 1, "\\u006eonce": 2 }', '/nonce: this key appears twice'],
    ['an anchor', 'a: &x 1', '/a: anchors are not allowed'],
    ['an anchor of a key', '&x a: 1', 'document: anchors are not allowed'],
    ['a tag of a key', '!!str a: 1', 'document: tags are not allowed'],
    ['an alias', 'a: &x 1\nb: *x', '/b: aliases (*name) are not read'],
    ['a merge key', 'a:\n  <<: { b: 1 }', '/a/<<: this key is not allowed'],
    ['a custom tag', 'a: !secret 1', 'line 1: unknown tag (!name)'],
    ['a tag of the core schema', 'a: !!str 1', '/a: tags are not allowed'],
    ['a tag on a list', 'a: !!seq [1]', '/a: tags are not allowed'],
    ['a second document', 'a: 1\n---\nb: 2', 'line 2: a second document begins: only one is read'],
    ['no document', '# nothing\n', 'document: is empty'],
    ['an older version of YAML', '%YAML 1.1\n---\na: yes', 'document: has a version directive (%YAML)'],
    ['infinity', 'a: .inf', '/a: is not text, a finite number, a boolean or null'],
    ['a number past the finite ones', 'a: 1e400', '/a: is not text, a finite number, a boolean or null'],
  ])('DEC-06 refuses %s', (_what, text, problem) => {
    expect(problemsOf(() => parseStrictYaml(text))).toContain(problem);
  });

  it.each([
    ['a key that is no text', '? [a]\n: 1'],
    ['an open bracket', 'a: [1'],
    ['tabs for indentation', 'a:\n\tb: 1'],
    ['a binary tag', 'a: !!binary aGk='],
    ['nesting past any stack', '['.repeat(20_000)],
  ])('DEC-06 refuses %s', (_what, text) => {
    expect(problemsOf(() => parseStrictYaml(text))).not.toEqual([]);
  });

  it.each(['__proto__', 'constructor', 'prototype'])('REQ-07 refuses the key %s at any depth', (key) => {
    expect(problemsOf(() => parseStrictYaml(`${key}: { polluted: true }`))).toEqual([
      `/${key}: this key is not allowed`,
    ]);
    expect(problemsOf(() => parseStrictYaml(`a: [{ ${key}: 1 }]`))).toEqual([`/a/0/${key}: this key is not allowed`]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('refuses nesting over 32 levels, and reads 32', () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(problemsOf(() => parseStrictYaml(nested(32)))).toEqual([]);
    expect(problemsOf(() => parseStrictYaml(nested(33)))).toEqual([`${'/0'.repeat(32)}: nested deeper than 32 levels`]);
  });

  it('refuses more than 256 KiB, counted in bytes', () => {
    const filled = (bytes: number) => `# ${'é'.repeat((bytes - 8) / 2)}\na: 1\n`;
    expect(problemsOf(() => parseStrictYaml(filled(262_144)))).toEqual([]);
    expect(problemsOf(() => parseStrictYaml(filled(262_146)))).toEqual(['document: larger than 262144 bytes']);
  });

  it('says at most twenty faults of syntax', () => {
    expect(problemsOf(() => parseStrictYaml('['.repeat(5_000))).length).toBeLessThanOrEqual(20);
  });
});

describe('strict JSON', () => {
  it('reads JSON, tabs and escapes included', () => {
    expect(parseStrictJson('{\n\t"a":\t[1, "\\u00e9\\ud83d\\ude00", null]\n}')).toEqual({ a: [1, 'é😀', null] });
  });

  it('refuses YAML', () => {
    expect(problemsOf(() => parseStrictJson('a: 1'))).toEqual([
      'line 1: is not JSON from column 1 on: a value is expected',
    ]);
  });

  it('says in one problem where a text stops being JSON', () => {
    expect(problemsOf(() => parseStrictJson('{\n  "a": [1, 2],\n  b: [1, 2,],\n}'))).toEqual([
      'line 3: is not JSON from column 3 on: a name in double quotes is expected',
    ]);
  });

  it('refuses a duplicate key', () => {
    expect(problemsOf(() => parseStrictJson('{ "a": 1, "a": 2 }'))).toEqual(['/a: this key appears twice']);
  });

  it.each([
    ['a policy of a file', undefined, 40_000],
    ['a text that a caller sends', REQUEST_BOUNDS, 4_000],
  ])('has a bounded number of tokens: %s', (_what, bounds, most) => {
    // The brackets and the last item, then two for each item: the document's begin, and each text's, are marks of the lexer.
    const list = (tokens: number) => `[${'1,'.repeat((tokens - 5) / 3)}1]`;
    expect(parseStrictYaml(list(most), bounds)).not.toBeNull();
    expect(() => parseStrictYaml(list(most + 3), bounds)).toThrow(`has more than ${most} YAML tokens`);
  });

  it('refuses a text that the parser cannot follow', () => {
    expect(
      problemsOf(() =>
        parseStrictYaml(`{${'"a" : "b" ? '.repeat(20_000)}}`, { bytes: 262_144, depth: 32, faults: 20 }),
      ),
    ).toEqual(['document: nested too deep to be read']);
  });
});
