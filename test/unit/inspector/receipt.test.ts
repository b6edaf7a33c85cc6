import { describe, expect, it } from 'vitest';
import { verifyReceipt } from '../../../src/inspector/receipt.js';
import type { ExpectedClaim, ReceiptAnswer, ReceiptExpectation } from '../../../src/inspector/receipt-claims.js';
import { fixedKeySet } from '../../../src/relying-party/key-source.js';
import {
  AUDIENCE,
  BOUND_JKT,
  CLAIMS,
  HEADER,
  ISSUER,
  KEY_SET,
  listed,
  NONCE,
  NOW,
  OTHER_KEY,
  OTHER_NONCE,
  receiptWith,
  SHA256,
} from '../relying-party/sample-receipt.js';

const POLICY = { id: 'payments', version: 3, sha256: SHA256, outcome: 'allow', matched: [], unmatched: [] } as const;
const ANSWER: ReceiptAnswer = {
  decision: 'allow',
  decisionId: CLAIMS.jti,
  validUntil: new Date(CLAIMS.exp * 1000 + 700).toISOString(),
  evidence: { type: 'az-snp-vtpm', sha256: SHA256 },
  policies: [POLICY],
  reasons: [],
  binding: { jkt: BOUND_JKT },
};
const filledIn = (value: string): ExpectedClaim => ({ value, by: 'caller' });
const ofBody = (value: string): ExpectedClaim => ({ value, by: 'body' });
const EXPECTED: ReceiptExpectation = {
  issuer: filledIn(ISSUER),
  audience: filledIn(AUDIENCE),
  nonce: filledIn(NONCE),
  policy: filledIn('payments'),
  answer: ANSWER,
};
const NOTHING: ReceiptExpectation = { issuer: null, audience: null, nonce: null, policy: null, answer: null };
const WORLD = { now: NOW, hasWebCrypto: true };

const verify = (receipt: string, expected = EXPECTED, keySet: object = KEY_SET) =>
  verifyReceipt(receipt, expected, fixedKeySet(keySet), WORLD);
const altered = (receipt: string, index: number) => {
  const parts = receipt.split('.');
  const bytes = Buffer.from(parts[index] ?? '', 'base64url');
  // In the middle of a text of the payload: the JSON stays one.
  const at = index === 1 ? bytes.indexOf('gate') : 5;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return parts.with(index, bytes.toString('base64url')).join('.');
};

/** A refusal that is signed, and the answer that it came with. */
const DENY = {
  aud: 'urn:veritee:not-allowed',
  requested_aud: AUDIENCE,
  decision: 'deny',
  reasons: ['snp_debug'],
};
const DENY_EXPECTED: ReceiptExpectation = {
  ...EXPECTED,
  answer: { ...ANSWER, decision: 'deny', reasons: ['snp_debug'] },
};

/** Receipts whose claims say what they should, and whose signature does not hold. */
const FORGED: readonly (readonly [string, (claims: object) => string, string])[] = [
  ['signature has another byte', (claims) => altered(receiptWith(claims), 2), 'receipt_signature'],
  ['payload has another byte', (claims) => altered(receiptWith(claims), 1), 'receipt_signature'],
  ['signature is by another key', (claims) => receiptWith(claims, undefined, OTHER_KEY), 'receipt_signature'],
  ['key is in no key set', (claims) => receiptWith(claims, { ...HEADER, kid: 'two' }), 'receipt_key'],
];

