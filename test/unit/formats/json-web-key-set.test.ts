import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import { type ParsedKeySet, parseKeySet } from '../../../src/formats/json-web-key-set.js';
import { formatErrorOf } from '../../format-error-of.js';
import { rsaSpki } from '../../lab/pki.js';
import { haveVectors, readVector, vector } from '../../vectors.js';
import { derOf, KEYS } from '../small-pki.js';
import { base64Of, certificateOf, ecJwkOf, jwkOf, keySetOf, numbersOf, rsaOf, TOKEN_KEYS } from '../token-jwk.js';

const { a, b, large, weak } = TOKEN_KEYS;
const GOOD = jwkOf(b, 'good');
const CERTIFICATE = base64Of(certificateOf(a));
const hexOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

const parse = (...keys: readonly JsonObject[]) => parseKeySet(keySetOf(...keys));

function only({ keys }: ParsedKeySet, kid: string) {
  const [key, ...more] = keys.get(kid) ?? [];
  if (key === undefined || more.length > 0) throw new Error(`not one key ${kid}`);
  return key;
}

/** A modulus or exponent as a JWK member. */
const integerOf = (value: bigint | string) =>
  Buffer.from(typeof value === 'string' ? value : evenHex(value), 'hex').toString('base64url');
const evenHex = (value: bigint) => (value.toString(16).length % 2 === 0 ? '' : '0') + value.toString(16);

describe('parseKeySet', () => {
  it('reads a key from n and e', () => {
    const key = only(parse(jwkOf(a, 'k1', { alg: 'RS256', use: 'sig', key_ops: ['verify'], x5t: 'unread' })), 'k1');
    expect(key).toMatchObject({ kid: 'k1', alg: 'RS256', certificates: [] });
    expect(hexOf(key.spki)).toBe(hexOf(a.spki));
    expect(Buffer.from(rsaOf(key).n).toString('base64url')).toBe(numbersOf(a).n);
    expect(hexOf(rsaOf(key).e)).toBe('010001');
  });

  it('reads a key that has a certificate and neither n nor e', () => {
    const key = only(parse({ kty: 'RSA', kid: 'k1', x5c: [CERTIFICATE] }), 'k1');
    expect(key.alg).toBeNull();
    expect(hexOf(key.spki)).toBe(hexOf(a.spki));
    expect(Buffer.from(rsaOf(key).n).toString('base64url')).toBe(numbersOf(a).n);
    expect(key.certificates.map(hexOf)).toEqual([hexOf(certificateOf(a))]);
  });

  it('reads a key whose certificate holds n and e', () => {
    const key = only(parse(jwkOf(a, 'k1', { x5c: [CERTIFICATE, base64Of(derOf('root'))] })), 'k1');
    expect(key.certificates).toHaveLength(2);
    expect(hexOf(key.spki)).toBe(hexOf(a.spki));
  });

  it('leaves leading zeros of n and e away', () => {
    const { n, e } = numbersOf(a);
    const padded = (text: string) =>
      Buffer.concat([Buffer.alloc(2), Buffer.from(text, 'base64url')]).toString('base64url');
    const key = only(parse(jwkOf(a, 'k1', { n: padded(n), e: padded(e) })), 'k1');
    expect(hexOf(key.spki)).toBe(hexOf(a.spki));
    expect(rsaOf(key).n[0]).not.toBe(0);
  });

  it('takes a kid for an opaque text', () => {
    const kids = ['__proto__', 'constructor', '../../x', 'dRKh+hBc/=', 'ä', 'k'.repeat(512)];
    const { keys } = parse(...kids.map((kid) => jwkOf(a, kid)));
    expect([...keys.keys()]).toEqual(kids);
  });

  it('TOK-10 lists every key of a kid that two keys have', () => {
    const { keys } = parse(jwkOf(a, 'same'), jwkOf(b, 'same'));
    expect(keys.get('same')?.map(({ spki }) => hexOf(spki))).toEqual([hexOf(a.spki), hexOf(b.spki)]);
  });

  it('TOK-25 lists every entry of a key that is listed several times, each with its algorithm', () => {
    const { keys, leftOut } = parse(
      jwkOf(a, 'same'),
      jwkOf(a, 'same', { alg: 'RS256' }),
      jwkOf(large, 'same', { alg: 'PS384' }),
    );
    expect([keys.get('same')?.map(({ alg }) => alg), leftOut]).toEqual([[null, 'RS256', 'PS384'], []]);
  });

  it.each([
    ['RS256 with 2048 bits', jwkOf(a, 'k1', { alg: 'RS256' })],
    ['PS384 with 3072 bits', jwkOf(large, 'k1', { alg: 'PS384' })],
  ])('takes a key for %s', (_what, jwk) => {
    expect(parse(jwk, GOOD).keys.has('k1')).toBe(true);
  });
});

