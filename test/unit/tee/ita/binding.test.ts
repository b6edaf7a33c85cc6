import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import type { FreshnessPlace } from '../../../../src/core/verification.js';
import { boundValue } from '../../../lab/bound-value.js';
import { expectFailed, expectVerified, idsWith, JWK, OTHER_JWK } from '../fixture.js';
import { NONCE, OTHER_NONCE, type TokenOptions, tokenOf, verifyEvidence, verifyToken } from './fixture.js';

const BOUND = boundValue(NONCE, JWK);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const base64Url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const padded = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').padEnd(128, '0');

const userData = (value: string): TokenOptions => ({ tdx: { attester_runtime_data: { 'user-data': value } } });
const heldData = (value: string): TokenOptions => ({ tdx: { attester_held_data: value } });
const runtimeData = (data: JsonObject): TokenOptions => ({ tdx: { attester_runtime_data: data } });
const verifierNonce = (val: string): TokenOptions => ({ verifierNonce: { val, iat: '', signature: '' } });

async function places(options: TokenOptions, jwk: JsonObject | null = null): Promise<readonly FreshnessPlace[]> {
  return (await verifyToken(tokenOf(options), { nonce: NONCE, jwk })).bound;
}

describe('a token as the evidence holds the nonce', () => {
  it.each<[FreshnessPlace, TokenOptions]>([
    ['ita.userData', userData(padded(NONCE))],
    ['ita.heldData', heldData(base64(NONCE))],
    ['ita.runtimeData', runtimeData({ nonce: base64Url(NONCE) })],
    ['ita.verifierNonce', verifierNonce(base64(NONCE))],
  ])('in %s, in both versions', async (place, options) => {
    for (const version of [1, 2] as const) {
      const found = await verifyEvidence(tokenOf({ version, ...options }), { nonce: NONCE });
      expectVerified(found);
      expect(found.bound).toEqual([place]);
      expect(found.required).toContain('nonce_mismatch');
    }
  });

  it('or says so where it does not', async () => {
    const found = await verifyEvidence(tokenOf(heldData(base64(OTHER_NONCE))), { nonce: NONCE });
    expectFailed(found, 'nonce_mismatch');
    expect(found.bound).toEqual([]);
  });

  it('or is not asked, without one', async () => {
    const found = await verifyEvidence(tokenOf());
    expectVerified(found);
    expect(found.required).not.toContain('nonce_mismatch');
  });

  it('or is not looked for in a token that cannot be relied on', async () => {
    const options = { ...heldData(base64(NONCE)), header: { kid: 'unknown' } };
    const found = await verifyEvidence(tokenOf(options), { nonce: NONCE });
    expectFailed(found, 'token_key');
    expect(idsWith(found, 'skipped')).toContain('nonce_mismatch');
    expect(found.bound).toEqual([]);
  });

  it('or is not looked for in claims that cannot be read', async () => {
    const options = { tdx: { attester_held_data: base64(NONCE), attester_type: 'SGX' } };
    expect(await places(options)).toEqual([]);
  });
});

describe('places of the nonce', () => {
  it('are listed all', async () => {
    const tdx = {
      attester_held_data: base64(NONCE),
      attester_runtime_data: { 'user-data': padded(NONCE), nonce: base64Url(NONCE) },
    };
    const all = await places({ tdx, ...verifierNonce(base64(NONCE)) });
    expect(all).toEqual(['ita.userData', 'ita.heldData', 'ita.runtimeData', 'ita.verifierNonce']);
  });

  it('take user data in either case', async () => {
    expect(await places(userData(padded(NONCE).toUpperCase()))).toEqual(['ita.userData']);
  });

  it.each([
    ['another nonce in user data', userData(padded(OTHER_NONCE))],
    ['a nonce in user data without padding', userData(Buffer.from(NONCE).toString('hex'))],
    ['a nonce in user data followed by more', userData(`${padded(NONCE).slice(0, -2)}01`)],
    ['a nonce in user data of the token itself', { claims: { 'user-data': padded(NONCE) } }],
    ['a padded nonce in held data', heldData(Buffer.from(padded(NONCE), 'hex').toString('base64'))],
    ['a longer value in held data', heldData(base64(Buffer.concat([NONCE, NONCE])))],
    ['hex in held data', heldData(Buffer.from(NONCE).toString('hex'))],
    ['held data that is no base64', heldData(`${base64(NONCE)}\n`)],
    ['another nonce in runtime data', runtimeData({ nonce: base64Url(OTHER_NONCE) })],
    ['a nonce in runtime data that is a list', runtimeData({ nonce: [base64Url(NONCE)] })],
    ['a nonce deeper in runtime data', runtimeData({ data: { nonce: base64Url(NONCE) } })],
    ['a nonce in report data', { tdx: { tdx_report_data: padded(NONCE) } }],
    ['a nonce in user data in JSON', { tdx: { attester_user_data: { nonce: base64Url(NONCE) } } }],
    ['a nonce claim', { claims: { nonce: base64(NONCE), eat_nonce: base64(NONCE) } }],
  ])('do not include %s', async (_, options: TokenOptions) => {
    expect(await places(options)).toEqual([]);
  });

  it('do not include user data that is not set, where the nonce is zero', async () => {
    const zero = new Uint8Array(32);
    const found = (options: TokenOptions) => verifyToken(tokenOf(options), { nonce: zero });
    expect((await found(userData('0'.repeat(128)))).bound).toEqual([]);
    expect((await found(heldData(base64(zero)))).bound).toEqual(['ita.heldData']);
  });
});

