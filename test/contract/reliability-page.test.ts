import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXPECTED_OUTCOMES, WORDS } from '../long/expected-outcomes.js';
import { expectedRows } from '../long/outcome-table.js';

const page = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');

describe('docs/reliability.md', () => {
  it('shows the fault matrix that the service is held to', () => {
    expect(page).toContain(EXPECTED_OUTCOMES.trim());
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
