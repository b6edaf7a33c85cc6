import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.js';
import { jwkThumbprint } from '../../../../src/crypto/jwk-thumbprint.js';
import { createSnpGuest, createVirtualMachine, newEcKey, nonceRuntimeData } from '../../../lab/index.js';
import {
  expectFailed,
  expectVerified,
  idsWith,
  JWK,
  NONCE,
  OTHER_JWK,
  OTHER_NONCE,
  PKI,
  verifySnp,
} from '../fixture.js';

const guest = createSnpGuest({ pki: PKI });
const vm = await createVirtualMachine({ pki: PKI, platform: guest.platform });

const json = (value: JsonValue) => ({ text: JSON.stringify(value) });
const nonceText = Buffer.from(NONCE).toString('base64url');

describe('report data of a bare report', () => {
  it('denies another nonce', async () => {
    const found = await verifySnp(guest.evidence({ nonce: OTHER_NONCE }), { nonce: NONCE });
    expectFailed(found, 'nonce_mismatch');
    expect(found.bound).toEqual([]);
    expect(found.checks.find(({ id }) => id === 'nonce_mismatch')).toMatchObject({
      expected: `${Buffer.from(NONCE).toString('hex')}${'00'.repeat(32)}`,
      actual: `${Buffer.from(OTHER_NONCE).toString('hex')}${'00'.repeat(32)}`,
    });
  });

  it('denies the nonce where a key is to be bound, and a value for another key', async () => {
    expectFailed(await verifySnp(guest.evidence({ nonce: NONCE }), { nonce: NONCE, jwk: JWK }), 'nonce_mismatch');
    const forOther = guest.evidence({ nonce: NONCE, jwk: OTHER_JWK });
    expectFailed(await verifySnp(forOther, { nonce: NONCE, jwk: JWK }), 'nonce_mismatch');
  });

  it('denies a value for a key where none is bound', async () => {
    expectFailed(await verifySnp(guest.evidence({ nonce: NONCE, jwk: JWK }), { nonce: NONCE }), 'nonce_mismatch');
  });

  it('denies a prefix of the nonce, and the nonce before other bytes', async () => {
    for (const length of [0, 8, 31]) {
      const evidence = guest.evidence({ nonce: NONCE.subarray(0, length) });
      expectFailed(await verifySnp(evidence, { nonce: NONCE }), 'nonce_mismatch');
    }
    for (const index of [32, 63]) {
      const reportData = Uint8Array.from({ length: 64 }, (_, at) => NONCE[at] ?? (at === index ? 1 : 0));
      expectFailed(
        await verifySnp(guest.evidence({ report: { fields: { reportData } } }), { nonce: NONCE }),
        'nonce_mismatch',
      );
    }
  });

  it('SNP-50 is denied where the host requested the report, with and without the nonce: snp_vmpl', async () => {
    const report = { fields: { vmpl: 0xffffffff } };
    for (const found of [
      await verifySnp(guest.evidence({ nonce: NONCE, report }), { nonce: NONCE }),
      await verifySnp(guest.evidence({ nonce: NONCE, runtimeData: 'nonce', report }), { nonce: NONCE }),
      await verifySnp(guest.evidence({ report })),
    ]) {
      expectFailed(found, 'snp_vmpl');
      expect(found.checks.find(({ id }) => id === 'snp_vmpl')).toMatchObject({
        about: '/evidence/report',
        expected: [0, 1, 2, 3],
        actual: 0xffffffff,
      });
    }
  });

  it('FRS-08 does not take report data that was never set for an all-zero nonce', async () => {
    for (const length of [8, 32, 64]) {
      const nonce = new Uint8Array(length);
      const found = await verifySnp(guest.evidence({ nonce }), { nonce });
      expectFailed(found, 'nonce_mismatch');
      expect(found.bound).toEqual([]);
    }
  });
});

