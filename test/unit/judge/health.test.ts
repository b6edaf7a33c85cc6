import { describe, expect, it } from 'vitest';
import { policiesLoaded, readinessOf } from '../../../src/judge/health.js';

const CLOCK = { code: 'clock', reason: 'the clock has jumped' } as const;
const STORE = { code: 'nonce_store', reason: 'the store fails' } as const;

describe('readiness', () => {
  it('is there where nothing stands against it', async () => {
    expect(await readinessOf([async () => null, async () => null]).execute()).toEqual({ ready: true, problems: [] });
  });

  it('lists all that stands against it', async () => {
    const { execute } = readinessOf([async () => CLOCK, async () => null, async () => STORE]);
    expect(await execute()).toEqual({ ready: false, problems: [CLOCK, STORE] });
  });

  it('needs the default policy', async () => {
    expect(await policiesLoaded(() => true)()).toBeNull();
    expect(await policiesLoaded(() => false)()).toEqual({
      code: 'policies',
      reason: 'the default policy is not loaded',
    });
  });
});
