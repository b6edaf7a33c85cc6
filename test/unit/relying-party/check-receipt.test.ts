import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkReceipt } from '../../../src/relying-party/check-receipt.js';
import {
  type CheckedExpectations,
  type ExpectedPolicy,
  NONCE_NOT_EXPECTED,
} from '../../../src/relying-party/expectations.js';
import { fixedKeySet, type ReceiptKeySource } from '../../../src/relying-party/key-source.js';
import { RECEIPT_STEPS, ReceiptError, type ReceiptErrorCode } from '../../../src/relying-party/receipt-error.js';
import {
  AUDIENCE,
  BOUND,
  BOUND_JKT,
  CLAIMS,
  EXPECTED,
  HEADER,
  ISSUER,
  KEY,
  KEY_SET,
  listed,
  NONCE,
  NOW,
  OTHER_KEY,
  OTHER_NONCE,
  part,
  receiptWith,
  SECONDS,
  SHA256,
  signedText,
} from './sample-receipt.js';

const KEYS = fixedKeySet(KEY_SET);
const check = (receipt: string, expected: Partial<CheckedExpectations> = {}, keys: ReceiptKeySource = KEYS) =>
  checkReceipt(receipt, keys, { ...EXPECTED, ...expected }, NOW);

/** The code by which a receipt is refused; null if it is accepted. */
async function codeOf(verified: Promise<unknown>): Promise<string | null> {
  try {
    await verified;
    return null;
  } catch (error) {
    if (error instanceof ReceiptError) return error.code;
    throw error;
  }
}

const TEXT = JSON.stringify(CLAIMS);
const VALID = receiptWith();
const [H = '', P = '', S = ''] = VALID.split('.');