describe('parseKeySet: keys that are left out', () => {
  const modulus = 2n ** 2047n + 1n;
  const cases: readonly (readonly [string, JsonValue, string])[] = [
    ['no object', 'key', 'key is not an object'],
    ['a list', [jwkOf(a, 'k1')], 'key is not an object'],
    ['an elliptic curve key', { kty: 'EC', kid: 'k1', crv: 'P-256', x: 'AA', y: 'AA' }, 'key is not an RSA key'],
    ['a symmetric key', { kty: 'oct', kid: 'k1', k: 'AAAA' }, 'key is not an RSA key'],
    ['another case of kty', jwkOf(a, 'k1', { kty: 'rsa' }), 'key is not an RSA key'],
    ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].map(
      (member) =>
        [
          `a private or symmetric member ${member}`,
          jwkOf(a, 'k1', { [member]: 'AAAA' }),
          'key has members of a private or symmetric key',
        ] as const,
    ),
    ['use enc', jwkOf(a, 'k1', { use: 'enc' }), 'key is not for signatures'],
    ['use null', jwkOf(a, 'k1', { use: null }), 'key is not for signatures'],
    ['key_ops without verify', jwkOf(a, 'k1', { key_ops: ['encrypt'] }), 'key is not for verifying'],
    ['key_ops that is a text', jwkOf(a, 'k1', { key_ops: 'verify' }), 'key is not for verifying'],
    ['no kid', { kty: 'RSA', ...numbersOf(a) }, 'key has no kid'],
    ['a kid that is a number', jwkOf(a, 'k1', { kid: 1 }), 'key has no kid'],
    ['a kid that is a list', jwkOf(a, 'k1', { kid: ['k1'] }), 'key has no kid'],
    ['an empty kid', jwkOf(a, ''), 'key has no kid'],
    ['a kid of 513 characters', jwkOf(a, 'k'.repeat(513)), 'kid is over 512 characters'],
    ['an alg that is a list', jwkOf(a, 'k1', { alg: ['RS256'] }), 'alg is not a string'],
    ['no key at all', { kty: 'RSA', kid: 'k1' }, 'key has neither n and e nor a certificate'],
    ['no e', { kty: 'RSA', kid: 'k1', n: numbersOf(a).n }, 'e is not base64url'],
    ['no n', { kty: 'RSA', kid: 'k1', e: 'AQAB' }, 'n is not base64url'],
    [
      'no e beside a certificate',
      { kty: 'RSA', kid: 'k1', n: numbersOf(a).n, x5c: [CERTIFICATE] },
      'e is not base64url',
    ],
    ['n with padding', jwkOf(a, 'k1', { n: `${numbersOf(a).n}==` }), 'n is not base64url'],
    ['n in standard base64', jwkOf(a, 'k1', { n: `+/${numbersOf(a).n.slice(2)}` }), 'n is not base64url'],
    [
      'n with unused bits',
      jwkOf(a, 'k1', { e: 'AQAC', n: 'AB' }),
      'not base64url or base64: it is cut short, or its last character has bits that no byte uses',
    ],
    ['n of zeros', jwkOf(a, 'k1', { n: 'AAAA' }), 'n is zero'],
    ['1024 bits', jwkOf(weak, 'k1'), 'modulus of 1024 bits, expected 2048 or more'],
    [
      '1024 bits in a certificate',
      { kty: 'RSA', kid: 'k1', x5c: [base64Of(certificateOf(weak))] },
      'modulus of 1024 bits, expected 2048 or more',
    ],
    ['2047 bits', jwkOf(a, 'k1', { n: integerOf(2n ** 2046n + 1n) }), 'modulus of 2047 bits, expected 2048 or more'],
    ['PS384 with 2048 bits', jwkOf(a, 'k1', { alg: 'PS384' }), 'modulus of 2048 bits, expected 3072 or more'],
    ['8193 bits', jwkOf(a, 'k1', { n: integerOf(2n ** 8192n + 1n) }), 'modulus of 8193 bits, expected 8192 at most'],
    ['an even modulus', jwkOf(a, 'k1', { n: integerOf(modulus + 1n) }), 'modulus is even'],
    ['e 1', jwkOf(a, 'k1', { e: 'AQ' }), 'exponent is too small or too large'],
    ['e 3', jwkOf(a, 'k1', { e: 'Aw' }), 'exponent is too small or too large'],
    ['e 65538', jwkOf(a, 'k1', { e: integerOf(65_538n) }), 'exponent is even'],
    ['e over 2^32', jwkOf(a, 'k1', { e: integerOf(2n ** 32n + 1n) }), 'exponent is too small or too large'],
    ['e of 6 bytes', jwkOf(a, 'k1', { e: '010000000001' }), 'exponent is too small or too large'],
    [
      'a certificate of another key',
      jwkOf(b, 'k1', { x5c: [CERTIFICATE] }),
      'certificate holds another key than n and e',
    ],
    [
      'a certificate of another exponent',
      jwkOf(a, 'k1', { e: integerOf(65_539n), x5c: [CERTIFICATE] }),
      'certificate holds another key than n and e',
    ],
    [
      'a certificate of an EC key',
      { kty: 'RSA', kid: 'k1', x5c: [base64Of(derOf('leaf'))] },
      'certificate holds no RSA key',
    ],
    ['x5c that is a text', jwkOf(a, 'k1', { x5c: CERTIFICATE }), 'x5c is not a list of certificates'],
    ['an empty x5c', jwkOf(a, 'k1', { x5c: [] }), 'x5c is not a list of certificates'],
    ['x5c of numbers', jwkOf(a, 'k1', { x5c: [1] }), 'x5c is not a list of certificates'],
    ['11 certificates', jwkOf(a, 'k1', { x5c: Array(11).fill(CERTIFICATE) }), 'x5c has more than 10 certificates'],
    [
      'x5c in base64url',
      jwkOf(a, 'k1', { x5c: [Buffer.from(certificateOf(a)).toString('base64url')] }),
      'not base64 with padding',
    ],
    ['x5c with a line end', jwkOf(a, 'k1', { x5c: [`${CERTIFICATE}\n`] }), 'not base64 with padding'],
    ['x5c that is no certificate', jwkOf(a, 'k1', { x5c: ['MAAA'] }), 'bytes after the end of the value'],
    [
      'a further certificate that is none',
      jwkOf(a, 'k1', { x5c: [CERTIFICATE, 'MAAA'] }),
      'bytes after the end of the value',
    ],
  ];

  it.each(cases)('TOK-12 leaves out a key with %s, and keeps the others', (_what, jwk, why) => {
    const { keys, leftOut } = parseKeySet(Buffer.from(JSON.stringify({ keys: [jwk, GOOD] })));
    expect([...keys.keys()]).toEqual(['good']);
    expect(leftOut).toEqual([{ index: 0, why }]);
  });

  it.each(cases)('TOK-12 refuses a set of nothing but a key with %s', (_what, jwk) => {
    const bytes = Buffer.from(JSON.stringify({ keys: [jwk] }));
    expect(formatErrorOf(() => parseKeySet(bytes))).toEqual({ code: 'schema', pointer: null });
  });

  it('takes e of 2^32 - 1 and 10 certificates', () => {
    const e = integerOf(2n ** 32n - 1n);
    const spki = rsaSpki(Buffer.concat([Buffer.alloc(1), Buffer.from(numbersOf(a).n, 'base64url')]), 2n ** 32n - 1n);
    const x5c = Array(10).fill(base64Of(certificateOf(a, { spki })));
    expect(parse(jwkOf(a, 'k1', { e, x5c })).leftOut).toEqual([]);
  });
});

