import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../src/core/decision.js';
import { NOT_ALLOWED_AUDIENCE, receiptClaims } from '../../../src/receipts/receipt-claims.js';
import { BARE_DECISION, DECISION } from '../wire/sample-decision.js';

const NAME = { issuer: 'https://veritee.example', build: '1.2.3' };
const JWK = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const REQUEST = {
  audience: 'https://gate.example',
  tenant: 'default',
  nonce: Uint8Array.from({ length: 16 }, (_, index) => index),
  bindingJwk: null,
};
const ALLOW: Decision = { ...DECISION, decision: 'allow', reasons: [] };

function claimsOf(decision: Decision, request: Partial<Parameters<typeof receiptClaims>[1]> = {}) {
  return receiptClaims(decision, { ...REQUEST, ...request }, NAME);
}

describe('receiptClaims', () => {
  it('says of an allow who decided what, for whom, on which evidence and under which policies', () => {
    expect(claimsOf(ALLOW)).toEqual({
      iss: 'https://veritee.example',
      sub: 'default:payments',
      aud: 'https://gate.example',
      iat: 1768478400,
      nbf: 1768478400,
      exp: 1768478700,
      jti: '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11',
      eat_nonce: 'AAECAwQFBgcICQoLDA0ODw',
      veritee_nonce: 'challenge',
      eat_profile: 'tag:github.com,2023:veraison/ear',
      'ear.verifier-id': { developer: 'veritee', build: '1.2.3' },
      submods: {
        hardware: {
          'ear.status': 'affirming',
          'ear.trustworthiness-vector': { hardware: 2, 'instance-identity': 2 },
          'ear.appraisal-policy-id': `payments@sha256:${'ab'.repeat(32)}`,
        },
        vtpm: {
          'ear.status': 'contraindicated',
          'ear.trustworthiness-vector': { executables: 99 },
          'ear.appraisal-policy-id': `payments@sha256:${'ab'.repeat(32)}`,
        },
      },
      decision: 'allow',
      reasons: [],
      evidence: { type: 'az-snp-vtpm', sha256: 'ab'.repeat(32) },
      policies: [{ id: 'payments', version: 3, sha256: 'ab'.repeat(32) }],
      endorsements: [...new Set(DECISION.endorsements.map(({ sha256 }) => sha256))],
    });
  });

  it('GAT-03 names no nonce that nothing in the evidence holds', () => {
    const freshness = { ...ALLOW.freshness, bound: [] };
    const claims = claimsOf({ ...ALLOW, freshness });
    expect(claims).not.toHaveProperty('eat_nonce');
    expect(claims).not.toHaveProperty('veritee_nonce');
    expect(claimsOf({ ...ALLOW, freshness, decision: 'deny' })).toMatchObject({ veritee_nonce: 'challenge' });
  });

  it.each(['deny', 'indeterminate'] as const)('DEC-11 gives a receipt of %s another audience', (decision) => {
    const claims = claimsOf({ ...DECISION, decision });
    expect(claims).toMatchObject({
      aud: 'urn:veritee:not-allowed',
      requested_aud: 'https://gate.example',
      decision,
      reasons: DECISION.reasons,
    });
    expect(NOT_ALLOWED_AUDIENCE).toBe('urn:veritee:not-allowed');
  });

  it('an allow does not name the audience a second time', () => {
    expect(claimsOf(ALLOW)).not.toHaveProperty('requested_aud');
  });

  it.each([
    ['without an audience', ALLOW, { audience: null }],
    ['at a past verification time', { ...ALLOW, historical: true }, {}],
    ['that has ended', { ...ALLOW, validUntil: new Date('2026-01-15T11:59:00Z') }, {}],
  ])('there is no receipt for a decision %s', (_title, decision, request) => {
    expect(claimsOf(decision, request)).toBeNull();
  });

  it('REC-03 there is none for a decision that holds until the second in which it was made', () => {
    expect(claimsOf({ ...ALLOW, validUntil: new Date('2026-01-15T12:00:00.999Z') })).toBeNull();
  });

  it('a decision that holds until the next second has one', () => {
    const claims = claimsOf({ ...ALLOW, validUntil: new Date('2026-01-15T12:00:01Z') });
    expect(claims).toMatchObject({ iat: 1768478400, exp: 1768478401 });
  });

  it('the subject has the tenant and the ids of all policies, sorted', () => {
    const [policy] = ALLOW.policies;
    if (policy === undefined) throw new Error('no policy');
    const policies = [policy, { ...policy, id: 'base' }];
    const claims = claimsOf({ ...ALLOW, policies }, { tenant: 'red' });
    expect(claims).toMatchObject({ sub: 'red:base payments' });
  });

  it('names the bound key', () => {
    const bound = { ...ALLOW, binding: { jkt: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k' } };
    expect(claimsOf(bound, { bindingJwk: JWK })).toMatchObject({ cnf: { jwk: JWK } });
    expect(claimsOf({ ...ALLOW, binding: null }, { bindingJwk: JWK })).not.toHaveProperty('cnf');
    expect(claimsOf(bound)).not.toHaveProperty('cnf');
  });

  it('says of the bound key what its thumbprint is over, and nothing that the caller wrote beside it', () => {
    const bound = { ...ALLOW, binding: { jkt: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k' } };
    const bindingJwk = { ...JWK, kid: 'another', alg: 'none', use: 'enc', key_ops: ['sign'], ext: true };
    expect(claimsOf(bound, { bindingJwk })?.['cnf']).toEqual({ jwk: JWK });
  });

  it.each(['deny', 'indeterminate', 'allow'] as const)(
    'GAT-03 says whose nonce it was in a receipt of %s',
    (decision) => {
      const claimed = (nonce: Decision['freshness']['nonce']) =>
        claimsOf({ ...DECISION, decision, freshness: { ...DECISION.freshness, nonce } });
      expect(claimed('challenge')).toMatchObject({ veritee_nonce: 'challenge' });
      expect(claimed('own')).toMatchObject({ veritee_nonce: 'own' });
      expect(claimed(null)).not.toHaveProperty('veritee_nonce');
    },
  );

  it('has no nonce where the request has none', () => {
    expect(claimsOf(ALLOW, { nonce: null })).not.toHaveProperty('eat_nonce');
  });

  it.each([
    ['hardware evidence', 'snp', 'hardware'],
    ['a token', 'maa-token', 'maa'],
  ] as const)('has one appraisal where nothing was judged of %s', (_title, type, name) => {
    const claims = claimsOf({ ...BARE_DECISION, evidence: { ...BARE_DECISION.evidence, type } });
    expect(claims).toMatchObject({
      submods: { [name]: { 'ear.status': 'none', 'ear.trustworthiness-vector': { 'instance-identity': 0 } } },
    });
  });
});
