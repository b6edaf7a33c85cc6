import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { maaJwk, namedRsaKey, newEcKey, type TokenMaking } from '../../../lab/index.js';
import { expectFailed, expectMalformed, expectVerified } from '../fixture.js';
import { azureVm, ISSUER, keySetOf, maaVerifier, SIGNER, signerOf, tokenOf, verifyMaa } from './fixture.js';

const PLACE = '/evidence/token';
const made = (making: TokenMaking) => verifyMaa(tokenOf(azureVm(), making));
const STRANGER = namedRsaKey('maa-unit-stranger', 2048);
const strangersCertificate = Buffer.from(signerOf(() => ({ spki: STRANGER.spki, signer: STRANGER })).certificate);

describe('the algorithm of a token', () => {
  it.each([
    ['none', { algorithm: 'none' }],
    ['None, without a signature', { header: { alg: 'None' }, afterSigning: (token) => token.replace(/[^.]*$/, '') }],
    ['HS256 keyed with the public key', { algorithm: 'HS256' }],
    [
      'HS256 keyed with the DER of the public key',
      {
        algorithm: 'HS256',
        key: createSecretKey(SIGNER.key.spki),
      },
    ],
    ['ES256 by a curve key', { algorithm: 'ES256', key: newEcKey('prime256v1').privateKey }],
    ['ES256 over an RSA signature', { header: { alg: 'ES256' } }],
    ['RS384', { algorithm: 'RS384' }],
    ['RS512', { algorithm: 'RS512' }],
    ['PS256', { algorithm: 'PS256' }],
    ['PS384, which another issuer uses', { algorithm: 'PS384' }],
    ['rs256', { header: { alg: 'rs256' } }],
    ['nothing', { header: { alg: '' } }],
  ] satisfies [string, TokenMaking][])('TOK-01 refuses %s', async (_, making) => {
    expectFailed(await made(making), 'token_alg');
  });

  it.each([
    ['RS384', { algorithm: 'RS384', header: { alg: 'RS256' } }],
    ['RSASSA-PSS', { algorithm: 'PS256', header: { alg: 'RS256' } }],
    ['HMAC with the public key', { algorithm: 'HS256', header: { alg: 'RS256' } }],
    ['nothing', { algorithm: 'none', header: { alg: 'RS256' } }],
  ] satisfies [string, TokenMaking][])('TOK-01 refuses RS256 over a signature by %s', async (_, making) => {
    expectFailed(await made(making), 'token_signature');
  });

  it('TOK-01 refuses a key that its issuer publishes for another algorithm', async () => {
    const keys = keySetOf({ ...maaJwk(SIGNER), alg: 'RS512' });
    expectFailed(await verifyMaa(tokenOf(), { keys }), 'token_alg');
    expectVerified(await verifyMaa(tokenOf(), { keys: keySetOf({ ...maaJwk(SIGNER), alg: 'RS256' }) }));
  });
});

describe('keys that a token names itself', () => {
  it.each([
    ['jku of a stranger', { jku: 'https://stranger.example/certs' }],
    ['jku of another path', { jku: `${ISSUER}/certs2` }],
    ['jku in another case', { jku: `${ISSUER}/CERTS` }],
    ['jku of its issuer and more', { jku: `${ISSUER}/certs?x` }],
    ['jku that is a list', { jku: [`${ISSUER}/certs`] }],
    ['jku that is null', { jku: null }],
    ['x5u', { x5u: `${ISSUER}/certs` }],
    ['jwk', { jwk: maaJwk(SIGNER) }],
    ['x5c of a stranger', { x5c: [strangersCertificate.toString('base64')] }],
    [
      'x5c of a stranger, then its own',
      {
        x5c: [strangersCertificate.toString('base64'), Buffer.from(SIGNER.certificate).toString('base64')],
      },
    ],
    ['x5c without certificates', { x5c: [] }],
    ['x5c that is a text', { x5c: Buffer.from(SIGNER.certificate).toString('base64') }],
    ['x5c in base64url', { x5c: [Buffer.from(SIGNER.certificate).toString('base64url')] }],
    ['x5c that is no certificate', { x5c: ['AAAA'] }],
  ] satisfies [string, { [member: string]: JsonValue }][])('TOK-02 refuses %s', async (_, header) => {
    await expectMalformed(made({ header }), 'token_header', PLACE);
  });

  it('TOK-02 refuses a token that is signed by the key of its own x5c', async () => {
    const x5c = [strangersCertificate.toString('base64')];
    await expectMalformed(made({ header: { x5c }, key: STRANGER.privateKey }), 'token_header', PLACE);
  });

  it('TOK-02 asks for no keys where a token says another place for them', () => {
    const askFor = (header: JsonObject) =>
      maaVerifier().open({ type: 'maa-token', token: tokenOf(azureVm(), { header }) }).needs;
    const malformed = expect.objectContaining({ code: 'token_header', pointer: PLACE });
    expect(() => askFor({ jku: 'https://stranger.example/certs' })).toThrow(malformed);
    expect(askFor({})).toMatchObject([{ issuer: ISSUER }]);
  });
});

