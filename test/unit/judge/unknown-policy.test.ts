import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../src/core/request.js';
import { unknownPolicy } from '../../../src/judge/caller-limits.js';

const POLICIES = new Set(['azure-cvm-baseline', 'payments']);
const CALLER: Caller = {
  principal: 'ci',
  tenant: 'default',
  roles: new Set(['verify', 'policy:read']),
  policies: null,
  audiences: null,
  keys: new Set(),
};

describe('the error for a policy that does not exist', () => {
  it.each<[string, Partial<Caller>, string]>([
    ['all of them to whoever may read policies', {}, 'unknown policy "x"; known: azure-cvm-baseline, payments'],
    ['those that a caller may name', { policies: new Set(['payments', 'x']) }, 'unknown policy "x"; known: payments'],
    ['none to whoever may not read policies', { roles: new Set(['verify']) }, 'unknown policy "x"'],
  ])('lists %s', (_, caller, message) => {
    expect(unknownPolicy('x', POLICIES, { ...CALLER, ...caller })).toMatchObject({
      code: 'policy_unknown',
      message,
      pointer: '/policy',
    });
  });
});
