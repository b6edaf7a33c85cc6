import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../../src/core/codes.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { jwkThumbprint } from '../../../../src/crypto/jwk-thumbprint.js';
import {
  type AzureEvidenceOptions,
  azureKey,
  createVirtualMachine,
  reportDataOver,
  VirtualTpm,
} from '../../../lab/index.js';
import { expectFailed, expectVerified, idsWith, NONCE, PKI, verifyAzure } from '../fixture.js';

const vm = await createVirtualMachine({ pki: PKI });
const ak = vm.vtpm.publicJwk;
const genuine = Buffer.from(vm.runtimeClaims({ nonce: NONCE })).toString('utf8');

const judge = (options: AzureEvidenceOptions) =>
  verifyAzure(vm.evidence({ nonce: NONCE, ...options }), { nonce: NONCE });

async function expectDenied(options: AzureEvidenceOptions, ...ids: readonly CheckId[]): Promise<void> {
  const found = await judge(options);
  expectFailed(found, ...ids);
  expect(found.claims.hcl).toBeUndefined();
  expect(found.claims.tpm).toBeUndefined();
  expect(idsWith(found, 'skipped')).toContain('tpm_signature');
}

const keys = (...list: readonly JsonValue[]) => ({ claims: { keys: list } });
const akWith = (members: JsonObject) => ({ claims: { ak: { ...ak, ...members } } });

describe('runtime claims whose hash holds', () => {
  it('are claims', async () => {
    const found = await judge({});
    expectVerified(found);
    expect(found.claims.hcl).toMatchObject({
      reportType: 'snp',
      paravisor: { known: true, by: 'idKeyDigest' },
      userData: Buffer.from(NONCE).toString('hex').padEnd(128, '0'),
      vmConfiguration: { secureBoot: true, tpmEnabled: true, tpmPersisted: true, vmUniqueId: expect.any(String) },
    });
  });

  it.each([
    ['keys twice', genuine.replace('{"keys":', '{"keys":[],"keys":')],
    ['keys twice, one with an escape', genuine.replace('{"keys":', '{"\\u006beys":[],"keys":')],
    ['a member of a key twice', genuine.replace('"kty":"RSA"', '"kty":"RSA","kty":"RSA"')],
    [
      'a member of vm-configuration twice',
      genuine.replace('"secure-boot":true', '"secure-boot":false,"secure-boot":true'),
    ],
    [
      'two members of vm-configuration with one name',
      genuine.replace('"secure-boot":true', '"secure-boot":true,"secureBoot":false'),
    ],
    ['two HCLAkPub', genuine.replace('"HCLEkPub"', '"HCLAkPub"')],
  ])('HCL-06 are denied with %s', async (_, runtimeClaims) => {
    expect(runtimeClaims).not.toBe(genuine);
    await expectDenied({ runtimeClaims }, 'hcl_duplicate');
  });

  it.each([
    ['an empty list of keys', keys()],
    ['HCLAkPub under another name', { runtimeClaims: genuine.replace('"HCLAkPub"', '"hclAkPub"') }],
    ['HCLEkPub only', keys(azureKey('HCLEkPub', ['encrypt'], ak))],
  ])('HCL-06 are denied with %s', async (_, options) => {
    await expectDenied(options, 'hcl_ak_missing');
  });

  it.each([
    ['no JSON', 'HCLAkPub'],
    ['cut short', genuine.slice(0, -1)],
    ['followed by a byte', `${genuine}x`],
    ['a list', '[]'],
    ['without keys', '{}'],
    ['with keys that are no list', '{"keys":{}}'],
    ['with a key that is not an object', '{"keys":[1]}'],
    ['with a key without kid', '{"keys":[{"kty":"RSA"}]}'],
    [
      'with a configuration that is not an object',
      genuine.replace('"vm-configuration":{', '"vm-configuration":[],"x":{'),
    ],
    ['behind a byte order mark', `\ufeff${genuine}`],
    ['with __proto__', genuine.replace('{"keys"', '{"__proto__":{},"keys"')],
  ])('HCL-06 are denied where they are %s', async (_, runtimeClaims) => {
    await expectDenied({ runtimeClaims }, 'hcl_claims');
  });

  it('HCL-06 are denied where they are not UTF-8', async () => {
    const runtimeClaims = Uint8Array.from(Buffer.from(genuine));
    runtimeClaims[2] = 0xff;
    await expectDenied({ runtimeClaims }, 'hcl_claims');
  });

  it('HCL-06 are not even parsed where the hash is another', async () => {
    const reportData = new Uint8Array(64).fill(9, 0, 32);
    const options = { runtimeClaims: 'no JSON', report: { fields: { reportData } } };
    const found = await judge(options);
    expectFailed(found, 'hcl_binding');
    expect(found.checks.filter(({ id }) => id === 'hcl_claims').map(({ result }) => result)).toEqual(['skipped']);
  });

  it.each([
    ['blanks', genuine.replace('{"keys":', '{ "keys": ')],
    ['another order of members', JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(genuine)).reverse()))],
    ['escaped characters', genuine.replace('HCLAkPub', 'HCL\\u0041kPub')],
  ])('HCL-08 are denied with %s in place of what was hashed', async (_, runtimeClaims) => {
    expect(JSON.parse(runtimeClaims)).toEqual(JSON.parse(genuine));
    const reportData = reportDataOver(Buffer.from(genuine));
    await expectDenied({ runtimeClaims, report: { fields: { reportData } } }, 'hcl_binding');
    // The same text under its own hash is as good as any other.
    expectVerified(await judge({ runtimeClaims }));
  });

  it.each([5, 4_102_444_800, 1])('HCL-12 may say that it is %i: no time of a guest counts', async (time) => {
    const claims = { vmConfiguration: { 'current-time': time } };
    const found = await judge({ claims, quote: { clock: 2n ** 63n } });
    expectVerified(found);
    expect(found.bound).toEqual(['tpm.extraData', 'hcl.userData']);
  });

  it('may have members that nobody knows, and lack vm-configuration', async () => {
    expectVerified(await judge({ claims: { more: { 'a-new-member': [1, { x: null }] } } }));
    const found = await judge({ claims: { vmConfiguration: null } });
    expectVerified(found);
    expect(found.claims.hcl?.vmConfiguration).toBeUndefined();
  });
});