describe('the form of a token', () => {
  it.each([
    ['crit of something unknown', { header: { crit: ['exp'], exp: 1 } }],
    ['crit that is empty', { header: { crit: [] } }],
    ['crit that names one twice', { header: { crit: ['b64', 'b64'], b64: true } }],
    ['b64 false', { header: { b64: false } }],
    ['b64 true', { header: { b64: true } }],
    ['zip', { header: { zip: 'DEF' } }],
    ['the header of an encrypted token', { header: { enc: 'A256GCM' } }],
    ['an encrypted token', { afterSigning: (token) => `${token}.AA.AA` }],
    ['another typ', { header: { typ: 'at+jwt' } }],
    ['no typ', { header: ({ typ: _, ...rest }) => rest }],
    ['alg that is a list', { header: { alg: ['RS256'] } }],
    ['a header that is a list', { headerText: () => '["RS256"]' }],
    ['a header that is no JSON', { headerText: (json) => `${json},` }],
  ] satisfies [string, TokenMaking][])('TOK-03 refuses %s', async (_, making) => {
    await expectMalformed(made(making), 'token_header', PLACE);
  });

  const twice = (member: string) => (json: string) => json.replace(/^\{/, `{"${member}":"first",`);

  it.each([
    ['alg', { headerText: twice('alg') }],
    ['kid', { headerText: twice('kid') }],
    ['a member spelt with an escape', { headerText: twice('\\u0061lg') }],
    ['iss', { claimsText: twice('iss') }],
    ['exp', { claimsText: twice('exp') }],
    [
      'a member inside x-ms-isolation-tee',
      {
        claimsText: (json) =>
          json.replace('"x-ms-isolation-tee":{', '"x-ms-isolation-tee":{"x-ms-attestation-type":"x",'),
      },
    ],
  ] satisfies [string, TokenMaking][])('TOK-04 refuses %s twice', async (_, making) => {
    await expectMalformed(made(making), 'duplicate_key', PLACE);
  });

  it.each([
    ['a blank', (token) => token.replace('.', '. ')],
    ['a line feed', (token) => token.replace('.', '.\n')],
    ['a blank at the end', (token) => `${token} `],
    ['padding', (token) => `${token}==`],
    ['standard base64', (token) => token.replace(/_|-/, '+')],
    ['unused bits that are not zero', (token) => token.replace(/.$/, (last) => nextDigit(last))],
    ['a fourth part', (token) => `${token}.`],
    ['two parts', (token) => token.slice(0, token.lastIndexOf('.'))],
    ['a part of one digit more than bytes have', (token) => `${token}AAA`],
    ['JSON serialisation', (token) => jsonSerialization(token)],
    ['nothing', () => ''],
  ] satisfies [string, (token: string) => string][])('TOK-05 refuses %s', async (_, afterSigning) => {
    await expectMalformed(made({ afterSigning }), 'token_format', PLACE);
  });

  it('TOK-20 refuses a token over 64 KiB, and takes one just under it', async () => {
    const token = (length: number) => tokenOf(azureVm(), { claims: { padding: 'x'.repeat(length) } });
    const room = Math.floor(((65_536 - token(0).length) * 3) / 4);
    expectVerified(await verifyMaa(token(room - 3)));
    await expectMalformed(verifyMaa(token(room + 3)), 'token_format', PLACE);
  });
});

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function nextDigit(digit: string): string {
  return DIGITS[DIGITS.indexOf(digit) + 1] ?? '';
}

function jsonSerialization(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return JSON.stringify({ payload, protected: header, signature });
}
