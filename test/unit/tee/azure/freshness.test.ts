import { describe, expect, it } from 'vitest';
import type { NonceStanding } from '../../../../src/core/challenge.js';
import type { Verification } from '../../../../src/core/verification.js';
import { appraise } from '../../../../src/policy/appraise/appraise.js';
import { parsePolicy } from '../../../../src/policy/document/policy-document.js';
import { readNonce } from '../../../../src/wire/read-requests.js';
import { boundValue, createVirtualMachine, type RuntimeClaimsFields, SnpGuest } from '../../../lab/index.js';
import {
  AT,
  expectFailed,
  expectVerified,
  failed,
  JWK,
  NONCE,
  OTHER_JWK,
  OTHER_NONCE,
  PKI,
  verifyAzure,
  verifySnp,
} from '../fixture.js';

const vm = await createVirtualMachine({ pki: PKI });

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function judgeUserData(
  userData: NonNullable<RuntimeClaimsFields['userData']> | null,
  nonce = NONCE,
): Promise<Verification> {
  return verifyAzure(vm.evidence({ nonce, claims: { userData } }), { nonce });
}

function underFreshness(freshness: string, verification: Verification) {
  const text = JSON.stringify({
    apiVersion: 'veritee/v1',
    id: 'fresh',
    version: 1,
    accepts: ['az-snp-vtpm'],
    minimums: { snp: 'any' },
    freshness,
  });
  const nonce: NonceStanding = { origin: 'caller' };
  return appraise(parsePolicy(text), {
    evidenceType: 'az-snp-vtpm',
    verification,
    nonce,
    results: new Map(),
    resets: { state: 'none' },
    boundKey: false,
    keyAsPem: false,
    at: AT,
  });
}

const idsOf = (checks: Verification['checks'], result: string) =>
  checks.filter((check) => check.result === result).map(({ id }) => id);

describe('a nonce of another length', () => {
  const LENGTHS = [1, 8, 31, 33, 48, 50, 63, 64];
  /** Begins as the nonce does. */
  const ofLength = (length: number) => Uint8Array.from({ length }, (_, at) => NONCE[at] ?? 0xee);

  it.each(LENGTHS.filter((length) => length <= 50))(
    'DEC-10 in a quote is a plain mismatch, not an exception: %i bytes',
    async (length) => {
      const evidence = vm.evidence({ nonce: NONCE, quote: { extraData: ofLength(length) } });
      expect(failed(await verifyAzure(evidence, { nonce: NONCE }))).toEqual(['nonce_mismatch']);
    },
  );

  it.each(LENGTHS)('DEC-10 in user-data is a plain mismatch, not an exception: %i bytes', async (length) => {
    const evidence = vm.evidence({ nonce: NONCE, claims: { userData: ofLength(length) } });
    expect(failed(await verifyAzure(evidence, { nonce: NONCE }))).toEqual(['nonce_mismatch']);
  });

  it.each(LENGTHS)('DEC-10 in report data is a plain mismatch, not an exception: %i bytes', async (length) => {
    const guest = new SnpGuest(vm.platform);
    const found = await verifySnp(guest.evidence({ nonce: ofLength(length) }), { nonce: NONCE });
    expect(failed(found)).toEqual(['nonce_mismatch']);
  });

  it('DEC-10 twin: the nonce itself is found in each', async () => {
    const guest = new SnpGuest(vm.platform);
    expect(failed(await verifySnp(guest.evidence({ nonce: NONCE }), { nonce: NONCE }))).toEqual([]);
    expect(failed(await verifyAzure(vm.evidence({ nonce: NONCE }), { nonce: NONCE }))).toEqual([]);
  });
});

describe('user-data of the runtime claims', () => {
  it.each(['upper', 'lower'] as const)('HCL-09 is accepted in %s case', async (userDataCase) => {
    const found = await verifyAzure(vm.evidence({ nonce: NONCE, claims: { userDataCase } }), { nonce: NONCE });
    expectVerified(found);
    expect(found.bound).toEqual(['tpm.extraData', 'hcl.userData']);
  });

  it.each([
    ['shorter than 64 bytes', hexOf(NONCE).padEnd(126, '0')],
    ['the bare nonce', hexOf(NONCE)],
    ['longer than 64 bytes', hexOf(NONCE).padEnd(130, '0')],
    ['a prefix of the nonce', NONCE.subarray(0, 31)],
    ['the nonce, then another byte', Uint8Array.from([...NONCE, 1])],
    [
      'the nonce, then another byte at the end',
      Uint8Array.from({ length: 64 }, (_, at) => NONCE[at] ?? (at === 63 ? 1 : 0)),
    ],
    ['the nonce behind a zero byte', Uint8Array.from([0, ...NONCE])],
    ['empty', ''],
    ['not hex', 'zz'.repeat(64)],
    ['hex with a digit too few', hexOf(NONCE).padEnd(127, '0')],
    ['hex behind a blank', ` ${hexOf(NONCE).padEnd(127, '0')}`],
    ['another nonce', OTHER_NONCE],
  ])('HCL-09 is denied where it is %s', async (_, userData) => {
    const found = await judgeUserData(userData);
    expectFailed(found, 'nonce_mismatch');
    expect(found.bound).toEqual(['tpm.extraData']);
  });

  it.each([7, true, ['00'], {}])('HCL-09 is denied where it is the JSON value %j', async (value) => {
    const claims = { userData: null, more: { 'user-data': value } };
    expectFailed(await verifyAzure(vm.evidence({ nonce: NONCE, claims }), { nonce: NONCE }), 'nonce_mismatch');
  });

  it.each([
    ['absent', null],
    ['all zero', new Uint8Array(64)],
  ])('HCL-09 may be %s under freshness required, not under strict', async (_, userData) => {
    const found = await judgeUserData(userData);
    expectVerified(found);
    expect(found.bound).toEqual(['tpm.extraData']);
    const required = underFreshness('required', found);
    expect(required.outcome).toBe('allow');
    expect(idsOf(required.checks, 'warn')).toContain('nonce_stale');
    const strict = underFreshness('strict', found);
    expect(strict.outcome).toBe('deny');
    expect(idsOf(strict.checks, 'fail')).toEqual(['nonce_stale']);
  });

  it('HCL-09 twin: X in both places is allowed under strict', async () => {
    expect(underFreshness('strict', await judgeUserData(NONCE)).outcome).toBe('allow');
  });

  it.each([8, 32, 50, 64])('holds a nonce of %i bytes', async (length) => {
    const nonce = new Uint8Array(length).fill(0xa5);
    const found = await judgeUserData(nonce, nonce);
    expectVerified(found);
    expect(found.bound).toEqual(['tpm.extraData', 'hcl.userData']);
  });
});

