import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.js';
import { jwkThumbprint } from '../../../../src/crypto/jwk-thumbprint.js';
import { isSameTee } from '../../../../src/judge/cross-check/cross-check.js';
import { snpClaims, tdxClaims } from '../../policy/fixture.js';
import {
  AK_JWK,
  AZUREVM,
  AZUREVM_TDX,
  altered,
  azClaims,
  azHcl,
  azTdxClaims,
  hardware,
  ITA_FLAT,
  ita,
  maa,
  OTHER_JWK,
  SEVSNPVM,
  TDXVM,
} from './fixture.js';

const AK = { kid: 'HCLAkPub', ...AK_JWK };
const KEYS = ['x-ms-isolation-tee', 'x-ms-runtime', 'keys'];

function withKeys(...keys: readonly JsonValue[]) {
  return maa(altered(AZUREVM, KEYS, keys));
}

describe('the same TEE behind a paravisor', () => {
  it('is one with the same attestation key, whatever else is said', () => {
    const inside = ['x-ms-isolation-tee', 'x-ms-sevsnpvm-launchmeasurement'];
    expect(isSameTee(hardware(), maa(altered(AZUREVM, inside, 'ff'.repeat(48))))).toBe(true);
  });

  it('is also told from a token about the report alone', () => {
    expect(isSameTee(hardware(), maa(SEVSNPVM))).toBe(true);
    expect(isSameTee(hardware(), maa(altered(SEVSNPVM, ['x-ms-runtime'], undefined)))).toBe(false);
  });

  it('TOK-16 is not one with the same report data, VM id and nonce, but another key', () => {
    expect(isSameTee(hardware(), withKeys({ ...AK, ...OTHER_JWK }))).toBe(false);
  });

  it('TOK-16 is not one whose key stands in what the guest itself sent', () => {
    const forged = altered(altered(AZUREVM, KEYS, [{ ...AK, ...OTHER_JWK }]), ['x-ms-runtime', 'keys'], [AK]);
    expect(isSameTee(hardware(), maa(forged))).toBe(false);
  });

  it.each<readonly [string, readonly JsonValue[]]>([
    ['two keys of that name', [AK, { ...AK, ...OTHER_JWK }]],
    ['the same key twice', [AK, AK]],
    ['a key of another name', [{ ...AK, kid: 'HCLEkPub' }]],
    ['a name in another case', [{ ...AK, kid: 'hclakpub' }]],
    ['a modulus with padding', [{ ...AK, n: `${AK_JWK.n}==` }]],
    ['a modulus in the other alphabet', [{ ...AK, n: Buffer.from(AK_JWK.n, 'base64url').toString('base64') }]],
    ['a modulus with a leading zero', [{ ...AK, n: Buffer.alloc(257, 0xd7).fill(0, 0, 1).toString('base64url') }]],
    ['a modulus that is a number', [{ ...AK, n: 3 }]],
    ['no modulus', [{ kid: 'HCLAkPub', kty: 'RSA', e: 'AQAB' }]],
    ['another exponent', [{ ...AK, e: 'Aw' }]],
    ['keys in a list of their own', [[AK]]],
  ])('TOK-16 is not told by %s', (_, keys) => {
    expect(isSameTee(hardware(), withKeys(...keys))).toBe(false);
  });

  it('is told with other keys and key_ops beside it', () => {
    const others = [{ kid: 'HCLEkPub', ...OTHER_JWK }, { ...AK, key_ops: ['encrypt'] }, { no: 'kid' }, 'text'];
    expect(isSameTee(hardware(), withKeys(...others))).toBe(true);
  });

  it('is not told where the hardware names no key', () => {
    expect(isSameTee(hardware({ snp: snpClaims() }), maa(AZUREVM))).toBe(false);
    const other = azHcl({ akThumbprint: jwkThumbprint(OTHER_JWK) ?? '' });
    expect(isSameTee(hardware(azClaims({ hcl: other })), maa(AZUREVM))).toBe(false);
  });
});