/** What breaks a step and nothing before it. */
const BROKEN: readonly (readonly [what: string, code: ReceiptErrorCode, receipt: string])[] = [
  ['an empty text', 'receipt_form', ''],
  ['two parts', 'receipt_form', `${H}.${P}`],
  ['four parts', 'receipt_form', `${VALID}.`],
  ['a blank before it', 'receipt_form', ` ${VALID}`],
  ['a line end after it', 'receipt_form', `${VALID}\n`],
  ['padding', 'receipt_form', `${H}.${P}.${S}==`],
  ['the other alphabet', 'receipt_form', `${H}.${P}.${'+/'.repeat(43)}`],
  ['a letter that is no ASCII', 'receipt_form', `${H}.${P}.${S.slice(0, -1)}\u0141`],
  ['over 64 KiB', 'receipt_form', `${H}.${P}.${'A'.repeat(65_536)}`],
  ['a header that is no JSON', 'receipt_form', signedText('{', CLAIMS)],
  ['an empty header', 'receipt_form', `.${P}.${S}`],
  ['a payload that is a list', 'receipt_form', signedText(HEADER, [CLAIMS])],
  ['a payload that is null', 'receipt_form', signedText(HEADER, 'null')],
  ['text after the payload', 'receipt_form', signedText(HEADER, `${TEXT}{}`)],
  ['a byte order mark', 'receipt_form', signedText(HEADER, `\ufeff${TEXT}`)],
  [
    'bytes that are no UTF-8',
    'receipt_form',
    `${H}.${Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url')}.${S}`,
  ],
  ['a member twice', 'receipt_form', signedText(HEADER, TEXT.replace('{', '{"decision":"deny",'))],
  ['a member twice, once with an escape', 'receipt_form', signedText(HEADER, TEXT.replace('{', '{"\\u0061ud":"x",'))],
  [
    'a member twice in a list',
    'receipt_form',
    signedText(HEADER, TEXT.replace('"reasons":[]', '"reasons":[{"a":1,"a":1}]')),
  ],
  [
    'a member twice in the header',
    'receipt_form',
    signedText(JSON.stringify(HEADER).replace('{', '{"alg":"none",'), CLAIMS),
  ],
  ['nesting without end', 'receipt_form', signedText(HEADER, '['.repeat(40_000))],

  ['another typ', 'receipt_header', receiptWith({}, { ...HEADER, typ: 'JWT' })],
  ['no typ', 'receipt_header', receiptWith({}, { alg: 'ES256', kid: 'one' })],
  ['crit', 'receipt_header', receiptWith({}, { ...HEADER, crit: ['exp'] })],
  ['crit that is null', 'receipt_header', receiptWith({}, { ...HEADER, crit: null })],

  ['the algorithm none', 'receipt_key', `${part({ ...HEADER, alg: 'none' })}.${P}.`],
  ['HS256', 'receipt_key', receiptWith({}, { ...HEADER, alg: 'HS256' })],
  ['another algorithm than the key', 'receipt_key', receiptWith({}, { ...HEADER, alg: 'RS256' })],
  ['no algorithm', 'receipt_key', receiptWith({}, { kid: 'one', typ: 'eat+jwt' })],
  ['a kid that the issuer does not have', 'receipt_key', receiptWith({}, { ...HEADER, kid: 'two' })],
  ['no kid', 'receipt_key', receiptWith({}, { alg: 'ES256', typ: 'eat+jwt' })],
  ['a kid that is a number', 'receipt_key', receiptWith({}, { ...HEADER, kid: 1 })],

  ['no signature', 'receipt_signature', `${H}.${P}.`],
  ['another key', 'receipt_signature', receiptWith({}, HEADER, OTHER_KEY)],
  ['a key in the header', 'receipt_signature', receiptWith({}, { ...HEADER, jwk: listed(OTHER_KEY) }, OTHER_KEY)],
  ['the payload of another receipt', 'receipt_signature', `${H}.${part({ ...CLAIMS, aud: 'x' })}.${S}`],

  ['another issuer', 'receipt_issuer', receiptWith({ iss: 'https://other.example' })],
  ['the issuer with a slash', 'receipt_issuer', receiptWith({ iss: `${ISSUER}/` })],
  ['no issuer', 'receipt_issuer', receiptWith({ iss: undefined })],

  ['another audience', 'receipt_audience', receiptWith({ aud: 'https://other.example' })],
  ['a list with the audience alone', 'receipt_audience', receiptWith({ aud: [AUDIENCE] })],
  ['DEC-11 a deny', 'receipt_audience', receiptWith({ aud: 'urn:veritee:not-allowed', decision: 'deny' })],
  ['no audience', 'receipt_audience', receiptWith({ aud: undefined })],

  ['another nonce', 'receipt_nonce', receiptWith({ eat_nonce: OTHER_NONCE })],
  ['no nonce', 'receipt_nonce', receiptWith({ eat_nonce: undefined })],
  ['a list of nonces', 'receipt_nonce', receiptWith({ eat_nonce: [NONCE] })],

  ['an end now', 'receipt_time', receiptWith({ exp: SECONDS })],
  ['a beginning in 61 seconds', 'receipt_time', receiptWith({ nbf: SECONDS + 61 })],
  ['301 seconds', 'receipt_time', receiptWith({ exp: SECONDS + 241 })],
  ['no exp', 'receipt_time', receiptWith({ exp: undefined })],
  ['no nbf', 'receipt_time', receiptWith({ nbf: undefined })],
  ['no iat', 'receipt_time', receiptWith({ iat: undefined })],
  ['exp as text', 'receipt_time', receiptWith({ exp: String(SECONDS + 1) })],
  ['a fraction', 'receipt_time', receiptWith({ exp: SECONDS + 0.5 })],
  ['times that no date holds', 'receipt_time', receiptWith({ iat: 9e12, exp: 9e12 })],

  ['another profile', 'receipt_profile', receiptWith({ eat_profile: 'tag:example,2020:other' })],
  ['no profile', 'receipt_profile', receiptWith({ eat_profile: undefined })],

  ['another tenant', 'receipt_policy', receiptWith({ sub: 'other:payments' })],
  ['no subject', 'receipt_policy', receiptWith({ sub: undefined })],
  ['another policy', 'receipt_policy', receiptWith({ policies: [{ id: 'lenient', sha256: SHA256 }] })],
  ['another text', 'receipt_policy', receiptWith({ policies: [{ id: 'payments', sha256: 'cd'.repeat(32) }] })],
  ['no digest', 'receipt_policy', receiptWith({ policies: [{ id: 'payments' }] })],
  [
    'a policy beside it',
    'receipt_policy',
    receiptWith({ policies: [...CLAIMS.policies, { id: 'b', sha256: SHA256 }] }),
  ],
  ['the policy twice', 'receipt_policy', receiptWith({ policies: [...CLAIMS.policies, ...CLAIMS.policies] })],
  ['no policies', 'receipt_policy', receiptWith({ policies: undefined })],
  ['policies that are an object', 'receipt_policy', receiptWith({ policies: { 0: CLAIMS.policies[0], length: 1 } })],

  ['another type of evidence', 'receipt_evidence_type', receiptWith({ evidence: { type: 'tpm' } })],
  ['a piece of the type', 'receipt_evidence_type', receiptWith({ evidence: { type: 'az-snp' } })],
  ['no evidence', 'receipt_evidence_type', receiptWith({ evidence: undefined })],

  ['DEC-08 Allow in capitals', 'receipt_decision', receiptWith({ decision: 'Allow' })],
  ['a deny for the audience of an allow', 'receipt_decision', receiptWith({ decision: 'deny' })],
  ['true', 'receipt_decision', receiptWith({ decision: true })],
  ['no decision', 'receipt_decision', receiptWith({ decision: undefined })],
  ['no parts', 'receipt_decision', receiptWith({ submods: undefined })],
  ['parts that are null', 'receipt_decision', receiptWith({ submods: null })],
  ['parts in a list', 'receipt_decision', receiptWith({ submods: [] })],
  ['parts that are a text', 'receipt_decision', receiptWith({ submods: '' })],
  ['a status that nobody knows', 'receipt_decision', receiptWith({ submods: { hardware: { 'ear.status': 'fine' } } })],
  ['a part without a status', 'receipt_decision', receiptWith({ submods: { hardware: {} } })],
];

