import { createHash, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  basicConstraints,
  createSnpGuest,
  type LabExtension,
  type LabKey,
  maaJwk,
  utf8String,
} from '../../../lab/index.js';
import { AT, expectFailed, expectVerified, FOREIGN_PKI, idsWith, PKI } from '../fixture.js';
import {
  azureVm,
  GUEST,
  type Judging,
  keySetOf,
  OTHER_SIGNER,
  POLICY_HASH,
  SIGNER,
  signerOf,
  tokenOf,
  verifyMaa,
} from './fixture.js';

const EVIDENCE = '1.3.6.1.4.1.311.105.1000.1';
const KIND = '1.3.6.1.4.1.311.105.1000.2';
const SGX = '1.3.6.1.4.1.311.105.1';
const SGX_OF_2020 = '1.2.840.113556.10.1.1';
const DAY_MS = 24 * 60 * 60_000;

/** The beginning of a signer's REPORT_DATA: SHA-256 over the PEM of its key, and a NUL. */
function digestOf({ privateKey }: LabKey): Uint8Array {
  const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
  return createHash('sha256').update(`${pem}\0`).digest();
}

const base64url = (data: Uint8Array | string) => Buffer.from(data).toString('base64url');
const text = (oid: string, value: string): LabExtension => ({ oid, value: utf8String(value) });

function padded(bytes: Uint8Array): Uint8Array {
  const field = new Uint8Array(64);
  field.set(bytes);
  return field;
}

interface Holding {
  readonly reportData?: (key: LabKey) => Uint8Array;
  readonly guest?: ReturnType<typeof createSnpGuest>;
  readonly policy?: bigint;
  readonly chain?: string;
  readonly kind?: string | null;
  /** Changes the JSON of the evidence. */
  readonly json?: (evidence: { readonly [member: string]: string }) => string;
}

/** Extensions of a certificate whose key an SEV-SNP guest of the lab holds. */
function heldBy(key: LabKey, holding: Holding = {}): readonly LabExtension[] {
  const {
    guest = GUEST,
    reportData = (of) => padded(digestOf(of)),
    json = JSON.stringify,
    kind = 'acisevsnp',
  } = holding;
  const { policy, chain = `${guest.platform.vek.pem}${PKI.chainPem('Milan', 'vcek')}` } = holding;
  const fields = { reportData: reportData(key), ...(policy === undefined ? {} : { policy }) };
  const { report } = guest.evidence({ report: { fields } });
  const evidence = json({ SnpReport: base64url(report), VcekCertChain: base64url(chain) });
  return [basicConstraints(), text(EVIDENCE, evidence), ...(kind === null ? [] : [text(KIND, kind)])];
}

function judge(extensions: (key: LabKey) => readonly LabExtension[], judging: Judging = {}) {
  const signer = signerOf((key) => ({ extensions: extensions(key) }));
  return verifyMaa(tokenOf(), { keys: keySetOf(maaJwk(signer)), ...judging });
}

const held = (holding: Holding = {}, judging: Judging = {}) => judge((key) => heldBy(key, holding), judging);
const DEMANDED = { issuer: { teeSigner: 'required' } } as const;
const SGX_QUOTE = (oid: string) => [basicConstraints(), { oid, value: Buffer.from('04020304', 'hex') }];

