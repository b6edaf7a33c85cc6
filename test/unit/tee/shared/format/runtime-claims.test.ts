import { describe, expect, it } from 'vitest';
import {
  decodeRsaJwk,
  decodeUserData,
  readRuntimeClaims,
  readRuntimeObject,
} from '../../../../../src/tee/shared/format/runtime-claims.js';

const read = (text: string) => readRuntimeObject(Buffer.from(text));

describe('runtime claims', () => {
  it('are read member by member, unknown ones left alone', () => {
    const object = read('{"keys":[{"kid":"a"}],"vm-configuration":{"secure-boot":1},"user-data":"00","new":[1]}');
    expect(object.ok && readRuntimeClaims(object.value)).toMatchObject({
      ok: true,
      value: { keys: [{ kid: 'a' }], vmConfiguration: { secureBoot: 1 }, userData: '00' },
    });
  });

  it('may name members of vm-configuration like those of every object', () => {
    const object = read('{"keys":[],"vm-configuration":{"toString":true,"value-of":1}}');
    expect(object.ok && readRuntimeClaims(object.value)).toMatchObject({
      ok: true,
      value: { vmConfiguration: { toString: true, valueOf: 1 } },
    });
  });

  it('may lack vm-configuration and user-data', () => {
    const object = read('{"keys":[]}');
    expect(object.ok && readRuntimeClaims(object.value)).toMatchObject({
      value: { keys: [], vmConfiguration: null, userData: null },
    });
  });

  it.each([
    ['[]', 'hcl_claims'],
    ['null', 'hcl_claims'],
    ['', 'hcl_claims'],
    ['{"a":1,"a":1}', 'hcl_duplicate'],
    ['{"a":{"b":1,"\\u0062":1}}', 'hcl_duplicate'],
    ['{"a":{"__proto__":1}}', 'hcl_claims'],
  ])('HCL-06 are not read from %s', (text, code) => {
    expect(read(text)).toMatchObject({ ok: false, code });
  });
});

describe('user-data', () => {
  it('HCL-09 is 64 bytes in either case', () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, index) => 0xa0 + (index % 16));
    const text = Buffer.from(bytes).toString('hex');
    for (const spelled of [text, text.toUpperCase()]) {
      expect(Buffer.from(decodeUserData(spelled) ?? [])).toEqual(Buffer.from(bytes));
    }
  });

  it.each([
    '',
    '00',
    '0'.repeat(126),
    '0'.repeat(127),
    '0'.repeat(129),
    '0'.repeat(130),
    'g'.repeat(128),
    `${'0'.repeat(127)}\u0141`,
  ])('HCL-09 is nothing where it is %j', (text) => {
    expect(decodeUserData(text)).toBeNull();
  });

  it.each([null, 7, true, ['00'], {}])('HCL-09 is nothing where it is the value %j', (value) => {
    expect(decodeUserData(value)).toBeNull();
  });
});

describe('an RSA JWK', () => {
  it('has modulus and exponent in base64url', () => {
    expect(decodeRsaJwk({ n: '-_8', e: 'AQAB' })).toEqual({
      n: Buffer.from([0xfb, 0xff]),
      e: Buffer.from([1, 0, 1]),
    });
  });

  it.each([
    { e: 'AQAB' },
    { n: 'AQAB' },
    { n: 'AQ==', e: 'AQAB' },
    { n: '+/8', e: 'AQAB' },
    { n: 'AR', e: 'AQAB' },
    { n: 'A', e: 'AQAB' },
    { n: 'AQ AB', e: 'AQAB' },
    { n: 7, e: 'AQAB' },
  ])('HCL-07 is nothing where it is %j', (jwk) => {
    expect(decodeRsaJwk(jwk)).toBeNull();
  });
});