describe('the receipt of an answer', () => {
  it('is verified where it holds and says what the answer says', async () => {
    const verdict = await verify(receiptWith());
    expect(verdict).toMatchObject({ state: 'verified', thumbprint: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) });
    expect(verdict.state === 'verified' && verdict.compared.map(({ what }) => what)).toEqual([
      'issuer',
      'audience',
      'decision',
      'decision id',
      'reasons',
      'policy digest',
      'evidence digest',
      'nonce',
      'policy',
      'expiry',
      'bound key',
    ]);
    expect(verdict.state === 'verified' && verdict.compared.every((each) => each.claimed === each.expected)).toBe(true);
  });

  it('is verified with the nonce in the other alphabet', async () => {
    const nonce = Buffer.from(NONCE, 'base64url').toString('base64');
    expect((await verify(receiptWith(), { ...EXPECTED, nonce: filledIn(nonce) })).state).toBe('verified');
  });

  it.each([
    ['audience', ofBody(AUDIENCE), ofBody('https://other.example')],
    ['nonce', ofBody(NONCE), ofBody(OTHER_NONCE)],
    ['policy', ofBody('payments'), ofBody('other')],
  ])(
    'is not verified where nobody but the body says the %s, and has failed where that is another',
    async (name, same, other) => {
      expect((await verify(receiptWith(), { ...EXPECTED, [name]: same })).state).toBe('incomplete');
      expect((await verify(receiptWith(), { ...EXPECTED, [name]: null })).state).toBe(
        name === 'nonce' ? 'failed' : 'incomplete',
      );
      expect((await verify(receiptWith(), { ...EXPECTED, [name]: other })).state).toBe('failed');
    },
  );

  it('has failed where it is under another policy than the one that was filled in', async () => {
    expect(await verify(receiptWith(), { ...EXPECTED, policy: filledIn('other') })).toMatchObject({
      state: 'failed',
      message: 'The receipt is about something else: policy.',
    });
  });

  it('says who said what each claim has to be', async () => {
    const verdict = await verify(receiptWith(), { ...EXPECTED, nonce: ofBody(NONCE) });
    const by = verdict.state === 'open' ? [] : verdict.compared.map((each) => [each.what, each.by]);
    expect(by).toEqual([
      ['issuer', 'caller'],
      ['audience', 'caller'],
      ['decision', 'answer'],
      ['decision id', 'answer'],
      ['reasons', 'answer'],
      ['policy digest', 'answer'],
      ['evidence digest', 'answer'],
      ['nonce', 'body'],
      ['policy', 'caller'],
      ['expiry', 'answer'],
      ['bound key', 'answer'],
    ]);
  });

  it.each([
    ['a byte of the payload is altered', () => altered(receiptWith(), 1), 'receipt_signature'],
    ['a byte of the signature is altered', () => altered(receiptWith(), 2), 'receipt_signature'],
    ['another key signed', () => receiptWith({}, undefined, OTHER_KEY), 'receipt_signature'],
    ['it has ended', () => receiptWith({ exp: CLAIMS.iat + 60 }), 'receipt_time'],
    ['the issuer is another', () => receiptWith({ iss: 'https://other.example' }), 'receipt_issuer'],
    ['the audience is another', () => receiptWith({ aud: 'https://other.example' }), 'receipt_audience'],
    ['it is no allow', () => receiptWith({ aud: 'urn:veritee:not-allowed', decision: 'deny' }), 'receipt_audience'],
    ['the nonce is another', () => receiptWith({ eat_nonce: OTHER_NONCE }), 'receipt_nonce'],
    ['the policy is another', () => receiptWith({ sub: 'default:other' }), 'receipt_policy'],
    [
      'the digest of the policy is another',
      () => receiptWith({ policies: [{ id: 'payments', sha256: 'cd'.repeat(32) }] }),
      'receipt_policy',
    ],
    [
      'the type of evidence is another',
      () => receiptWith({ evidence: { type: 'snp', sha256: SHA256 } }),
      'receipt_evidence_type',
    ],
    ['it names no bound key', () => receiptWith({ cnf: undefined }), 'receipt_binding'],
    ['it is no receipt', () => 'a.b.c', 'receipt_form'],
  ])('has failed with the code of the client where %s', async (_why, receipt, code) => {
    expect(await verify(receipt())).toMatchObject({ state: 'failed', code });
  });

  it('has failed where the key set has another key, or none of that name', async () => {
    const other = await verify(receiptWith(), EXPECTED, { keys: [listed(OTHER_KEY)] });
    const none = await verify(receiptWith(), EXPECTED, { keys: [listed(OTHER_KEY, { kid: 'two' })] });
    expect(other).toMatchObject({ state: 'failed', code: 'receipt_signature', compared: [] });
    expect(none).toMatchObject({ state: 'failed', code: 'receipt_key', compared: [] });
  });

  it.each([
    ['decision id', { jti: '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c12' }],
    ['evidence digest', { evidence: { type: 'az-snp-vtpm', sha256: 'cd'.repeat(32) } }],
    ['reasons', { reasons: ['snp_signature'] }],
    ['expiry', { exp: CLAIMS.exp - 1 }],
  ])('has failed where it holds, and is about another decision: %s', async (what, claims) => {
    const verdict = await verify(receiptWith(claims));
    expect(verdict).toMatchObject({
      state: 'failed',
      code: null,
      message: `The receipt is about something else: ${what}.`,
    });
  });

  it('has failed where it binds a key that the answer does not', async () => {
    const verdict = await verify(receiptWith(), { ...EXPECTED, answer: { ...ANSWER, binding: null } });
    expect(verdict).toMatchObject({ state: 'failed', message: 'The receipt is about something else: bound key.' });
  });

  it('is a refusal where answer and receipt are no allow, and is never verified', async () => {
    expect((await verify(receiptWith(DENY), DENY_EXPECTED)).state).toBe('refusal');
    // The answer says deny, and the receipt would open a gate.
    const opening = await verify(receiptWith(), DENY_EXPECTED);
    expect(opening).toMatchObject({
      state: 'failed',
      message: 'The receipt is about something else: decision, reasons.',
    });
  });

  it.each(FORGED)('REC-01 has failed where the refusal is one whose %s', async (_what, receiptOf, code) => {
    expect(await verify(receiptOf(DENY), DENY_EXPECTED)).toMatchObject({ state: 'failed', code, compared: [] });
  });

  it('has failed where the refusal is under a policy with another digest', async () => {
    const policies = [{ id: 'payments', version: 3, sha256: 'cd'.repeat(32) }];
    expect(await verify(receiptWith({ ...DENY, policies }), DENY_EXPECTED)).toMatchObject({
      state: 'failed',
      code: null,
      message: 'The receipt is about something else: policy digest.',
    });
  });

  it('has failed where the refusal has a nonce, and none was asked for', async () => {
    const expected = { ...DENY_EXPECTED, nonce: null };
    expect(await verify(receiptWith(DENY), expected)).toMatchObject({
      state: 'failed',
      code: null,
      message: 'The receipt is about something else: nonce.',
    });
    expect((await verify(receiptWith({ ...DENY, eat_nonce: undefined }), expected)).state).toBe('refusal');
  });

  it('has failed where the allow has a nonce, and none was asked for', async () => {
    const expected = { ...EXPECTED, nonce: null };
    expect(await verify(receiptWith(), expected)).toMatchObject({
      state: 'failed',
      code: null,
      message: 'The receipt is about something else: nonce.',
    });
    expect((await verify(receiptWith({ eat_nonce: undefined }), expected)).state).toBe('verified');
  });

  it('compares the digests of two policies in whatever order they come', async () => {
    const [first, second] = ['payments', 'backups'].map((id) => ({ ...POLICY, id }));
    const answer = { ...DENY_EXPECTED.answer, policies: [first, second] } as ReceiptAnswer;
    const refusal = (policies: readonly unknown[]) =>
      verify(receiptWith({ ...DENY, policies }), { ...DENY_EXPECTED, policy: null, answer });
    const digests = (verdict: Awaited<ReturnType<typeof refusal>>) =>
      verdict.state === 'open' ? [] : verdict.compared.find(({ what }) => what === 'policy digest');
    for (const policies of [
      [first, second],
      [second, first],
    ]) {
      const verdict = await refusal(policies);
      expect(verdict.state).toBe('refusal');
      const both = `backups ${SHA256}, payments ${SHA256}`;
      expect(digests(verdict)).toMatchObject({ claimed: both, expected: both });
    }
    expect(await refusal([first])).toMatchObject({
      state: 'failed',
      message: 'The receipt is about something else: policy digest.',
    });
  });

  it('is not verified without the issuer, without keys, and without WebCrypto', async () => {
    expect((await verify(receiptWith(), { ...EXPECTED, issuer: null })).state).toBe('incomplete');
    const noKeys = await verifyReceipt(receiptWith(), EXPECTED, null, WORLD);
    expect(noKeys).toMatchObject({ state: 'open', why: expect.stringContaining('key set') });
    const insecure = await verifyReceipt(receiptWith(), EXPECTED, fixedKeySet(KEY_SET), {
      ...WORLD,
      hasWebCrypto: false,
    });
    expect(insecure).toMatchObject({ state: 'open', why: expect.stringContaining('WebCrypto') });
  });

  it('is neither good nor bad where the page has an error', async () => {
    const { policies: _, ...broken } = ANSWER;
    const verdict = await verify(receiptWith(), { ...EXPECTED, answer: broken as ReceiptAnswer });
    expect(verdict).toMatchObject({ state: 'open', why: expect.stringMatching(/^this page has an error: TypeError/) });
  });

  it('has failed where the key set cannot be had', async () => {
    const away = { find: () => Promise.reject(new Error('away')) };
    expect(await verifyReceipt(receiptWith(), EXPECTED, away, WORLD)).toMatchObject({
      state: 'failed',
      code: 'receipt_keys_unavailable',
    });
  });
});