describe('what the checks of runtime claims say', () => {
  const said = async (options: AzureEvidenceOptions, id: CheckId) => {
    const check = (await judge(options)).checks.find((found) => found.id === id);
    return check && { expected: check.expected, actual: check.actual, detail: check.detail };
  };

  it('hcl_binding: both hashes', async () => {
    const found = await said({ hcl: { runtimeClaims: Uint8Array.of(0x7b, 0x7d) } }, 'hcl_binding');
    expect(found).toEqual({
      expected: `44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a${'00'.repeat(32)}`,
      actual: Buffer.from(reportDataOver(Buffer.from(genuine))).toString('hex'),
      detail: 'the report data is not the SHA-256 of the runtime data, followed by zeros',
    });
  });

  it.each<[CheckId, AzureEvidenceOptions, unknown]>([
    [
      'hcl_duplicate',
      { runtimeClaims: genuine.replace('{"keys":', '{"keys":[],"keys":') },
      { expected: null, actual: null, detail: 'a member of the runtime claims appears twice' },
    ],
    [
      'hcl_ak_missing',
      keys(azureKey('HCLEkPub', ['encrypt'], ak)),
      { expected: 'HCLAkPub', actual: ['HCLEkPub'], detail: 'the runtime claims name no attestation key' },
    ],
    [
      'hcl_claims',
      akWith({ d: 'AQAB' }),
      { expected: null, actual: null, detail: 'HCLAkPub has members of a private key' },
    ],
    [
      'hcl_ak_weak',
      akWith({ n: Buffer.from(new Uint8Array(128).fill(0xc1)).toString('base64url') }),
      {
        expected: 'RSA, 2048 bits or more, exponent 65537',
        actual: 'RSA, 1024 bits',
        detail: 'the attestation key is too weak, or is not of the kind that Azure vTPMs have',
      },
    ],
    [
      'hcl_ak_weak',
      akWith({ kty: 'EC' }),
      {
        expected: 'RSA, 2048 bits or more, exponent 65537',
        actual: 'EC',
        detail: 'the attestation key is too weak, or is not of the kind that Azure vTPMs have',
      },
    ],
  ])('%s', async (id, options, found) => {
    expect(await said(options, id)).toEqual(found);
  });

  it('snp_vmpl: the level that is asked for, and the one that asked', async () => {
    expect(await said({ report: { fields: { vmpl: 2 } } }, 'snp_vmpl')).toEqual({
      expected: 0,
      actual: 2,
      detail: 'the report was not requested at VMPL 0, so the guest or the host could have written the claims',
    });
  });

  it('the key is claimed by its thumbprint of RFC 7638', async () => {
    expect((await judge({})).claims.hcl?.akThumbprint).toBe(jwkThumbprint(ak));
  });
});