describe('checkReceipt', () => {
  it.each(BROKEN)('DEC-07 %s is refused with %s', async (_what, code, receipt) => {
    await expect(check(receipt)).rejects.toMatchObject({ name: 'ReceiptError', code, step: RECEIPT_STEPS[code] });
  });

  it('has a receipt that breaks each step but the last', () => {
    const steps = new Set(BROKEN.map(([, code]) => RECEIPT_STEPS[code]));
    expect([...steps]).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  });

  it('returns what it verified, and nobody can change it', async () => {
    const verified = await check(VALID);
    expect({ ...verified, claims: null }).toEqual({
      decision: 'allow',
      decisionId: CLAIMS.jti,
      issuer: ISSUER,
      audience: AUDIENCE,
      subject: 'default:payments',
      nonce: NONCE,
      issuedAt: '2026-01-15T12:00:00.000Z',
      expiresAt: '2026-01-15T12:05:00.000Z',
      evidence: { type: 'az-snp-vtpm', sha256: SHA256 },
      policies: [{ id: 'payments', sha256: SHA256 }],
      status: { hardware: 'affirming', vtpm: 'warning' },
      boundKey: { jwk: BOUND, jkt: BOUND_JKT },
      claims: null,
    });
    expect(JSON.stringify(verified.claims)).toBe(TEXT);
    const objects = [
      verified,
      verified.evidence,
      verified.policies,
      verified.policies[0],
      verified.status,
      verified.boundKey,
      verified.claims,
      verified.claims['submods'],
    ];
    expect(objects.map((each) => Object.isFrozen(each))).toEqual(objects.map(() => true));
  });

  const ED25519 = generateKeyPairSync('ed25519').privateKey;

  it.each([
    ['ES256', KEY],
    ['EdDSA', ED25519],
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ] as const)('accepts a signature of %s', async (alg, key) => {
    const keys = fixedKeySet({ keys: [listed(key, { alg })] });
    expect(await codeOf(check(receiptWith({}, { ...HEADER, alg }, key), {}, keys))).toBeNull();
  });

  it.each([
    ['two keys of one kid and algorithm', [listed(KEY), listed(OTHER_KEY)]],
    ['another key of the kid that says no algorithm', [listed(KEY), listed(OTHER_KEY, { alg: undefined })]],
    ['a key for another algorithm', [listed(KEY, { alg: 'RS256' })]],
    ['a key of another curve', [listed(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)]],
    ['a key of another kind', [listed(ED25519)]],
    ['half a key', [listed(KEY, { y: undefined })]],
  ])('does not take a key set with %s', async (_what, keys) => {
    expect(await codeOf(check(VALID, {}, fixedKeySet({ keys })))).toBe('receipt_key');
  });

  it.each([
    ['one key twice', [listed(KEY), listed(KEY)]],
    ['a key without an algorithm', [listed(KEY, { alg: undefined })]],
    ['one key with and without an algorithm', [listed(KEY, { alg: undefined }), listed(KEY)]],
    ['a key of another kind under the kid', [listed(ED25519, { alg: undefined }), listed(KEY)]],
    ['another key under the kid for another algorithm', [listed(ED25519, { alg: 'EdDSA' }), listed(KEY)]],
  ])('TOK-25 takes a key set with %s', async (_what, keys) => {
    expect(await codeOf(check(VALID, {}, fixedKeySet({ keys })))).toBeNull();
  });

  it('does not take an RSA key of 1 024 bits', async () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const keys = fixedKeySet({ keys: [listed(key, { alg: 'RS256' })] });
    const receipt = receiptWith({}, { ...HEADER, alg: 'RS256' }, key);
    expect(await codeOf(check(receipt, {}, keys))).toBe('receipt_signature');
  });

  it('says that there are no keys where their source fails', async () => {
    const broken = { find: () => Promise.reject(new Error('broken')) };
    await expect(check(VALID, {}, broken)).rejects.toMatchObject({ code: 'receipt_keys_unavailable', step: 3 });
  });

  it('asks for no key where the algorithm is none that signs receipts', async () => {
    const none = { find: () => Promise.reject(new Error('asked')) };
    expect(await codeOf(check(receiptWith({}, { ...HEADER, alg: 'HS256' }), {}, none))).toBe('receipt_key');
  });

  it.each([
    ['no nonce', { nonce: NONCE_NOT_EXPECTED }, { eat_nonce: undefined }],
    ['some nonce', { nonce: NONCE_NOT_EXPECTED }, { eat_nonce: OTHER_NONCE }],
    ['any type of evidence', { evidenceTypes: null }, { evidence: { type: 'tdx' } }],
    ['whatever text of the policy', { policies: [{ id: 'payments' }] }, {}],
    ['claims that nobody knows', {}, { 'urn:example:new': [1, { a: null }] }],
    ['a beginning in 60 seconds', {}, { nbf: SECONDS + 60 }],
    ['no decision id', {}, { jti: undefined }],
    ['a member named __proto__', {}, JSON.parse('{"__proto__":{"decision":"deny"}}')],
  ] as const)('accepts %s where that is expected', async (_what, expected, claims) => {
    expect(await codeOf(check(receiptWith(claims), expected))).toBeNull();
  });

  it('accepts policies in whatever order', async () => {
    const policies = [
      { id: 'b', sha256: 'cd'.repeat(32) },
      { id: 'a', sha256: SHA256 },
    ];
    const receipt = receiptWith({ sub: 'default:a b', policies });
    expect(await codeOf(check(receipt, { subject: 'default:a b', policies: policies.toReversed() }))).toBeNull();
  });

  it.each([
    ['no policies', []],
    ['a policy twice', [{ id: 'payments' }, { id: 'payments' }]],
  ])('accepts nothing where %s are expected', async (_what, policies) => {
    const receipt = receiptWith({
      policies: policies.map((_, at) => ({ id: ['payments', 'other'][at], sha256: SHA256 })),
    });
    expect(await codeOf(check(receipt, { policies }))).toBe('receipt_policy');
  });

  it.each<[string, unknown, ExpectedPolicy[], string]>([
    [
      'another text',
      [{ id: 'payments', sha256: 'cd'.repeat(32) }],
      [{ id: 'payments', sha256: SHA256 }],
      `The policies of the receipt are "payments@sha256:${'cd'.repeat(32)}", not exactly "payments@sha256:${SHA256}".`,
    ],
    [
      'another policy',
      [{ id: 'lenient', sha256: SHA256 }, {}],
      [{ id: 'payments' }],
      `The policies of the receipt are "lenient@sha256:${SHA256}, no policy", not exactly "payments".`,
    ],
    ['none', [], [{ id: 'payments' }], 'The policies of the receipt are "", not exactly "payments".'],
    [
      'an id that ends a line, and goes on',
      [{ id: `a\n::error::${'b'.repeat(2_000)}`, sha256: SHA256 }],
      [{ id: 'payments' }],
      `The policies of the receipt are "a\\n::error::${'b'.repeat(1_189)}…", not exactly "payments".`,
    ],
  ])('names the policies of both sides with their digests: %s', async (_what, listed, policies, message) => {
    const error = await check(receiptWith({ policies: listed }), { policies }).catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: 'receipt_policy', message });
  });

  it('accepts nothing where the expected nonce was left out', async () => {
    const expected = { nonce: undefined } as unknown as Partial<CheckedExpectations>;
    expect(await codeOf(check(receiptWith({ eat_nonce: undefined }), expected))).toBe('receipt_nonce');
  });

  it('accepts nothing at an instant that is none', async () => {
    await expect(checkReceipt(VALID, KEYS, EXPECTED, new Date(Number.NaN))).rejects.toMatchObject({
      code: 'receipt_time',
    });
  });

  it('takes nothing from what objects inherit', async () => {
    Object.defineProperty(Object.prototype, 'decision', { value: 'allow', configurable: true });
    try {
      expect(await codeOf(check(receiptWith({ decision: undefined })))).toBe('receipt_decision');
    } finally {
      Reflect.deleteProperty(Object.prototype, 'decision');
    }
  });

  describe('with a bound key', () => {
    it.each(['required', { jkt: BOUND_JKT }] as const)('accepts it where %j is expected', async (binding) => {
      expect(await codeOf(check(VALID, { binding }))).toBeNull();
    });

    it('DEC-07 refuses another one', async () => {
      expect(await codeOf(check(VALID, { binding: { jkt: SHA256 } }))).toBe('receipt_binding');
    });

    it.each([
      undefined,
      null,
      {},
      { jwk: null },
      { jwk: { kty: 'oct', k: 'AAAA' } },
      { jwk: { ...BOUND, x: 1 } },
      { jwk: { ...BOUND, x: '' } },
    ])('refuses %j in cnf, and otherwise does without', async (cnf) => {
      const receipt = receiptWith({ cnf });
      expect(await codeOf(check(receipt, { binding: 'required' }))).toBe('receipt_binding');
      expect(await codeOf(check(receipt, { binding: { jkt: BOUND_JKT } }))).toBe('receipt_binding');
      expect((await check(receipt)).boundKey).toBeNull();
    });
  });

  it('shows names in one line, and not without end', async () => {
    const message = (iss: string) =>
      check(receiptWith({ iss })).then(
        () => '',
        (error: Error) => error.message,
      );
    expect(await message('a\nb')).toBe(`The receipt is of the issuer "a\\nb", not of "${ISSUER}".`);
    expect((await message('x'.repeat(1000))).length).toBeLessThan(250);
  });

  it('LOG-01 shows neither receipt nor nonce', async () => {
    const errors = await Promise.all(
      BROKEN.map(([, , receipt]) => check(receipt).catch((error: Error) => error.message)),
    );
    expect(errors.filter((text) => typeof text !== 'string' || text.includes(NONCE) || text.includes(P))).toEqual([]);
  });
});