describe('certificates of the key of a token', () => {
  it.each([
    ['has ended', { notAfter: new Date(AT.getTime() - 1000) }],
    ['has not begun', { notBefore: new Date(AT.getTime() + 1000) }],
  ])('CRT-04 refuses a key whose certificate %s', async (_, dates) => {
    const keys = keySetOf(maaJwk(signerOf(() => dates)));
    const found = await verifyMaa(tokenOf(), { keys });
    expectFailed(found, 'cert_validity');
    expect(found.claims).toEqual({});
  });

  it('counts both ends of validity, and lets no result outlive it', async () => {
    const until = (notAfter: Date) => verifyMaa(tokenOf(), { keys: keySetOf(maaJwk(signerOf(() => ({ notAfter })))) });
    expectVerified(await until(AT));
    const notAfter = new Date(AT.getTime() + 1000);
    expect((await until(notAfter)).validUntil).toEqual(notAfter);
    expect((await until(new Date(AT.getTime() + DAY_MS))).validUntil).toEqual(new Date(AT.getTime() + 28_800_000));
  });

  it.each([
    [
      'was changed after it was signed',
      { signature: (bytes: Uint8Array) => bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) },
    ],
    ['is signed by another key', { signer: OTHER_SIGNER.key }],
    ['has an issuer that is not published', { issuer: Uint8Array.of(0x30, 0x00) }],
    ['has a critical extension that nobody knows', { extensions: [{ ...text('1.2.3', ''), critical: true }] }],
    ['has an extension twice', { extensions: [basicConstraints(), basicConstraints()] }],
    ['is signed with another padding', { algorithm: { scheme: 'pss', hash: 'sha384', saltLength: 48 } as const }],
  ])('leaves open a key whose certificate %s', async (_, change) => {
    const found = await verifyMaa(tokenOf(), { keys: keySetOf(maaJwk(signerOf(() => change))) });
    expectFailed(found);
    expect(idsWith(found, 'unavailable')).toEqual(['jwks_invalid']);
    expect(found.claims).toEqual({});
  });

  it('takes a key that is published without a certificate, as two numbers', async () => {
    const { n = '', e = '' } = createPublicKey(SIGNER.key.privateKey).export({ format: 'jwk' });
    const keys = keySetOf({ kty: 'RSA', kid: SIGNER.kid, n, e });
    expectVerified(await verifyMaa(tokenOf(), { keys }));
    expectFailed(await verifyMaa(tokenOf(), { keys, ...DEMANDED }), 'token_key');
  });
});

describe('a key that an SEV-SNP guest holds', () => {
  it.each([
    ['where nobody demands it', {}],
    ['where it is demanded', DEMANDED],
  ])('is verified %s, without AMD’s CRL', async (_, judging) => {
    const found = await held({}, judging);
    expectFailed(found);
    expect(idsWith(found, 'warn')).toEqual(['crl_unavailable']);
    expect(idsWith(found, 'unavailable')).toEqual([]);
    expect(found.claims.maa?.policyHash).toBe(POLICY_HASH);
  });

  it('may bring endorsements of its image, which are not looked at', async () => {
    expectFailed(await held({ json: (evidence) => JSON.stringify({ ...evidence, Endorsements: 'AAAA' }) }));
  });

  const spkiDigest = (key: LabKey) => padded(createHash('sha256').update(key.spki).digest());
  const changed = (bytes: Uint8Array) => bytes.map((byte, index) => (index === 0x90 ? byte ^ 1 : byte));
  const withReport = (change: (report: Uint8Array) => Uint8Array) => ({
    json: (evidence: { readonly [member: string]: string }) => {
      const report = Buffer.from(evidence['SnpReport'] ?? '', 'base64url');
      return JSON.stringify({ ...evidence, SnpReport: base64url(change(report)) });
    },
  });

  const stranger = createSnpGuest({ pki: FOREIGN_PKI });
  const strangersChain = `${stranger.platform.vek.pem}${FOREIGN_PKI.chainPem('Milan', 'vcek')}`;
  const BINDING = 'report data is not the digest of the key';

  it.each([
    ['of another key', { reportData: () => padded(digestOf(OTHER_SIGNER.key)) }, BINDING],
    ['of the key in another encoding', { reportData: spkiDigest }, BINDING],
    ['with more than zeros after the digest', { reportData: (key) => padded(digestOf(key)).fill(1, 63) }, BINDING],
    ['that was never set', { reportData: () => new Uint8Array(64) }, BINDING],
    ['of a guest that can be debugged', { policy: 0xb0000n }, 'snp_debug'],
    ['that was changed', withReport(changed), 'snp_signature'],
    ['that is cut short', withReport((report) => report.subarray(0, 1000)), '1000'],
    ['that is empty', withReport(() => new Uint8Array()), 'bytes'],
    ['of a chip of a stranger', { guest: stranger, chain: strangersChain }, 'cert_untrusted'],
    ['without chain', { chain: GUEST.platform.vek.pem }, 'vcek_unavailable'],
    ['with the chain of another line', { chain: `${GUEST.platform.vek.pem}${PKI.chainPem('Genoa')}` }, 'cert_'],
    ['with a chain that is no PEM', { chain: 'chain' }, 'PEM'],
    ['in a text that is no JSON', { json: () => '{' }, 'cannot be read'],
    ['in a list', { json: () => '[]' }, 'cannot be read'],
    ['that is missing', { json: () => '{}' }, 'cannot be read'],
    ['that is no base64', { json: () => '{"SnpReport":"*","VcekCertChain":""}' }, 'cannot be read'],
  ] satisfies [string, Holding, string][])('is refused with a report %s', async (_, holding, why) => {
    for (const judging of [{}, DEMANDED]) {
      const found = await held(holding, judging);
      expectFailed(found, 'token_key');
      expect(found.checks.find(({ result }) => result === 'fail')?.detail).toContain(why);
      expect(found.claims).toEqual({});
    }
  });

  it.each([
    ['without a certificate of the evidence', () => [basicConstraints()]],
    ['with an SGX quote, which is not verified here', () => SGX_QUOTE(SGX)],
    ['with an SGX quote as of 2020', () => SGX_QUOTE(SGX_OF_2020)],
    ['in a TEE of another kind', (key) => heldBy(key, { kind: 'acitdx' })],
    ['in a TEE of no kind', (key) => heldBy(key, { kind: null })],
  ] satisfies [string, (key: LabKey) => readonly LabExtension[]][])(
    'is refused where it is demanded, %s',
    async (_, extensions) => {
      expectFailed(await judge(extensions, DEMANDED), 'token_key');
      const found = await judge(extensions);
      expectFailed(found);
      expect(found.claims.maa).toBeDefined();
    },
  );

  it('says where evidence is there that it did not verify', async () => {
    const found = await judge(() => SGX_QUOTE(SGX));
    expect(found.checks.filter(({ result }) => result !== 'pass')).toMatchObject([
      { id: 'cert_extension', result: 'not_configured', detail: expect.stringContaining('SGX') },
    ]);
  });

  it('is refused where the kind of the TEE is not a text', async () => {
    const kind = { oid: KIND, value: Buffer.from('0500', 'hex') };
    expectFailed(await judge((key) => [...heldBy(key, { kind: null }), kind]), 'token_key');
  });
});

