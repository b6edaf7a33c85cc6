import { describe, expect, it } from 'vitest';
import { receiptAlone, receiptOfAnswer } from '../../../src/inspector/given-receipt.js';
import { AUDIENCE, CLAIMS, ISSUER, NONCE, receiptWith, SHA256 } from '../relying-party/sample-receipt.js';

const service = (origin: string, configured: string | null) => ({ origin, issuer: async () => configured });
const SAID = { nonce: '', audience: '' };

describe('what a receipt is compared with', () => {
  it.each([
    ['where the page came from, if the receipt names that', service(ISSUER, null), ISSUER],
    ['the issuer that the service has configured', service('http://localhost:1', ISSUER), ISSUER],
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
    const given = await receiptAlone(receiptWith(), { nonce: NONCE, audience: AUDIENCE }, null);
    expect(given).toMatchObject({ nonce: NONCE, audience: AUDIENCE, answer: null });
    expect(await receiptAlone(receiptWith(), SAID, null)).toMatchObject({ nonce: null, audience: null });
  });

  it('is what was asked and answered', async () => {
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
    const body = { evidence: {}, nonce: NONCE, audience: AUDIENCE };
    const behind = service(ISSUER, null);
    expect(await receiptOfAnswer(answer, body, behind)).toEqual({
      receipt,
      issuer: ISSUER,
      audience: AUDIENCE,
      nonce: NONCE,
      answer,
    });
    expect(await receiptOfAnswer(answer, { nonce: 1 }, behind)).toMatchObject({ audience: null, nonce: null });
    expect(await receiptOfAnswer({ ...answer, receipt: null }, body, behind)).toBeNull();
    expect(await receiptOfAnswer(null, body, behind)).toBeNull();
  });
});
