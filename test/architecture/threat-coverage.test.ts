import { describe, expect, it } from 'vitest';
import { namedTests, rowIds, testsByRow } from '../../scripts/test-titles.js';
import { coverageText, listedThreats, missingCodes } from '../../scripts/threat-coverage.js';
import { THREAT_FAMILIES, THREAT_IDS } from '../../scripts/threat-rows.js';
import { PROJECT } from './project-files.js';

const ROWS = THREAT_FAMILIES.flatMap(({ rows }) => rows);

describe('the tests of the threat list', () => {
  const named = testsByRow(PROJECT);

  it('are listed row by row', () => {
    const headings = coverageText(named).match(/^### [A-Z]{3}-\d{2}/gm) ?? [];
    expect(headings.map((heading) => heading.slice(4))).toEqual(THREAT_IDS);
  });

  it('has each row once', () => {
    expect(new Set(THREAT_IDS).size).toBe(THREAT_IDS.length);
  });

  it.each(ROWS)('%s (%s) has tests that assert %j', (...row) => {
    const [id] = row;
    expect(missingCodes(row, named)).toEqual([]);
    expect(named.get(id) ?? []).not.toEqual([]);
  });

  it('knows the id of every title', () => {
    const unknown = [...named.keys()].filter((id) => !THREAT_IDS.includes(id));
    expect(unknown).toEqual([]);
  });

  it.runIf(listedThreats() !== undefined)('has the rows of the threat list', () => {
    expect([...THREAT_IDS].sort()).toEqual([...(listedThreats() ?? [])].sort());
  });
});

describe('titles', () => {
  it('are read from every form of it and describe', () => {
    const text = [
      "describe('ABC-01 a', () => {",
      "  it('ABC-02 b', () => {});",
      "  it.each([1])('ABC-03 %s', () => {});",
      "  describe.skipIf(x)('ABC-04', () => {});",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a test, not one
      '  it.each([1])(`ABC-05 ${y}`, () => {});',
      "  expect(f('ABC-06 no title')).toBe('ABC-07');",
      '});',
    ].join('\n');
    expect(namedTests(text).map(({ title }) => title)).toEqual([
      'ABC-01 a',
      'ABC-02 b',
      'ABC-03 %s',
      'ABC-04',
      'ABC-05 ',
    ]);
  });

  it('stand in the table of it.each where the title only makes room for them', () => {
    const text = "it.each([['ABC-01 a', 1], ['no row', 2]])('%s', () => {});";
    expect(namedTests(text).map(({ title }) => title)).toEqual(['%s', 'ABC-01 a']);
  });

  it('come with the strings of the test and of what it uses, and with no others', () => {
    const text = [
      "const CASES = [['used_in_table', TABLE]];",
      "const TABLE = { code: 'used_by_the_table' };",
      "const OTHER = 'unused';",
      "function expectFailed() { return 'used_in_function'; }",
      "it.each(CASES)('ABC-01 %s', () => { expectFailed('used_here'); });",
      "it('ABC-02 b', () => { expect('elsewhere'); });",
    ].join('\n');
    const [first] = namedTests(text);
    for (const used of ['used_in_table', 'used_by_the_table', 'used_in_function', 'used_here']) {
      expect(first?.strings).toContain(used);
    }
    for (const other of ['unused', 'elsewhere']) expect(first?.strings).not.toContain(other);
  });

  it('come without names: a variable or member that is called as a code asserts nothing', () => {
    const text = [
      "it('ABC-01 a', () => {",
      '  const { clock, nonce: nonce_used } = lab;',
      "  expect(lab.crl_stale(clock, { nonce_missing: nonce_used })).toBe('asserted');",
      '});',
    ].join('\n');
    expect(namedTests(text).map(({ strings }) => [...strings])).toEqual([['ABC-01 a', 'asserted']]);
  });

  it('name rows at their start only', () => {
    expect(rowIds('ABC-01 refuses')).toEqual(['ABC-01']);
    expect(rowIds('ABC-01, ABC-02 and DEF-03 refuse')).toEqual(['ABC-01', 'ABC-02', 'DEF-03']);
    expect(rowIds('refuses ABC-01')).toEqual([]);
    expect(rowIds('SHA-256 fits')).toEqual([]);
  });
});
