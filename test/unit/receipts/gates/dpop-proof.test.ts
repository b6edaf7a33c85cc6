import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { jwkThumbprint } from '../../../../src/crypto/jwk-thumbprint.js';
import { checkProof, type ExpectedProof } from '../../../../src/receipts/gates/dpop-proof.js';
import { type ClientKey, clientKey, makeProof, type ProofChanges } from './proofs.js';

const NOW = new Date('2026-01-15T12:00:00Z');
const IAT = NOW.getTime() / 1000;
const RECEIPT = 'a.receipt.of';
const KEY = clientKey();
const OTHER = clientKey();

const expectedOf = ({ jwk }: ClientKey, members: Partial<ExpectedProof> = {}): ExpectedProof => ({
  key: { jwk, jkt: jwkThumbprint(jwk) ?? '' },
  receipt: RECEIPT,
  method: 'POST',
  origin: 'https://app.example',
  path: '/orders/1',
  now: NOW,
  ...members,
});

const REQUEST = { htm: 'POST', htu: 'https://app.example/orders/1', iat: IAT, receipt: RECEIPT };

const proved = async (changes: ProofChanges = {}, members: Partial<ExpectedProof> = {}) =>
  (await checkProof(await makeProof(KEY, REQUEST, changes), expectedOf(KEY, members))).jti;

const refused = (code: string) => expect.objectContaining({ name: 'GateRefusal', code });

