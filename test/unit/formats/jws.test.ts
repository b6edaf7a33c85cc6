import { describe, expect, it } from 'vitest';
import { parseClaimsSet, parseJws, TOKEN_LENGTH } from '../../../src/formats/jws.js';
import { formatErrorOf } from '../../format-error-of.js';

const part = (text: string) => Buffer.from(text).toString('base64url');
const compact = (header: string, payload = '{}', signature = 'AQID') => `${part(header)}.${part(payload)}.${signature}`;
const HEADER = '{"alg":"RS256","kid":"k"}';
const codeOf = (token: string) => formatErrorOf(() => parseJws(token));

describe('parseJws', () => {
  it('takes a token apart', () => {
    const token = compact(HEADER, '{"a":1}');
    const jws = parseJws(token);
    expect({ ...jws.header }).toEqual({ alg: 'RS256', kid: 'k' });
    expect(Buffer.from(jws.payload).toString()).toBe('{"a":1}');
    expect([...jws.signature]).toEqual([1, 2, 3]);
  });

  it('leaves to others what alg, kid, jku and x5c are worth, and an empty signature', () => {
    const jws = parseJws(compact('{"alg":"none","kid":1,"jku":[],"x5c":null,"x5t":"t","cty":"JWT"}', '', ''));
    expect(jws.header.alg).toBe('none');
    expect(jws.signature).toHaveLength(0);
    expect(jws.payload).toHaveLength(0);
  });

  it.each([
    ['no part', ''],
    ['two parts', 'e30.e30'],
    ['four parts', 'e30.e30.e30.e30'],
    ['six parts', 'e30.e30.e30.e30.e30.e30'],
    ['a blank', ` ${compact(HEADER)}`],
    ['a line feed at the end', `${compact(HEADER)}\n`],
    ['padding', `${compact(HEADER)}=`],
    ['a plus', compact(HEADER, '{}', 'A+ID')],
    ['a slash', compact(HEADER, '{}', 'A/ID')],
    ['unused bits in the signature', compact(HEADER, '{}', 'AB')],
    ['unused bits in the payload', `${part(HEADER)}.AB.AQID`],
    ['one digit too many', compact(HEADER, '{}', 'AAAAA')],
    ['a digit of another script', compact(HEADER, '{}', 'AQI\u0414')],
    ['a NUL', compact(HEADER, '{}', 'AQI\0')],
  ])('TOK-05 refuses %s', (_, token) => {
    expect(codeOf(token)).toEqual({ code: 'token_format', pointer: null });
  });

  it.each([
    ['Bearer in front', `Bearer ${compact(HEADER)}`, 'the token has Bearer in front: expected what follows it'],
    ['Bearer and a colon', `Bearer: ${compact(HEADER)}`, 'the token has Bearer in front: expected what follows it'],
    [
      'the header of a request',
      `Authorization: Bearer ${compact(HEADER)}`,
      'the token has Authorization in front: expected what follows Bearer',
    ],
    [
      'the answer that supplied it',
      `{"token":"${compact(HEADER)}"}`,
      'the token has a JSON object around it: expected the token alone',
    ],
    ['quotes', `"${compact(HEADER)}"\n`, 'the token has quotes around it: expected it without them'],
    [
      'a line feed behind it',
      `${compact(HEADER)}\n`,
      'the token has a space or line feed after it: expected it without',
    ],
    ['a blank in front', ` ${compact(HEADER)}`, 'the token has a space or line feed before it: expected it without'],
    ['a blank inside', compact(HEADER, '{}', 'AQ ID'), 'a part of the token is not base64url'],
  ])('TOK-05 says what a token has that it should not: %s', (_, token, message) => {
    expect(() => parseJws(token)).toThrow(expect.objectContaining({ code: 'token_format', message }));
  });

  it('TOK-20 refuses more than 64 KiB, before anything is read', () => {
    const room = TOKEN_LENGTH - compact(HEADER, '', '').length;
    const payload = (length: number) => `${part(HEADER)}.${'A'.repeat(length)}.`;
    expect(parseJws(payload(room - (room % 4))).payload.length).toBeGreaterThan(40_000);
    expect(codeOf(payload(room + 1))).toEqual({ code: 'token_format', pointer: null });
    expect(codeOf('.'.repeat(TOKEN_LENGTH + 1))).toEqual({ code: 'token_format', pointer: null });
  });

  it('TOK-03 refuses an encrypted token', () => {
    expect(codeOf('e30.e30.e30.e30.e30').code).toBe('token_header');
  });

  it.each([
    ['is no JSON', 'alg'],
    ['is empty', ''],
    ['is a list', '[{"alg":"RS256"}]'],
    ['is null', 'null'],
    ['is a text', '"RS256"'],
    ['is no UTF-8', '{"alg":"RS256","kid":"\xff"}'],
    ['has a byte order mark', `\ufeff${HEADER}`],
    ['names a prototype', '{"alg":"RS256","__proto__":{"kid":"k"}}'],
    ['has no alg', '{"kid":"k"}'],
    ['has an alg that is a list', '{"alg":["RS256"]}'],
    ['has an alg that is null', '{"alg":null}'],
    ['has crit', '{"alg":"RS256","crit":["exp"]}'],
    ['has crit that is null', '{"alg":"RS256","crit":null}'],
    ['has b64', '{"alg":"RS256","b64":true}'],
    ['has zip', '{"alg":"RS256","zip":"DEF"}'],
    ['has enc', '{"alg":"RS256","enc":"A128GCM"}'],
    ['has jwk', '{"alg":"RS256","jwk":{}}'],
    ['has x5u', '{"alg":"RS256","x5u":""}'],
    ['has a number that no double holds', '{"alg":"RS256","x":1e400}'],
    ['is nested without measure', `{"alg":"RS256","x":${'['.repeat(40)}${']'.repeat(40)}}`],
  ])('TOK-03 refuses a header that %s', (what, header) => {
    const bytes = Buffer.from(header, what === 'is no UTF-8' ? 'latin1' : 'utf8');
    expect(codeOf(`${bytes.toString('base64url')}.e30.AQID`)).toEqual({ code: 'token_header', pointer: null });
  });

  it.each(['{"alg":"none","alg":"RS256"}', '{"alg":"RS256","\\u0061lg":"RS256"}', '{"alg":"RS256","x":{"a":1,"a":1}}'])(
    'TOK-04 refuses a member twice, without a pointer into the token: %s',
    (header) => {
      expect(codeOf(compact(header))).toEqual({ code: 'duplicate_key', pointer: null });
    },
  );
});

describe('parseClaimsSet', () => {
  const of = (text: string) => parseClaimsSet(Buffer.from(text));

  it('reads claims as they are', () => {
    expect({ ...of('{"exp":1,"a":[true,null,"x"]}') }).toEqual({ exp: 1, a: [true, null, 'x'] });
  });

  it.each([
    '',
    '[]',
    'null',
    '1',
    '{',
    '{}{}',
    '{"exp":1e400}',
    '{"exp":9007199254740993}',
    '{"__proto__":1}',
    '{"a":-0}',
  ])('TOK-06 refuses %s', (text) => {
    expect(formatErrorOf(() => of(text))).toEqual({ code: 'token_claim', pointer: null });
  });

  it('TOK-04 refuses a claim twice', () => {
    expect(formatErrorOf(() => of('{"iss":"a","iss":"b"}'))).toEqual({ code: 'duplicate_key', pointer: null });
  });
});