describe('parseKeySet: sets that are refused', () => {
  const good = JSON.stringify(GOOD);
  it.each([
    ['nothing', '', 'schema'],
    ['no JSON', 'keys', 'schema'],
    ['null', 'null', 'schema'],
    ['a list', `[${good}]`, 'schema'],
    ['no keys', '{}', 'schema'],
    ['keys that are an object', `{"keys":{"good":${good}}}`, 'schema'],
    ['an empty list', '{"keys":[]}', 'schema'],
    ['keys twice', `{"keys":[],"keys":[${good}]}`, 'duplicate_key'],
    ['a member of a key twice', `{"keys":[{"kid":"x",${good.slice(1)}]}`, 'duplicate_key'],
    ['a member __proto__', `{"keys":[{"__proto__":{},${good.slice(1)}]}`, 'forbidden_key'],
    ['a byte order mark', `\ufeff{"keys":[${good}]}`, 'encoding'],
    ['something behind the end', `{"keys":[${good}]} x`, 'schema'],
  ])('refuses %s', (_what, text, code) => {
    expect(formatErrorOf(() => parseKeySet(Buffer.from(text))).code).toBe(code);
  });

  it('TOK-12 refuses 65 keys, and takes 64', () => {
    const keys = (count: number) => Array.from({ length: count }, (_, index) => jwkOf(a, `k${index}`));
    expect(parse(...keys(64)).keys.size).toBe(64);
    expect(formatErrorOf(() => parse(...keys(65))).code).toBe('schema');
  });
});

