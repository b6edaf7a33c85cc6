import { describe, expect, it } from 'vitest';
import { CHECK_IDS, CHECKS } from '../../../src/tee/catalogue.js';

describe('the catalogue of checks', () => {
  it('has one row for each check', () => {
    expect(new Set(CHECK_IDS).size).toBe(CHECK_IDS.length);
    expect(Object.keys(CHECKS)).toEqual(CHECK_IDS);
  });

  it.each(CHECK_IDS)('says in one plain sentence what %s establishes, and in another what it says otherwise', (id) => {
    const { holds, fails } = CHECKS[id];
    for (const sentence of [holds, fails])
      expect(sentence).toMatch(/^(?:[a-z]|[A-Z]{2}|Azure |Intel |Secure Boot )[^\n]*[^.\n]$/);
    expect(holds).not.toBe(fails);
  });
});
