import { describe, expect, it } from 'vitest';
import type { VerifyRequest } from '../../../src/core/request.js';
import { overrideRequest, type RequestOverrides } from '../../../src/wire/read-requests.js';

const AT = new Date('2026-01-15T12:00:00Z');
const LATER = new Date('2026-02-01T00:00:00Z');

const NONE: RequestOverrides = { policies: null, nonce: null, at: null };

const REQUEST: VerifyRequest = {
  evidence: { type: 'maa-token', token: 'a.b.c' },
  attestationResults: [],
  nonce: null,
  bindingJwk: null,
  policies: null,
  audience: null,
  at: null,
};

describe('an instant', () => {
  it('FRS-11 of the body alone is refused', () => {
    expect(() => overrideRequest({ ...REQUEST, at: AT }, NONE)).toThrow(
      expect.objectContaining({ name: 'FormatError', code: 'at_not_enabled', pointer: '/at' }),
    );
  });

  it('FRS-11 twin: of the command line is taken, whatever the body says', () => {
    const at = LATER.toISOString();
    expect(overrideRequest(REQUEST, { ...NONE, at }).at).toEqual(LATER);
    expect(overrideRequest({ ...REQUEST, at: AT }, { ...NONE, at }).at).toEqual(LATER);
  });

  it('that nobody names is none', () => {
    expect(overrideRequest(REQUEST, NONE)).toEqual(REQUEST);
  });
});
