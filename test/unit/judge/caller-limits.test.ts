import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../src/core/request.js';
import { forbiddenKey, requireAudience, requirePolicies } from '../../../src/judge/caller-limits.js';

const CALLER: Caller = {
  principal: 'ci',
  tenant: 'default',
  roles: new Set(['verify']),
  policies: new Set(['payments', 'backups']),
  audiences: new Set(['https://gate.example']),
  keys: new Set(['disk']),
};
const ANY: Caller = { ...CALLER, policies: null, audiences: null };

const refusal = (check: () => void) => {
  try {
    check();
  } catch (error) {
    return error;
  }
  return null;
};
const forbidden = (message: string, pointer: string) =>
  expect.objectContaining({ name: 'RefusedError', code: 'forbidden', message, pointer });

describe('what a caller may not name is refused', () => {
  it('with the first refused policy, those that it may use, and the place', () => {
    const ids = ['payments', 'lenient', 'other'];
    const message = 'this caller may not use the policy "lenient"; allowed: payments, backups';
    expect(refusal(() => requirePolicies(ids, CALLER, '/policy'))).toEqual(forbidden(message, '/policy'));
    expect(refusal(() => requirePolicies(ids, CALLER, '/id'))).toEqual(forbidden(message, '/id'));
  });

  it('with the audience, those that it may use, and the place', () => {
    const other = `https://other.example/${'a'.repeat(200)}`;
    const message = `this caller may not use the audience "${other}"; allowed: https://gate.example`;
    expect(refusal(() => requireAudience(other, CALLER))).toEqual(forbidden(message, '/audience'));
    const none = 'this caller may not use the audience "a"; allowed: none';
    expect(refusal(() => requireAudience('a', { ...CALLER, audiences: new Set() }))).toEqual(
      forbidden(none, '/audience'),
    );
  });

  it('with the key, those that it may have, and the parameter of the path', () => {
    const message = 'this caller may not release the key "db"; allowed: disk';
    expect(forbiddenKey('db', ['disk'])).toEqual(forbidden(message, '/keyId'));
  });

  it.each(['a\nb', 'a"b', 'é', ''])('without repeating what does not look like a name: %j', (name) => {
    const withheld = /^this caller may not use the (?:policy|audience) \(name withheld\); allowed: /;
    expect(refusal(() => requirePolicies([name], CALLER, '/policy'))).toMatchObject({
      message: expect.stringMatching(withheld),
    });
    expect(refusal(() => requireAudience(name, CALLER))).toMatchObject({ message: expect.stringMatching(withheld) });
  });

  it('twin: nothing that it may name, and nothing where it may name all', () => {
    expect(refusal(() => requirePolicies(['backups', 'payments'], CALLER, '/policy'))).toBeNull();
    expect(refusal(() => requirePolicies(['lenient'], ANY, '/policy'))).toBeNull();
    for (const audience of ['https://gate.example', null]) {
      expect(refusal(() => requireAudience(audience, CALLER))).toBeNull();
    }
    expect(refusal(() => requireAudience('a', ANY))).toBeNull();
  });
});