describe('runtime data of a bare report', () => {
  it('denies data whose hash is not in the report', async () => {
    const runtimeData = nonceRuntimeData(NONCE);
    const evidence = { ...guest.evidence({ nonce: OTHER_NONCE, runtimeData: 'nonce' }), runtimeData };
    const found = await verifySnp(evidence, { nonce: NONCE });
    expectFailed(found, 'hcl_binding');
    expect(idsWith(found, 'skipped')).toContain('nonce_mismatch');
  });

  it('is held to its hash also where the caller sent no nonce', async () => {
    const evidence = guest.evidence({ nonce: NONCE, runtimeData: 'nonce' });
    const found = await verifySnp(evidence);
    expectVerified(found);
    expect(found.bound).toEqual([]);
    expect(found.required).toContain('hcl_binding');
    const other = await verifySnp({ ...evidence, runtimeData: nonceRuntimeData(OTHER_NONCE) });
    expectFailed(other, 'hcl_binding');
    expect(idsWith(other, 'skipped')).toEqual(['hcl_duplicate', 'hcl_claims', 'hcl_ak_missing', 'hcl_ak_weak']);
  });

  it('is not looked at under a report that cannot be relied on', async () => {
    const report = { key: newEcKey('secp384r1').privateKey };
    const evidence = guest.evidence({ nonce: NONCE, runtimeData: 'nonce', report });
    for (const nonce of [NONCE, null]) {
      const found = await verifySnp(evidence, { nonce });
      expectFailed(found, 'snp_signature');
      const skipped = ['hcl_binding', 'hcl_duplicate', 'hcl_claims', 'hcl_ak_missing', 'hcl_ak_weak'];
      expect(idsWith(found, 'skipped').slice(4)).toEqual(nonce === null ? skipped : [...skipped, 'nonce_mismatch']);
      expect(found.bound).toEqual([]);
    }
  });

  it('denies non-zero bytes behind the hash', async () => {
    const evidence = guest.evidence({ nonce: NONCE, runtimeData: 'nonce' });
    const reportData = Uint8Array.from(evidence.report.subarray(0x50, 0x90));
    reportData[63] = 1;
    const changed = guest.evidence({ nonce: NONCE, runtimeData: 'nonce', report: { fields: { reportData } } });
    expectFailed(await verifySnp(changed, { nonce: NONCE }), 'hcl_binding');
  });

  it.each([
    ['no nonce', json({})],
    ['another nonce', json({ nonce: Buffer.from(OTHER_NONCE).toString('base64url') })],
    ['a nonce in hex', json({ nonce: Buffer.from(NONCE).toString('hex') })],
    ['a prefix of the nonce', json({ nonce: Buffer.from(NONCE.subarray(0, 31)).toString('base64url') })],
    ['a longer nonce', json({ nonce: Buffer.from([...NONCE, 0]).toString('base64url') })],
    ['a nonce that is a number', json({ nonce: 7 })],
    ['a nonce that is no base64', json({ nonce: `${nonceText}*` })],
    ['a nonce that is far too long', json({ nonce: 'A'.repeat(100_000) })],
    ['the nonce in a list', json({ nonce: [nonceText] })],
    ['a list', json([nonceText])],
    ['no JSON', { text: nonceText }],
    ['nothing', { text: '' }],
  ])('denies data that is or has %s, and does not repeat it', async (_, runtimeData) => {
    const found = await verifySnp(guest.evidence({ runtimeData }), { nonce: NONCE });
    expectFailed(found, 'nonce_mismatch');
    expect(found.bound).toEqual([]);
    expect(JSON.stringify(found.checks).length).toBeLessThan(10_000);
  });

  it.each([
    ['no keys', { nonce: nonceText }],
    ['another key', { nonce: nonceText, keys: [OTHER_JWK] }],
    ['keys that are no list', { nonce: nonceText, keys: { 0: JWK } }],
    ['the bound key among 65', { nonce: nonceText, keys: [JWK, ...Array(64).fill(OTHER_JWK)] }],
    ['keys that are no keys', { nonce: nonceText, keys: [null, 7, 'EC', { kty: 'EC' }] }],
  ])('denies data that has the nonce and %s where a key is bound', async (_, data) => {
    const found = await verifySnp(guest.evidence({ runtimeData: json(data) }), { nonce: NONCE, jwk: JWK });
    expectFailed(found, 'nonce_mismatch');
    const nonce = Buffer.from(NONCE).toString('hex');
    expect(found.checks.find(({ id }) => id === 'nonce_mismatch')).toMatchObject({
      expected: { nonce, jkt: jwkThumbprint(JWK) },
      actual: { nonce, jkt: null },
    });
  });

  it('accepts the bound key among others', async () => {
    const runtimeData = json({ nonce: nonceText, keys: [OTHER_JWK, { ...JWK, kid: 'mine' }] });
    expectVerified(await verifySnp(guest.evidence({ runtimeData }), { nonce: NONCE, jwk: JWK }));
  });

  it('accepts the bound key as the last of 64', async () => {
    const runtimeData = json({ nonce: nonceText, keys: [...Array(63).fill(OTHER_JWK), JWK] });
    expectVerified(await verifySnp(guest.evidence({ runtimeData }), { nonce: NONCE, jwk: JWK }));
  });

  it('denies data in which a member stands twice', async () => {
    const runtimeData = { text: `{"nonce":"${nonceText}","nonce":"${nonceText}"}` };
    const found = await verifySnp(guest.evidence({ runtimeData }), { nonce: NONCE });
    expectFailed(found, 'hcl_duplicate', 'nonce_mismatch');
  });
});

