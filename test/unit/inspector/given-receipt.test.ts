import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { receiptAlone, receiptOfAnswer } from '../../../src/inspector/given-receipt.js';
import { AUDIENCE, CLAIMS, ISSUER, NONCE, receiptWith, SHA256 } from '../relying-party/sample-receipt.js';

const service = (origin: string, configured: string | null) => ({ origin, issuer: async () => configured });
const SAID = { nonce: '', audience: '', policy: '' };

describe('what a receipt is compared with', () => {
  it.each([
    ['where the page came from, if the receipt names that', service(ISSUER, null), { value: ISSUER, by: 'caller' }],
    [
      'the issuer that the service has configured',
      service('http://localhost:1', ISSUER),
      { value: ISSUER, by: 'answer' },
    ],
    ['no issuer where the service has none and goes by another name', service('http://localhost:1', null), null],
    ['no issuer without a service', null, null],
  ])('is %s', async (_what, behind, issuer) => {
    expect(await receiptAlone(receiptWith(), SAID, behind)).toMatchObject({ issuer });
  });

  it('is no issuer where the service does not answer, or the receipt says none', async () => {
    const away = { origin: ISSUER, issuer: () => Promise.reject(new Error('away')) };
    expect(await receiptAlone(receiptWith({ iss: 'https://other.example' }), SAID, away)).toMatchObject({
      issuer: null,
    });
    expect(await receiptAlone('not.one.', SAID, away)).toMatchObject({ issuer: null });
  });

  it('is what the caller fills in', async () => {
    const filledIn = { nonce: NONCE, audience: AUDIENCE, policy: 'payments' };
    const said = {
      nonce: { value: NONCE, by: 'caller' },
      audience: { value: AUDIENCE, by: 'caller' },
      policy: { value: 'payments', by: 'caller' },
    };
    expect(await receiptAlone(receiptWith(), filledIn, null)).toMatchObject({ ...said, answer: null });
    expect(await receiptAlone(receiptWith(), SAID, null)).toMatchObject({ nonce: null, audience: null, policy: null });
  });

  it('is what was answered, and what was asked as the word of whoever made the body', async () => {
    const receipt = receiptWith();
    const answer = {
      decision: 'allow',
      decisionId: CLAIMS.jti,
      validUntil: '2026-01-15T12:05:00Z',
      evidence: { type: 'az-snp-vtpm', sha256: SHA256 },
      policies: [],
      reasons: [],
      binding: null,
      receipt,
    } as const;
    const body = { evidence: {}, nonce: NONCE, audience: AUDIENCE, policy: ['payments', 'other'] };
    const behind = service(ISSUER, null);
    const ofBody = {
      audience: { value: AUDIENCE, by: 'body' },
      nonce: { value: NONCE, by: 'body' },
      policy: { value: 'payments, other', by: 'body' },
    };
    const bound = { ...answer, binding: { jkt: 'thumbprint' } };
    const withKey = (binding: JsonObject) => receiptOfAnswer(bound, { ...body, binding }, SAID, behind);
    expect(await withKey({ jwk: {} })).toMatchObject({ answer: { binding: bound.binding } });
    // A key as PEM is in no receipt.
    expect(await withKey({ pem: 'a key' })).toMatchObject({ answer: { binding: null } });
    expect(await receiptOfAnswer(answer, body, SAID, behind)).toEqual({
      receipt,
      issuer: { value: ISSUER, by: 'caller' },
      ...ofBody,
      answer,
    });
    expect(await receiptOfAnswer(answer, body, { ...SAID, nonce: 'BBBB' }, behind)).toMatchObject({
      ...ofBody,
      nonce: { value: 'BBBB', by: 'caller' },
    });
    const nothing = { audience: null, nonce: null, policy: null };
    expect(await receiptOfAnswer(answer, { nonce: 1 }, SAID, behind)).toMatchObject(nothing);
    expect(await receiptOfAnswer({ ...answer, receipt: null }, body, SAID, behind)).toBeNull();
    expect(await receiptOfAnswer(null, body, SAID, behind)).toBeNull();
  });
});