describe('the same TEE of a bare report', () => {
  const bare = hardware({ snp: snpClaims() }, 'snp');

  it('is one with all 64 bytes of report data', () => {
    expect(isSameTee(bare, maa(SEVSNPVM))).toBe(true);
    expect(isSameTee(bare, maa(AZUREVM))).toBe(true);
  });

  it.each<readonly [string, JsonValue]>([
    ['another first half', `34${'33'.repeat(63)}`],
    ['another second half', `${'33'.repeat(63)}34`],
    ['its first 32 bytes', '33'.repeat(32)],
    ['more bytes', '33'.repeat(65)],
    ['none', ''],
    ['null', null],
  ])('TOK-16 is not one with %s', (_, reportData) => {
    expect(isSameTee(bare, maa(altered(SEVSNPVM, ['x-ms-sevsnpvm-reportdata'], reportData)))).toBe(false);
  });

  it('TOK-16 is told by report data also where a key is named beside it', () => {
    const other = altered(SEVSNPVM, ['x-ms-sevsnpvm-reportdata'], '34'.repeat(64));
    expect(isSameTee(hardware(azClaims(), 'snp'), maa(other))).toBe(false);
  });

  it('TOK-14 is not read from a token of another type', () => {
    expect(isSameTee(bare, maa({ ...SEVSNPVM, 'x-ms-attestation-type': 'azurevm' }))).toBe(false);
    expect(isSameTee(bare, maa({ ...SEVSNPVM, 'x-ms-attestation-type': 'SevSnpVm' }))).toBe(false);
    expect(isSameTee(bare, maa({ ...SEVSNPVM, 'x-ms-attestation-type': 'sgx' }))).toBe(false);
  });

  it('is none of another kind', () => {
    const td = altered(ITA_FLAT, ['tdx_report_data'], '33'.repeat(64));
    expect(isSameTee(bare, ita(td))).toBe(false);
    expect(isSameTee(maa(TDXVM), ita(td))).toBe(false);
    expect(isSameTee(maa(TDXVM), ita(ITA_FLAT))).toBe(true);
  });
});

describe('the same TD', () => {
  const bare = hardware({ tdx: tdxClaims() }, 'tdx');
  const az = hardware(azTdxClaims(), 'az-tdx-vtpm');

  it('is one with all 64 bytes of report data, where it is bare', () => {
    for (const token of [maa(TDXVM), ita(ITA_FLAT), maa(AZUREVM_TDX)]) expect(isSameTee(bare, token)).toBe(true);
  });

  it.each<readonly [string, JsonValue | undefined]>([
    ['another first half', `e1${'e0'.repeat(63)}`],
    ['another second half', `${'e0'.repeat(63)}e1`],
    ['its first 32 bytes', 'e0'.repeat(32)],
    ['more bytes', 'e0'.repeat(65)],
    ['none', ''],
    ['null', null],
    ['no member', undefined],
  ])('TOK-16 is not one with %s', (_, reportData) => {
    expect(isSameTee(bare, maa(altered(TDXVM, ['tdx_report_data'], reportData)))).toBe(false);
    expect(isSameTee(bare, ita(altered(ITA_FLAT, ['tdx_report_data'], reportData)))).toBe(false);
  });

  it('TOK-16 is told by the attestation key behind a paravisor, and not by report data', () => {
    const runtime = (key: object): JsonValue => ({ keys: [{ ...AK, ...key }] });
    const other = { ...AZUREVM_TDX, 'x-ms-isolation-tee': { ...TDXVM, 'x-ms-runtime': runtime(OTHER_JWK) } };
    expect(isSameTee(az, maa(AZUREVM_TDX))).toBe(true);
    expect(isSameTee(az, maa(other))).toBe(false);
    expect(isSameTee(az, maa(TDXVM))).toBe(false);
    expect(isSameTee(az, ita({ ...ITA_FLAT, attester_runtime_data: runtime({}) }))).toBe(true);
    expect(isSameTee(az, ita({ ...ITA_FLAT, attester_runtime_data: runtime(OTHER_JWK) }))).toBe(false);
    expect(isSameTee(az, ita(ITA_FLAT))).toBe(false);
  });

  it('is no SEV-SNP VM with the same key, or the same report data', () => {
    expect(isSameTee(az, maa(AZUREVM))).toBe(false);
    expect(isSameTee(hardware(), maa(AZUREVM_TDX))).toBe(false);
    expect(isSameTee(bare, maa(altered(SEVSNPVM, ['x-ms-sevsnpvm-reportdata'], 'e0'.repeat(64))))).toBe(false);
  });
});

describe('a token that speaks of no TEE', () => {
  it.each<readonly [string, readonly JsonValue[]]>([
    ['no key', []],
    ['two keys', [AK, AK]],
    ['a key without modulus', [{ kid: 'HCLAkPub', kty: 'RSA', e: 'AQAB' }]],
  ])('TOK-16 is not about that of a token with the same fault, behind a paravisor: %s', (_, keys) => {
    expect(isSameTee(withKeys(...keys), withKeys(...keys))).toBe(false);
    expect(isSameTee(withKeys(AK), withKeys(AK))).toBe(true);
  });

  it('is about none, also not about that of another such token', () => {
    const trustedLaunch = maa(altered(AZUREVM, ['x-ms-isolation-tee'], undefined));
    expect(isSameTee(trustedLaunch, trustedLaunch)).toBe(false);
    expect(isSameTee(hardware(), trustedLaunch)).toBe(false);
  });
});
