import { describe, expect, it } from 'vitest';
import { readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../../format-error-of.js';
import { base64url, bodyOf, itaRequest, type Json, SNP_REPORT, TD_QUOTE } from '../sample-bodies.js';

const read = (evidence: Json) => readVerifyRequest(bodyOf({ evidence })).evidence;
const errorOf = (evidence: Json) => formatErrorOf(() => read(evidence));
const quote = base64url(TD_QUOTE);
const bodyWith = (version: 1 | 2, members: Json): Json => ({
  type: 'tdx',
  dialect: 'ita',
  value: version === 1 ? members : { tdx: members },
});

describe.each([
  [1, '/evidence/value'],
  [2, '/evidence/value/tdx'],
] as const)('dialect ita, version %i', (version, place) => {
  it('reads quote, runtime data and nonce, and nothing of what is for Intel alone', () => {
    expect(read(itaRequest(version))).toEqual({
      type: 'tdx',
      quote: TD_QUOTE,
      runtimeData: Buffer.from('{"keys":[]}'),
      verifierNonce: Buffer.from('nonceat'),
      collateral: null,
      ccel: null,
    });
  });

  it('reads a quote alone', () => {
    const bare = { quote: TD_QUOTE, runtimeData: null, verifierNonce: new Uint8Array() };
    expect(read(bodyWith(version, { quote }))).toMatchObject(bare);
    const nothing = { runtime_data: null, user_data: null, event_log: null, verifier_nonce: null };
    expect(read(bodyWith(version, { quote, ...nothing }))).toMatchObject(bare);
    expect(read(bodyWith(version, { quote, runtime_data: '' }))).toMatchObject(bare);
  });

  it("takes null for what Intel's client in Python was not told", () => {
    const { value } = bodyWith(version, { quote }) as { value: Json };
    const wishes = { policy_ids: null, policy_must_match: null, token_signing_alg: null };
    expect(read({ type: 'tdx', dialect: 'ita', value: { ...value, ...wishes } })).toMatchObject({ quote: TD_QUOTE });
  });

  it('reads user data of older clients as runtime data where there is no other', () => {
    const sent = { quote, user_data: base64url(Buffer.from('held')) };
    expect(read(bodyWith(version, sent))).toMatchObject({ runtimeData: Buffer.from('held') });
    const both = { ...sent, runtime_data: base64url(Buffer.from('{}')) };
    expect(read(bodyWith(version, both))).toMatchObject({ runtimeData: Buffer.from('{}') });
  });

  it.each<[string, Json, string, string]>([
    ['REQ-04 an unknown member', { quote, sgx: {} }, 'unknown_property', '/sgx'],
    [
      'REQ-04 an unknown member of the nonce',
      { quote, verifier_nonce: { val: '', iat: '', signature: '', a: 1 } },
      'unknown_property',
      '/verifier_nonce/a',
    ],
    ['REQ-05 no quote', { runtime_data: '' }, 'schema', '/quote'],
    ['REQ-05 a number for user data', { quote, user_data: 1 }, 'schema', '/user_data'],
    ['REQ-10 user data alone in no encoding', { quote, user_data: 'A' }, 'encoding', '/user_data'],
    ...(['val', 'iat'] as const).map((name): [string, Json, string, string] => [
      `REQ-10 ${name} of the nonce in no encoding`,
      { quote, verifier_nonce: { val: '', iat: '', signature: '', [name]: 'A' } },
      'encoding',
      `/verifier_nonce/${name}`,
    ]),
    ['REQ-10 a quote in no encoding', { quote: '*' }, 'encoding', '/quote'],
    ['REQ-10 runtime data in no encoding', { quote, runtime_data: 'A' }, 'encoding', '/runtime_data'],
    ['REQ-12 an SNP report', { quote: base64url(SNP_REPORT) }, 'type_mismatch', '/quote'],
  ])('refuses: %s', (_, members, code, pointer) => {
    expect(errorOf(bodyWith(version, members))).toEqual({ code, pointer: `${place}${pointer}` });
  });
});

describe('dialect ita', () => {
  it.each<[string, unknown]>([
    ['no value', undefined],
    ['a list', []],
    ['a token', 'eyJ'],
  ])('refuses %s', (_, value) => {
    const evidence = { type: 'tdx', dialect: 'ita', ...(value === undefined ? {} : { value }) };
    expect(errorOf(evidence)).toEqual({ code: 'schema', pointer: '/evidence/value' });
  });

  it('REQ-12 is of TDX alone', () => {
    for (const type of ['snp', 'az-snp-vtpm', 'az-tdx-vtpm']) {
      const error = { code: 'type_mismatch', pointer: '/evidence/dialect' };
      expect(errorOf({ ...itaRequest(1), type })).toEqual(error);
    }
  });
});
