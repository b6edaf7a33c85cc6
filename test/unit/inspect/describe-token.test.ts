import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { describeToken } from '../../../src/inspect/describe-token.js';
import { formatErrorOf } from '../../format-error-of.js';

const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEADER = { alg: 'RS256', kid: 'k', jku: 'https://a.example/certs', typ: 'JWT' };
const CLAIMS = { iss: 'https://a.example', exp: 1_700_000_000, nonce: 'AA', 'x-ms-policy-hash': 'h', n: { a: [1] } };
const token = (header: JsonObject = HEADER, claims: JsonObject = CLAIMS) =>
  `${segment(header)}.${segment(claims)}.AAAA`;

describe('a token in words', () => {
  const [header, claims] = describeToken(token(), '/evidence/token');

  it('has header and claims, each with its length and place', () => {
    expect(header).toMatchObject({
      name: 'JOSE header',
      about: '/evidence/token',
      length: JSON.stringify(HEADER).length,
    });
    expect(claims).toMatchObject({ name: 'claims', length: JSON.stringify(CLAIMS).length });
    expect(header?.fields.map(({ name }) => name)).toEqual(['alg', 'kid', 'jku', 'typ', 'signature length']);
    expect(claims?.fields.map(({ name }) => name)).toEqual(Object.keys(CLAIMS));
  });

  it('places the members in what the token encodes', () => {
    const alg = header?.fields.find(({ name }) => name === 'alg');
    const nonce = claims?.fields.find(({ name }) => name === 'nonce');
    expect(alg).toMatchObject({ offset: JSON.stringify(HEADER).indexOf('"RS256"'), length: 7 });
    expect(nonce).toMatchObject({ offset: JSON.stringify(CLAIMS).indexOf('"AA"'), length: 4 });
  });

  it('shows values as they are, and says what they mean where the name does not', () => {
    const meaning = (name: string) =>
      [...(header?.fields ?? []), ...(claims?.fields ?? [])].find((field) => field.name === name);
    expect(meaning('exp')).toMatchObject({ value: 1_700_000_000, meaning: '2023-11-14T22:13:20.000Z' });
    expect(meaning('nonce')?.meaning).toBe('an echo of the request for the token: proves nothing');
    expect(meaning('jku')?.meaning).toContain('never followed');
    expect(meaning('n')).toMatchObject({ value: { a: [1] }, meaning: null });
    expect(meaning('signature length')).toMatchObject({ value: 3, meaning: 'bytes' });
  });

  it('says nothing of times that are none', () => {
    const [, of] = describeToken(token(HEADER, { exp: 1e14, iat: 'x' }), '');
    expect(of?.fields.map(({ meaning }) => meaning)).toEqual([null, null]);
  });

  it.each([
    ['no token', 'abc'],
    ['a member that stands twice', `${segment(HEADER)}.${Buffer.from('{"a":1,"a":2}').toString('base64url')}.AAAA`],
  ])('refuses %s', (_, text) => {
    expect(formatErrorOf(() => describeToken(text, '')).code).toMatch(/^(token_format|duplicate_key)$/);
  });
});
