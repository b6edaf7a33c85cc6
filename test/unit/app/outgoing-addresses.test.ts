import { describe, expect, it } from 'vitest';
import { hardeningText, originsOf, TRUST_AUTHORITIES } from '../../../scripts/outgoing-addresses.js';
import { readProjectFile } from '../../architecture/project-files.js';

describe('outgoing addresses', () => {
  it('stand in docs/hardening.md as the configuration makes them', async () => {
    expect(readProjectFile('docs/hardening.md'), 'run npm run generate').toBe(await hardeningText());
  });

  it('are none where every source is off', async () => {
    const off = {
      amd: { kds: 'off' },
      intel: { pcs: 'off' },
      maa: { shared: false },
      ita: { issuers: TRUST_AUTHORITIES.map((issuer) => ({ issuer, keys: './keys.json' })) },
    };
    expect([...(await originsOf(off))]).toEqual([]);
  });
});
