import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RESET_CAPACITY } from '../../../../src/stores/reset-counts.js';

const text = readFileSync(new URL('../../../../docs/stores.md', import.meta.url), 'utf8');

it('docs/stores.md says how many vTPMs of a tenant have reset counts', () => {
  expect(text).toContain('More than 100 000 vTPMs of a tenant');
  expect(RESET_CAPACITY).toBe(100_000);
});