describe.skipIf(!haveVectors)('parseKeySet: sets of real issuers', () => {
  const read = (file: string) => parseKeySet(readVector(file));

  it('reads what an Azure Attestation provider published, but for its key of 1024 bits', () => {
    const { facts } = vector('maa-jwks-shape-2020').expect;
    const strong = facts.keys.filter(({ bits }: { readonly bits: number }) => bits >= 2048);
    const { keys, leftOut } = read('maa-jwt/maa-jwks-shape-2020.jwks.json');
    expect([...keys].map(([kid, [key]]) => ({ kid, count: key?.certificates.length }))).toEqual(
      strong.map(({ kid, x5cCount: count }: { readonly kid: string; readonly x5cCount: number }) => ({ kid, count })),
    );
    expect(leftOut).toEqual([{ index: 0, why: 'modulus of 1024 bits, expected 2048 or more' }]);
  });

  it('reads keys of Azure Attestation with n and e', () => {
    const { keys } = read('maa-jwt/maa-azurevm-snp-weu-2022.jwks.json');
    expect([...keys.values()].flat()).toMatchObject([{ alg: 'RS256', certificates: [] }]);
  });

  it('reads keys of Trust Authority', () => {
    const { keys } = read('ita-jwt/ita-sgx-dev-2023.jwks.json');
    expect([...keys.values()].flat()).toMatchObject([{ alg: 'PS384', certificates: { length: 3 } }]);
  });

  it.each(['ita-neg-jwks-leaf', 'ita-neg-jwks-root'])('refuses %s, whose certificate is none', (id) => {
    const [file = ''] = vector(id).files;
    expect(formatErrorOf(() => read(file)).code).toBe('schema');
  });
});

describe('parseKeySet, of EC keys too', () => {
  const parseBoth = (...keys: readonly JsonObject[]) => parseKeySet(keySetOf(...keys), { ec: true });
  const whyNot = (jwk: JsonObject) => parseBoth(GOOD, jwk).leftOut.map(({ why }) => why);
  const EC = ecJwkOf(KEYS.leaf, 'k1');

  it('reads a key by its point, beside RSA keys', () => {
    const set = parseBoth(ecJwkOf(KEYS.leaf, 'k1', { alg: 'ES256', use: 'sig', x5c: ['unread'] }), GOOD);
    const key = only(set, 'k1');
    expect(key).toMatchObject({ kid: 'k1', alg: 'ES256', certificates: [] });
    expect(hexOf(key.spki)).toBe(hexOf(KEYS.leaf.spki));
    expect('point' in key.key && hexOf(key.key.point)).toBe(hexOf(KEYS.leaf.spki.subarray(-64)));
    expect(hexOf(only(set, 'good').spki)).toBe(hexOf(b.spki));
  });

  it('leaves EC keys out where they are not asked for', () => {
    expect(parse(GOOD, EC).leftOut).toEqual([{ index: 1, why: 'key is not an RSA key' }]);
  });

  const longer = (text: JsonValue | undefined) =>
    Buffer.concat([Buffer.alloc(1), Buffer.from(String(text), 'base64url')]).toString('base64url');

  it.each<[string, JsonObject, string]>([
    ['another curve', { ...EC, crv: 'P-384' }, 'curve is not P-256'],
    ['no curve', ecJwkOf(KEYS.leaf, 'k1', { crv: null }), 'curve is not P-256'],
    ['an x that is longer', { ...EC, x: longer(EC['x']) }, 'x is not 32 bytes in base64url'],
    ['a y with padding', { ...EC, y: `${String(EC['y'])}=` }, 'y is not 32 bytes in base64url'],
    ['no y', { ...EC, y: null }, 'y is not 32 bytes in base64url'],
    ['a point beside the curve', { ...EC, y: String(EC['x']) }, 'key is not a point on its curve'],
    ['a private key', { ...EC, d: 'AA' }, 'key has members of a private or symmetric key'],
    ['another use', { ...EC, use: 'enc' }, 'key is not for signatures'],
    ['another kind', { ...EC, kty: 'OKP' }, 'key is not an RSA or EC key'],
  ])('leaves out %s', (_title, jwk, why) => {
    expect(whyNot(jwk)).toEqual([why]);
  });
});