describe('attestation key in runtime claims', () => {
  const b64 = (bytes: readonly number[] | Uint8Array) => Buffer.from(bytes).toString('base64url');
  const modulus = Buffer.from(String(ak['n']), 'base64url');

  it('HCL-07 is weak with 1024 bits', async () => {
    const vtpm = await VirtualTpm.create({ modulusLength: 1024 });
    const weak = await createVirtualMachine({ pki: PKI, platform: vm.platform, vtpm });
    const found = await verifyAzure(weak.evidence({ nonce: NONCE }), { nonce: NONCE });
    expectFailed(found, 'hcl_ak_weak');
  });

  it('HCL-07 is weak with 2047 bits', async () => {
    await expectDenied(akWith({ n: b64([0x7f, ...modulus.subarray(1)]) }), 'hcl_ak_weak');
  });

  it.each([
    ['1', [1]],
    ['3', [3]],
    ['65536, which is even', [1, 0, 0]],
    ['65539', [1, 0, 3]],
  ])('HCL-07 is weak with exponent %s', async (_, e) => {
    await expectDenied(akWith({ e: b64(e) }), 'hcl_ak_weak');
  });

  it('HCL-07 is weak where it is an EC key', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const { kty = '', crv = '', x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const key = { kid: 'HCLAkPub', key_ops: ['sign'], kty, crv, x, y };
    await expectDenied(keys(key), 'hcl_ak_weak');
  });

  it('HCL-07 is weak where it does not say what kind of key it is', async () => {
    const found = await judge(keys({ kid: 'HCLAkPub', n: ak['n'] ?? null, e: 'AQAB' }));
    expectFailed(found, 'hcl_ak_weak');
    expect(found.checks.find(({ id }) => id === 'hcl_ak_weak')?.actual).toBeNull();
  });

  it.each([
    ['a modulus with leading zeros', { n: b64([0, ...modulus]) }],
    ['an exponent with leading zeros', { e: 'AAEAAQ' }],
    ['a modulus with padding', { n: `${String(ak['n'])}==` }],
    ['a modulus in the other alphabet', { n: `+${String(ak['n']).slice(1)}` }],
    ['a modulus that is a number', { n: 7 }],
    ['no modulus', { n: null }],
    ['an exponent that is empty', { e: '' }],
    ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].map(
      (member) => [`the private member ${member}`, { [member]: 'AQAB' }] as const,
    ),
    ['alg of another kind of key', { alg: 'ES256' }],
    ['alg of encryption', { alg: 'RSA-OAEP' }],
    ['alg none', { alg: 'none' }],
    ['alg that is no text', { alg: 7 }],
    ['alg in a list', { alg: ['RS256'] }],
    ['alg with something before it', { alg: 'XRS256' }],
    ['alg with something after it', { alg: 'RS256K' }],
  ] as readonly (readonly [string, JsonObject])[])('HCL-07 is refused with %s', async (name, members) => {
    await expectDenied(akWith(members), name === 'an exponent that is empty' ? 'hcl_ak_weak' : 'hcl_claims');
  });

  it('HCL-07 that is no key at all, even or of 17600 bits, makes no signature', async () => {
    const even = Uint8Array.from([...modulus.subarray(0, -1), 2]);
    const long = new Uint8Array(2200).fill(0xc3);
    for (const n of [even, long]) {
      const evidence = vm.evidence({ nonce: NONCE, ...akWith({ n: b64(n) }) });
      const tpmQuote = { ...evidence.tpmQuote, signature: new Uint8Array(n.byteLength).fill(1) };
      expectFailed(await verifyAzure({ ...evidence, tpmQuote }, { nonce: NONCE }), 'tpm_signature');
    }
  });

  it('HCL-07 may say that it encrypts, as claims of 2022 and 2023 do', async () => {
    expectVerified(await judge(keys(azureKey('HCLAkPub', ['encrypt'], ak))));
  });

  it('HCL-07 may have 3072 bits, and an alg that fits', async () => {
    const vtpm = await VirtualTpm.create({ modulusLength: 3072 });
    const strong = await createVirtualMachine({ pki: PKI, platform: vm.platform, vtpm });
    expectVerified(await verifyAzure(strong.evidence({ nonce: NONCE }), { nonce: NONCE }));
    expectVerified(await judge(akWith({ alg: 'RS256' })));
  });
});