describe('a proof', () => {
  it('gives its id, and when it was made', async () => {
    const proof = await makeProof(KEY, REQUEST, { claims: { jti: 'one', iat: IAT - 1.5 } });
    expect(await checkProof(proof, expectedOf(KEY))).toEqual({ jti: 'one', madeAt: new Date(NOW.getTime() - 1500) });
  });

  it.each([
    ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ES384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['ES512', () => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['EdDSA', () => generateKeyPairSync('ed25519')],
    ['Ed25519', () => generateKeyPairSync('ed25519')],
    ['PS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['RS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ])('may be signed with %s', async (alg, make) => {
    const key = clientKey(alg, make().privateKey);
    const proof = await makeProof(key, REQUEST, { claims: { jti: 'one' } });
    expect(await checkProof(proof, expectedOf(key))).toMatchObject({ jti: 'one' });
    // Twin: of an algorithm of another key.
    const other = alg === 'RS256' ? 'PS384' : 'RS256';
    const [, payload, signature] = proof.split('.');
    const header = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: other, jwk: key.jwk })).toString('base64url');
    await expect(checkProof(`${header}.${payload}.${signature}`, expectedOf(key))).rejects.toThrow(
      other === 'RS256' && alg === 'PS256' ? refused('dpop_signature') : refused('dpop_header'),
    );
  });

  it.each<[string, ProofChanges, string]>([
    ['another type', { header: { typ: 'JWT' } }, 'dpop_header'],
    ['no type', { header: { typ: undefined } }, 'dpop_header'],
    ['no key', { header: { jwk: undefined } }, 'dpop_header'],
    ['a key that is a text', { header: { jwk: 'key' } }, 'dpop_header'],
    ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].map((member): [string, ProofChanges, string] => [
      `a private key, which has ${member}`,
      { header: { jwk: { ...KEY.jwk, [member]: 'AA' } } },
      'dpop_header',
    ]),
    ['too many characters, and all else right', { header: { pad: 'a'.repeat(8_000) } }, 'dpop_form'],
    ['nine levels', { header: { pad: [[[[[[[[]]]]]]]] } }, 'dpop_form'],
    ['33 items', { header: { pad: Array(33).fill(0) } }, 'dpop_form'],
    ['65 values', { header: { one: Array(28).fill(0), two: Array(27).fill(0) } }, 'dpop_form'],
    ['the key of somebody else', { header: { jwk: OTHER.jwk } }, 'dpop_key'],
    ['a key that is none', { header: { jwk: {} } }, 'dpop_key'],
    ['another method', { claims: { htm: 'GET' } }, 'dpop_method'],
    ['the method in small letters', { claims: { htm: 'post' } }, 'dpop_method'],
    ['no method', { claims: { htm: undefined } }, 'dpop_method'],
    ['another host', { claims: { htu: 'https://other.example/orders/1' } }, 'dpop_target'],
    ['another scheme', { claims: { htu: 'http://app.example/orders/1' } }, 'dpop_target'],
    ['another port', { claims: { htu: 'https://app.example:8443/orders/1' } }, 'dpop_target'],
    ['another path', { claims: { htu: 'https://app.example/orders/2' } }, 'dpop_target'],
    ['a path in other letter case', { claims: { htu: 'https://app.example/Orders/1' } }, 'dpop_target'],
    ['a path in capitals', { claims: { htu: 'https://app.example/ORDERS/1' } }, 'dpop_target'],
    ['a path in another spelling', { claims: { htu: 'https://app.example/orders/%31' } }, 'dpop_target'],
    ['a path with dots', { claims: { htu: 'https://app.example/orders/x/../1' } }, 'dpop_target'],
    ['no path', { claims: { htu: 'https://app.example' } }, 'dpop_target'],
    ['a query', { claims: { htu: 'https://app.example/orders/1?a' } }, 'dpop_target'],
    ['a fragment', { claims: { htu: 'https://app.example/orders/1#a' } }, 'dpop_target'],
    ['a user', { claims: { htu: 'https://a@app.example/orders/1' } }, 'dpop_target'],
    ['a password', { claims: { htu: 'https://:a@app.example/orders/1' } }, 'dpop_target'],
    ['a host that is none', { claims: { htu: 'https://[/orders/1' } }, 'dpop_target'],
    ['no URL', { claims: { htu: undefined } }, 'dpop_target'],
    ['a list of URLs', { claims: { htu: ['https://app.example/orders/1'] } }, 'dpop_target'],
    ['a text before the URL', { claims: { htu: 'xhttps://app.example/orders/1' } }, 'dpop_target'],
    ['no time', { claims: { iat: undefined } }, 'dpop_time'],
    ['a time that is a text', { claims: { iat: String(IAT) } }, 'dpop_time'],
    ['a time just over the limit', { claims: { iat: IAT - 60.001 } }, 'dpop_time'],
    ['a time just over the other limit', { claims: { iat: IAT + 60.001 } }, 'dpop_time'],
    ['a time of 61 seconds before', { claims: { iat: IAT - 61 } }, 'dpop_time'],
    ['a time of 61 seconds later', { claims: { iat: IAT + 61 } }, 'dpop_time'],
    ['another receipt', { claims: { ath: 'A'.repeat(43) } }, 'dpop_receipt'],
    ['no receipt', { claims: { ath: undefined } }, 'dpop_receipt'],
    ['no id', { claims: { jti: undefined } }, 'dpop_form'],
    ['an empty id', { claims: { jti: '' } }, 'dpop_form'],
    ['an id that is a number', { claims: { jti: 1 } }, 'dpop_form'],
    ['an id that is too long', { claims: { jti: 'a'.repeat(257) } }, 'dpop_form'],
  ])('GAT-02 with %s is refused', async (_what, changes, code) => {
    await expect(proved(changes)).rejects.toThrow(refused(code));
  });

  it('GAT-02 for a path with an escape in other letter case is refused', async () => {
    const claims = { htu: 'https://app.example/orders/%c3%a4' };
    await expect(proved({ claims }, { path: '/orders/%C3%A4' })).rejects.toThrow(refused('dpop_target'));
    expect(await proved({ claims }, { path: '/orders/%c3%a4' })).toMatch(/^proof /);
  });

  it('twin: with the longest id is accepted, and gives all of it', async () => {
    const jti = `${'a'.repeat(255)}b`;
    expect(await proved({ claims: { jti } })).toBe(jti);
  });

  it.each<[string, ProofChanges, Partial<ExpectedProof>]>([
    ['its times at the limits', { claims: { iat: IAT - 60 } }, {}],
    ['its times at the other limit', { claims: { iat: IAT + 60 } }, {}],
    ['the host in capitals, and its port', { claims: { htu: 'HTTPS://APP.example:443/orders/1' } }, {}],
    [
      'http, where the gate has that',
      { claims: { htu: 'http://a.example/' } },
      { origin: 'http://a.example', path: '/' },
    ],
    ['eight levels', { header: { pad: [[[[[[[]]]]]]] } }, {}],
    ['32 items', { header: { pad: Array(32).fill(0) } }, {}],
    ['64 values', { header: { one: Array(27).fill(0), two: Array(27).fill(0) } }, {}],
    ['no path for the root', { claims: { htu: 'https://app.example' } }, { path: '/' }],
    ['members of the key that are not of its thumbprint', { header: { jwk: { ...KEY.jwk, kid: 'k' } } }, {}],
  ])('twin: with %s is accepted', async (_what, changes, members) => {
    expect(await proved(changes, members)).toMatch(/^proof /);
  });

  it('twin: of the greatest length is accepted', async () => {
    const padded = (pad: number, jti: string) =>
      makeProof(KEY, REQUEST, { header: { pad: 'a'.repeat(pad) }, claims: { jti } });
    const pad = Math.floor(((8_192 - (await padded(0, 'a')).length) * 3) / 4);
    // Three bytes are four characters: some lengths need an id of another length.
    const near = [pad - 1, pad, pad + 1].flatMap((each) => ['a', 'aa', 'aaa'].map((jti) => padded(each, jti)));
    const longest = (await Promise.all(near)).find((proof) => proof.length === 8_192);
    expect(await checkProof(longest ?? '', expectedOf(KEY))).toHaveProperty('jti');
  });

  it('GAT-02 signed by another key than its own is refused', async () => {
    const proof = await makeProof(OTHER, REQUEST, { header: { jwk: KEY.jwk } });
    await expect(checkProof(proof, expectedOf(KEY))).rejects.toMatchObject({
      code: 'dpop_signature',
      cause: { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' },
    });
  });

  it('GAT-02 by a key that signs nothing is refused', async () => {
    const { publicKey } = generateKeyPairSync('x25519');
    const jwk = publicKey.export({ format: 'jwk' }) as ClientKey['jwk'];
    const proof = await makeProof(KEY, REQUEST, { header: { jwk } });
    await expect(checkProof(proof, expectedOf({ ...KEY, jwk }))).rejects.toThrow(refused('dpop_header'));
  });

  const part = (text: string) => Buffer.from(text).toString('base64url');
  const HEADER = { typ: 'dpop+jwt', alg: 'ES256', jwk: KEY.jwk };

  it.each<[string, string, string]>([
    ['no parts', 'proof', 'dpop_form'],
    ['two parts', `${part('{}')}.${part('{}')}`, 'dpop_form'],
    ['four parts', `${part('{}')}.${part('{}')}.AA.AA`, 'dpop_form'],
    ['no signature', `${part(JSON.stringify(HEADER))}.${part('{}')}.`, 'dpop_form'],
    ['padding', `${part(JSON.stringify(HEADER))}.${part('{}')}.AA==`, 'dpop_form'],
    ['a character of another alphabet', `${part(JSON.stringify(HEADER))}.${part('{}')}.+AAA`, 'dpop_form'],
    ['bits left over', `${part(JSON.stringify(HEADER))}.${part('{}')}.AB`, 'dpop_form'],
    ['a member twice', `${part('{"typ":"dpop+jwt","typ":"dpop+jwt"}')}.${part('{}')}.AA`, 'dpop_form'],
    ['claims that are a list', `${part(JSON.stringify(HEADER))}.${part('[]')}.AA`, 'dpop_form'],
    ['many members', `${part(JSON.stringify(HEADER))}.${part(`[${'0,'.repeat(64)}0]`)}.AA`, 'dpop_form'],
    ['too many characters', 'a'.repeat(8_193), 'dpop_form'],
    ['crit', `${part(JSON.stringify({ ...HEADER, crit: ['b64'] }))}.${part('{}')}.AA`, 'dpop_header'],
    ['the algorithm none', `${part(JSON.stringify({ ...HEADER, alg: 'none' }))}.${part('{}')}.AA`, 'dpop_header'],
    ['a list of algorithms', `${part(JSON.stringify({ ...HEADER, alg: ['ES256'] }))}.${part('{}')}.AA`, 'dpop_header'],
    ['HS256', `${part(JSON.stringify({ ...HEADER, alg: 'HS256' }))}.${part('{}')}.AA`, 'dpop_header'],
    ['a short signature', `${part(JSON.stringify(HEADER))}.${part('{}')}.AA`, 'dpop_signature'],
  ])('GAT-02 with %s is refused', async (_what, proof, code) => {
    await expect(checkProof(proof, expectedOf(KEY))).rejects.toThrow(refused(code));
  });

  it('with a part that is not JSON is refused, and the cause is kept', async () => {
    const proof = checkProof(`${part('{')}.${part('{}')}.AA`, expectedOf(KEY));
    await expect(proof).rejects.toMatchObject({ code: 'dpop_form', cause: { name: 'FormatError' } });
  });
});