describe('the nonce of the service', () => {
  it('TOK-19 counts as the bytes that the value decodes to, and as what their text decodes to', async () => {
    const random = Uint8Array.from({ length: 64 }, (_, index) => 0xff - index);
    const token = tokenOf(verifierNonce(base64(Buffer.from(base64(random)))));
    expect((await verifyToken(token, { nonce: random })).bound).toEqual(['ita.verifierNonce']);
    const text = Buffer.from(base64(random));
    expect((await verifyToken(token, { nonce: text })).bound).toEqual(['ita.verifierNonce']);
  });

  it('counts beside the other claims about the TD in version 2', async () => {
    expect(await places({ tdx: { verifier_nonce: { val: base64(NONCE) } } })).toEqual(['ita.verifierNonce']);
  });

  it('is refused at two places', async () => {
    const nonce = { val: base64(NONCE) };
    const found = await verifyToken(tokenOf({ tdx: { verifier_nonce: nonce }, verifierNonce: nonce }), {
      nonce: NONCE,
    });
    expectFailed(found, 'token_claim_type');
  });

  it.each([
    ['another one', base64(OTHER_NONCE)],
    ['encoded three times', base64(Buffer.from(base64(Buffer.from(base64(NONCE)))))],
    ['cut short', base64(NONCE.subarray(0, 31))],
    ['no base64', `${base64(NONCE)} `],
    ['empty', ''],
  ])('TOK-19 does not count as %s', async (_, val) => {
    const found = await verifyEvidence(tokenOf(verifierNonce(val)), { nonce: NONCE });
    expectFailed(found, 'nonce_mismatch');
  });

  it('binds no key', async () => {
    expect(await places(verifierNonce(base64(NONCE)), JWK)).toEqual([]);
    expect(await places(verifierNonce(base64(BOUND)), JWK)).toEqual([]);
  });
});

describe('a bound key', () => {
  it.each<[FreshnessPlace, TokenOptions]>([
    ['ita.userData', userData(padded(BOUND))],
    ['ita.heldData', heldData(base64(BOUND))],
    ['ita.runtimeData', runtimeData({ nonce: base64Url(NONCE), keys: [OTHER_JWK, JWK] })],
  ])('stands in %s', async (place, options) => {
    expect(await places(options, JWK)).toEqual([place]);
    expect(await places(options, OTHER_JWK)).toEqual(place === 'ita.runtimeData' ? [place] : []);
  });

  it.each([
    ['the nonce alone in user data', userData(padded(NONCE))],
    ['the nonce alone in held data', heldData(base64(NONCE))],
    ['the nonce in runtime data without keys', runtimeData({ nonce: base64Url(NONCE) })],
    ['the nonce in runtime data with another key', runtimeData({ nonce: base64Url(NONCE), keys: [OTHER_JWK] })],
    ['the key in runtime data with another nonce', runtimeData({ nonce: base64Url(OTHER_NONCE), keys: [JWK] })],
  ])('is not bound by %s', async (_, options: TokenOptions) => {
    expect(await places(options, JWK)).toEqual([]);
  });
});
