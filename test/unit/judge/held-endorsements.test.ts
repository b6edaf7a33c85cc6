import { expect, it } from 'vitest';
import { HeldEndorsements } from '../../../src/judge/held-endorsements.js';

const HELD = { kind: 'crl', sha256: 'ab', value: Uint8Array.of(0x30) } as const;
const endorsements = new HeldEndorsements({
  find: (tenant, sha256) => (tenant === 'red' && sha256 === 'ab' ? HELD : null),
});

it('gives out what is held for the tenant of the caller', async () => {
  expect(await endorsements.get('ab', { tenant: 'red' })).toEqual(HELD);
});

it('says the same of what another tenant has and of what nobody has', async () => {
  const [others, nobodys] = await Promise.allSettled([
    endorsements.get('ab', { tenant: 'blue' }),
    endorsements.get('cd', { tenant: 'red' }),
  ]);
  expect(others).toMatchObject({ reason: { code: 'not_found' } });
  expect(others).toEqual(nobodys);
});
