import { describe, expect, it } from 'vitest';
import { filesByRow, rowIds, testTitles } from '../../scripts/test-titles.js';
import { COVERAGE_PATH, coverageText, listedThreats, NOT_BUILT } from '../../scripts/threat-coverage.js';
import { THREAT_IDS } from '../../scripts/threat-rows.js';
import { PROJECT, readProjectFile } from './project-files.js';

/** Row id to what the committed list says about its tests. */
function committedRows(): ReadonlyMap<string, string> {
  const rows = readProjectFile(COVERAGE_PATH).matchAll(/^\| ([A-Z]{3}-\d{2}) \| [^|]+ \| ([^|]+) \|$/gm);
  return new Map([...rows].map(([, id, tests]) => [id ?? '', tests ?? '']));
}

describe('docs/threat-coverage.md', () => {
  const committed = committedRows();
  const named = filesByRow(PROJECT);

  it('holds every row once, in the order of the list', () => {
    expect([...committed.keys()]).toEqual(THREAT_IDS);
    expect(new Set(THREAT_IDS).size).toBe(THREAT_IDS.length);
  });

  it('names for each row the files in which a title has its id, and no others', () => {
    for (const [id, tests] of committed) {
      const files = [...tests.matchAll(/`([^`]+)`/g)].map(([, path]) => path);
      expect([id, files], `run npm run generate`).toEqual([id, named.get(id) ?? []]);
      if (files.length === 0) expect(tests).toBe(NOT_BUILT);
    }
  });

  it('knows the id of every title', () => {
    const unknown = [...named.entries()].filter(([id]) => !committed.has(id));
    expect(unknown).toEqual([]);
  });

  it('is what is generated', () => {
    expect(readProjectFile(COVERAGE_PATH), 'run npm run generate').toBe(coverageText(named));
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
    expect(testTitles(text)).toEqual(['ABC-01 a', 'ABC-02 b', 'ABC-03 %s', 'ABC-04', 'ABC-05 ']);
  });

  it('name rows at their start only', () => {
    expect(rowIds('ABC-01 refuses')).toEqual(['ABC-01']);
    expect(rowIds('ABC-01, ABC-02 and DEF-03 refuse')).toEqual(['ABC-01', 'ABC-02', 'DEF-03']);
    expect(rowIds('refuses ABC-01')).toEqual([]);
    expect(rowIds('SHA-256 fits')).toEqual([]);
  });
});