describe('a receipt by itself', () => {
  it('is never verified: whose policy it is, and about which evidence, nobody said', async () => {
    const expected = { ...NOTHING, issuer: filledIn(ISSUER), audience: filledIn(AUDIENCE) };
    const verdict = await verify(receiptWith(), { ...expected, nonce: filledIn(NONCE) });
    expect(verdict.state).toBe('incomplete');
    expect(await verify(receiptWith(), { ...expected, audience: filledIn('https://other.example') })).toMatchObject({
      state: 'failed',
      code: 'receipt_audience',
    });
  });

  it('is incomplete without an expected audience, and says which claims were compared with nothing', async () => {
    const verdict = await verify(receiptWith(), { ...NOTHING, issuer: filledIn(ISSUER) });
    expect(verdict.state).toBe('incomplete');
    const compared = verdict.state === 'incomplete' ? verdict.compared : [];
    expect(compared.filter(({ expected }) => expected !== null).map(({ what }) => what)).toEqual(['issuer']);
  });

  it.each([
    ['has ended', { exp: CLAIMS.iat + 60 }, 'receipt_time'],
    ['lacks its policies', { policies: undefined }, 'receipt_policy'],
    ['is for nobody', { aud: 'urn:veritee:not-allowed' }, 'receipt_audience'],
  ])('has failed where it %s', async (_why, claims, code) => {
    const expected = { ...NOTHING, issuer: filledIn(ISSUER), audience: filledIn(AUDIENCE) };
    expect(await verify(receiptWith(claims), expected)).toMatchObject({ state: 'failed', code });
  });

  it('is a refusal where it says deny', async () => {
    const expected = { ...NOTHING, issuer: filledIn(ISSUER), audience: filledIn(AUDIENCE) };
    expect((await verify(receiptWith(DENY), expected)).state).toBe('refusal');
  });

  it.each(FORGED)('REC-01 has failed where it is a refusal whose %s', async (_what, receiptOf, code) => {
    expect(await verify(receiptOf(DENY), NOTHING)).toMatchObject({ state: 'failed', code, compared: [] });
  });
});