describe('runtime claims of a paravisor in bare evidence', () => {
  const runtimeData = vm.runtimeClaims({ nonce: NONCE });

  it('are judged as such, and give claims', async () => {
    const found = await verifySnp(guest.evidence({ runtimeData }), { nonce: NONCE });
    expectVerified(found);
    expect(found.bound).toEqual(['hcl.userData']);
    expect(found.claims.hcl?.paravisor).toEqual({ known: true, by: 'idKeyDigest' });
  });

  it('hold X for a bound key in user-data', async () => {
    const bound = vm.runtimeClaims({ nonce: NONCE, jwk: JWK });
    const found = await verifySnp(guest.evidence({ runtimeData: bound }), { nonce: NONCE, jwk: JWK });
    expectVerified(found);
    expect(found.bound).toEqual(['hcl.userData']);
  });

  it.each([1, 2, 3, 0xffffffff])('SNP-10 are denied in a report of VMPL %i', async (vmpl) => {
    const found = await verifySnp(guest.evidence({ runtimeData, report: { fields: { vmpl } } }), { nonce: NONCE });
    expectFailed(found, 'snp_vmpl');
    expect(found.claims.hcl).toBeUndefined();
  });

  it.each([0, 1, 2, 3])('SNP-10, SNP-50 twin: a bare report without them may be of VMPL %i', async (vmpl) => {
    const found = await verifySnp(guest.evidence({ nonce: NONCE, report: { fields: { vmpl } } }), { nonce: NONCE });
    expectVerified(found);
    expect(found.claims.snp?.vmpl).toBe(vmpl);
  });

  it('HCL-06 are denied where they cannot be relied on, and hold no nonce then', async () => {
    const twice = Buffer.from(runtimeData).toString().replace('"HCLEkPub"', '"HCLAkPub"');
    for (const nonce of [NONCE, null]) {
      const found = await verifySnp(guest.evidence({ runtimeData: { text: twice } }), { nonce });
      expectFailed(found, 'hcl_duplicate');
      expect(idsWith(found, 'skipped')).toEqual([
        'hcl_claims',
        'hcl_ak_missing',
        'hcl_ak_weak',
        ...(nonce === null ? [] : ['nonce_mismatch']),
      ]);
      expect(found.claims.hcl).toBeUndefined();
      expect(found.bound).toEqual([]);
    }
  });

  it('give claims and bind nothing where the caller sent no nonce', async () => {
    const found = await verifySnp(guest.evidence({ runtimeData }));
    expectVerified(found);
    expect(found.claims.hcl?.paravisor.known).toBe(true);
    expect(found.bound).toEqual([]);
  });

  it('deny another nonce in user-data, once', async () => {
    const found = await verifySnp(guest.evidence({ runtimeData }), { nonce: OTHER_NONCE });
    expectFailed(found, 'nonce_mismatch');
    expect(found.checks.filter(({ id }) => id === 'nonce_mismatch')).toHaveLength(1);
    expect(found.bound).toEqual([]);
  });

  it('FRS-08 deny any nonce where user-data was never set', async () => {
    const unset = vm.runtimeClaims();
    expectFailed(await verifySnp(guest.evidence({ runtimeData: unset }), { nonce: NONCE }), 'nonce_mismatch');
    const zero = new Uint8Array(32);
    expectFailed(await verifySnp(guest.evidence({ runtimeData: unset }), { nonce: zero }), 'nonce_mismatch');
  });
});
