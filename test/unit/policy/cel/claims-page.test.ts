import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CLAIMS_PATH, claimsText } from '../../../../scripts/claims.js';

it('docs/claims.md is what the claims of rules make', () => {
  expect(readFileSync(CLAIMS_PATH, 'utf8'), 'run npm run generate').toBe(claimsText());
});
