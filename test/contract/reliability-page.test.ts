import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { namedTests } from '../../scripts/test-titles.js';
import { EXPECTED_CLOCK_OUTCOMES, EXPECTED_OUTCOMES, WORDS } from '../long/expected-outcomes.js';
import { expectedRows } from '../long/outcome-table.js';

const page = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');

describe('docs/reliability.md', () => {
  it('shows the fault matrix that the service is held to', () => {
    expect(page).toContain(EXPECTED_OUTCOMES.trim());
    expect(page).toContain(EXPECTED_CLOCK_OUTCOMES.trim());
  });

  it('names tests that there are', () => {
    const named = [...page.matchAll(/\| `(test\/[^`]+)`: (.+) \|$/gm)];
    expect(named.length).toBeGreaterThan(20);
    for (const [, file = '', title = ''] of named) {
      const titles = namedTests(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).map(
        (test) => test.title,
      );
      expect([file, title, titles.some((one) => one.includes(title))]).toEqual([file, title, true]);
    }
  });

  it('explains every word of it', () => {
    for (const { words } of expectedRows()) {
      for (const word of new Set(words.values()))
        expect(`${word}: ${page.includes(`\`${word}\``)}`).toBe(`${word}: true`);
    }
    for (const code of [...WORDS.values()].map((outcome) => outcome.split(' ').at(-1)))
      expect(page).toContain(`\`${code}\``);
  });
});