describe('the signer of a policy', () => {
  const certificate = Buffer.from(SIGNER.certificate);
  const digest = createHash('sha256').update(certificate).digest('hex');
  const issuer = { policySigners: new Set([digest]) };
  const signedBy = (x5c: readonly string[]) => ({ ...azureVm(), 'x-ms-policy-signer': { kty: 'RSA', x5c } });

  it.each(['pinned', 'shared', 'any'] as const)(
    'TOK-17 is held against the pins where the policy is %s',
    async (pins) => {
      const policyHashes = pins === 'pinned' ? new Set([POLICY_HASH]) : pins;
      const judging = { issuer: { ...issuer, policyHashes } };
      expectFailed(await verifyMaa(tokenOf(signedBy([certificate.toString('base64')])), judging));
      for (const claims of [azureVm(), signedBy([]), signedBy(['AAAA']), { ...azureVm(), 'x-ms-policy-signer': [] }]) {
        const found = await verifyMaa(tokenOf(claims), judging);
        expectFailed(found, 'token_issuer_policy');
        expect(found.vouchesForParavisor).toBe(false);
        expect(found.checks.find(({ id }) => id === 'token_issuer_policy')).toMatchObject({
          expected: { policySigner: [digest] },
          detail: 'the policy is not signed by a signer that maa.issuers[].policySigner lists for this issuer',
        });
      }
    },
  );

  it('TOK-17 is what is compared where the hash of the policy is listed, and the hash where it is not', async () => {
    const compared = async (hash: string, x5c: readonly string[]) => {
      const judging = { issuer: { ...issuer, policyHashes: new Set([hash]) } };
      const { checks } = await verifyMaa(tokenOf(signedBy(x5c)), judging);
      return checks.find(({ id }) => id === 'token_issuer_policy');
    };
    const another = Buffer.from('another certificate');
    const anothers = createHash('sha256').update(another).digest('hex');
    const pinned = { result: 'fail', expected: { policySigner: [digest] } };
    expect(await compared(POLICY_HASH, [another.toString('base64')])).toMatchObject({
      ...pinned,
      actual: { policySigner: anothers },
    });
    expect(await compared(POLICY_HASH, [])).toMatchObject({ ...pinned, actual: { policySigner: null } });
    expect(await compared('A'.repeat(43), [])).toMatchObject({ expected: ['A'.repeat(43)], actual: POLICY_HASH });
  });
});