describe('one expected value in two places', () => {
  it('FRS-06 denies the nonce in the quote and another in the hardware report', async () => {
    const found = await judgeUserData(OTHER_NONCE);
    expectFailed(found, 'nonce_mismatch');
    expect(
      found.checks.filter(({ id }) => id === 'nonce_mismatch').map(({ about, result }) => [about, result]),
    ).toEqual([
      ['/evidence/hclReport', 'fail'],
      ['/evidence/tpmQuote/message', 'pass'],
    ]);
  });

  it('FRS-06 denies the nonce in the hardware report and another in the quote', async () => {
    const found = await verifyAzure(vm.evidence({ nonce: NONCE, quote: { extraData: OTHER_NONCE } }), { nonce: NONCE });
    expectFailed(found, 'nonce_mismatch');
    expect(found.bound).toEqual(['hcl.userData']);
  });

  it('FRS-06 accepts X for a bound key in both', async () => {
    const found = await verifyAzure(vm.evidence({ nonce: NONCE, jwk: JWK }), { nonce: NONCE, jwk: JWK });
    expectVerified(found);
    expect(found.bound).toEqual(['tpm.extraData', 'hcl.userData']);
  });

  it.each([
    ['the nonce alone', NONCE],
    ['X for another key', boundValue(NONCE, OTHER_JWK)],
    ['X for another nonce', boundValue(OTHER_NONCE, JWK)],
    ['X without its prefix', boundValue(NONCE, JWK).subarray(8)],
  ])('FRS-06 denies %s in either place where a key is bound', async (_, value) => {
    const judging = { nonce: NONCE, jwk: JWK };
    const inQuote = vm.evidence({ ...judging, quote: { extraData: value } });
    expectFailed(await verifyAzure(inQuote, judging), 'nonce_mismatch');
    const inReport = vm.evidence({ ...judging, claims: { userData: value } });
    expectFailed(await verifyAzure(inReport, judging), 'nonce_mismatch');
  });

  it('FRS-08 does not take user-data that was never set for an all-zero nonce', async () => {
    const nonce = new Uint8Array(32);
    const found = await verifyAzure(vm.evidence({ nonce }), { nonce });
    expect(found.bound).toEqual(['tpm.extraData']);
    const { outcome, checks } = underFreshness('strict', found);
    const failed = checks.filter(({ result }) => result === 'fail').map(({ id }) => id);
    expect([outcome, failed]).toEqual(['deny', ['nonce_stale']]);
  });

  it('is not looked for where the caller sent no nonce, and binds nothing', async () => {
    const found = await verifyAzure(vm.evidence({ nonce: NONCE }));
    expectVerified(found);
    expect(found.required).not.toContain('nonce_mismatch');
    expect(found.bound).toEqual([]);
  });

  it('FRS-09 denies evidence for X under a key that nobody sent', async () => {
    const x = boundValue(NONCE, OTHER_JWK);
    const lured = vm.evidence({ nonce: x });
    expectFailed(await verifyAzure(lured, { nonce: NONCE }), 'nonce_mismatch');
    // With the attacker's own key it would hold: that is why X is refused wherever a nonce is due.
    expectVerified(await verifyAzure(lured, { nonce: NONCE, jwk: OTHER_JWK }));
    expect(() => readNonce(Buffer.from(x).toString('base64url'))).toThrow(expect.objectContaining({ code: 'nonce' }));
  });

  it.each([0, 7, 65])('HCL-10 refuses a nonce of %i bytes', (length) => {
    const text = Buffer.alloc(length, 0xa5).toString('base64url');
    expect(() => readNonce(text)).toThrow(expect.objectContaining({ name: 'FormatError', code: 'nonce' }));
  });

  it.each([8, 64])('HCL-10 twin: reads a nonce of %i bytes', (length) => {
    expect(readNonce(Buffer.alloc(length, 0xa5).toString('base64url'))).toHaveLength(length);
  });
});