describe('parseKeySet, of keys for a tenant of Entra', () => {
  const TENANT = '5f1c0c2a-7c65-4a0e-8f2b-5d3b7a1e9c04';
  const HOST = 'https://login.microsoftonline.com';
  const tenant = { issuer: `${HOST}/${TENANT}/v2.0`, tenantId: TENANT };
  const leftOut = (issuer: JsonValue) =>
    parseKeySet(keySetOf(GOOD, jwkOf(a, 'k1', { issuer })), { ec: true, tenant }).leftOut.map(({ why }) => why);

  it.each([tenant.issuer, `${HOST}/{tenantid}/v2.0`])(
    'takes a key whose issuer is %s, and one that has none',
    (issuer) => {
      expect(leftOut(issuer)).toEqual([]);
    },
  );

  it.each<[string, JsonValue]>([
    ['another tenant', `${HOST}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0`],
    ['all tenants of another cloud', 'https://login.microsoftonline.us/{tenantid}/v2.0'],
    ['no text', null],
    ['several', [tenant.issuer]],
  ])('leaves out a key whose issuer is %s', (_title, issuer) => {
    expect(leftOut(issuer)).toEqual(['key is for tokens of another issuer']);
  });

  it('twin: takes any key of issuers that have no tenants', () => {
    const jwk = jwkOf(a, 'k1', { issuer: 'https://other.example' });
    expect(parseKeySet(keySetOf(jwk), { ec: true }).leftOut).toEqual([]);
  });
});

describe('parseKeySet, where nothing rests on certificates', () => {
  const leftOut = (members: JsonObject, judgesCertificates = false) =>
    parseKeySet(keySetOf(GOOD, jwkOf(a, 'k1', members)), { ec: true, judgesCertificates }).leftOut.map(
      ({ why }) => why,
    );

  it.each<[string, JsonValue]>([
    ['an empty list', []],
    ['null', null],
    ['a text', CERTIFICATE],
    ['no base64', ['*']],
    ['no certificate', ['AAAA']],
    ['a certificate in lines', [CERTIFICATE.replace(/(.{64})/g, '$1\n')]],
    ['another member that cannot be read', [CERTIFICATE, 'AAAA']],
    ['too many certificates', Array.from({ length: 11 }, () => CERTIFICATE)],
  ])('takes a key by n and e whose x5c is %s', (_title, x5c) => {
    expect(leftOut({ x5c })).toEqual([]);
    expect(leftOut({ x5c }, true)).toHaveLength(1);
  });

  it('TOK-12 leaves out a key whose certificate is of another key', () => {
    for (const others of [[], ['AAAA']]) {
      const x5c = [base64Of(certificateOf(b)), ...others];
      expect(leftOut({ x5c })).toEqual(['certificate holds another key than n and e']);
    }
  });

  it('leaves out a key that has neither n and e nor a certificate that can be read', () => {
    const bare = { kty: 'RSA', kid: 'k1', x5c: ['AAAA'] };
    const { leftOut: out } = parseKeySet(keySetOf(GOOD, bare), { ec: true, judgesCertificates: false });
    expect(out).toEqual([{ index: 1, why: 'key has neither n and e nor a certificate' }]);
    const certified = { ...bare, x5c: [CERTIFICATE] };
    expect(parseKeySet(keySetOf(certified), { ec: true, judgesCertificates: false }).leftOut).toEqual([]);
  });
});
