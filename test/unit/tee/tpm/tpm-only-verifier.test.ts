import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../../src/core/codes.js';
import type { PcrBank, TpmQuoteInput } from '../../../../src/core/evidence.js';
import { expectedBinding } from '../../../../src/tee/shared/binding/expected-binding.js';
import { onlyCommonName } from '../../../lab/azure-ak-authorities.js';
import {
  basicConstraints,
  boundValue,
  buildTpmtSignature,
  createTrustedLaunchMachine,
  extendedKeyUsage,
  flipBit,
  keyUsage,
  octetString,
  pemOf,
  type TpmEvidenceOptions,
  VirtualTpm,
} from '../../../lab/index.js';
import { newEcKey } from '../../../lab/lab-keys.js';
import { buildCertificate } from '../../../lab/pki.js';
import {
  AT,
  contextOf,
  expectFailed,
  expectMalformed,
  expectVerified,
  idsWith,
  JWK,
  NONCE,
  OTHER_JWK,
  OTHER_NONCE,
} from '../fixture.js';
import { AK_PKI, AZURE_ROOTS, FOREIGN_AK_PKI, MACHINE, tpmOnlyVerifier, verifyTpm } from './tpm-fixture.js';

const DAY = 24 * 60 * 60_000;

const judge = (options: TpmEvidenceOptions = {}) =>
  verifyTpm(MACHINE.evidence({ nonce: NONCE, ...options }), { nonce: NONCE });

/** One check failed, and nothing of the evidence is a claim. */
async function expectNothing(options: TpmEvidenceOptions, ...ids: readonly CheckId[]): Promise<void> {
  const found = await judge(options);
  expectFailed(found, ...ids);
  expect([found.claims, found.bound]).toEqual([{}, []]);
}

describe('a vTPM by itself', () => {
  it.each([
    ['Trusted Launch', { vm: 'TrustedVM' }],
    ['a confidential VM', { vm: 'ConfidentialVM' }],
    ['2025', { shape: '2025' }],
  ] as const)('is verified with the certificate of %s, and says nothing of hardware', async (_, certificate) => {
    const found = await judge({ certificate });
    expectVerified(found);
    expect(Object.keys(found.claims)).toEqual(['tpm']);
    expect(Object.keys(found.claims.tpm?.pcrs['sha256'] ?? {})).toHaveLength(24);
    expect(found.bound).toEqual(['tpm.extraData']);
    expect(found.submission ?? null).toBeNull();
    expect(found.selectedPcrs).toHaveLength(24);
    const trusted = found.checks.find(({ id }) => id === 'ak_cert_untrusted');
    expect(trusted?.detail).toMatch(/; TPM only: nothing here vouches for hardware$/);
  });

  it('lists the certificates that it rests on, and ends where the first of them ends', async () => {
    const found = await judge();
    expect(found.endorsements.map(({ kind, source, revocation }) => [kind, source, revocation])).toEqual([
      ['ak', 'evidence', 'not_applicable'],
      ...Array(3).fill(['ak-ca', 'evidence', 'not_applicable']),
    ]);
    expect(found.validUntil).toEqual(new Date(AT.getTime() + 357 * DAY));
    const sooner = new Date(AT.getTime() + 1000);
    expect((await judge({ certificate: { overrides: { notAfter: sooner } } })).validUntil).toEqual(sooner);
  });

  it('asks for issuers only where the chain that was sent does not end at a pinned key', () => {
    const open = (chain: string | null) => tpmOnlyVerifier().open(MACHINE.evidence({ certificate: { chain } })).needs;
    expect(open(AK_PKI.chainPem())).toEqual([]);
    expect(open(null)).toEqual([{ kind: 'ak-issuers', issuer: AK_PKI.authority('ca24').name }]);
    const partial = AK_PKI.authority('ca24').pem + AK_PKI.authority('ca2025').pem;
    expect(open(partial)).toEqual([{ kind: 'ak-issuers', issuer: AK_PKI.authority('root').name }]);
  });

  it('is verified below a root of the operator', async () => {
    const akRoots = { azure: new Set<string>(), configured: AK_PKI.pins, paravisorsSince: null };
    expectVerified(await verifyTpm(MACHINE.evidence({ nonce: NONCE }), { nonce: NONCE, akRoots }));
  });

  it('HCL-14 is denied with the certificate of another key than the one that signed', async () => {
    const other = await VirtualTpm.create();
    await expectNothing({ certificate: { key: other.publicJwk } }, 'tpm_signature');
  });
});

describe('the certificate of a vTPM', () => {
  const chain = AK_PKI.chainPem();
  const [ca24 = '', ca2025 = '', root = ''] = chain.split(/(?=-----BEGIN)/);
  const at = (ms: number) => new Date(AT.getTime() + ms);

  it.each<[string, TpmEvidenceOptions['certificate'] & object]>([
    ['no chain', { chain: null }],
    ['a chain without root', { chain: ca24 + ca2025 }],
    ['a chain with a gap', { chain: ca24 + root }],
    ['a chain in another order', { chain: root + ca2025 + ca24 }],
    ['a chain that is too long', { chain: ca24.repeat(9) + chain }],
    ['an issuer of others with the same name', { issuer: FOREIGN_AK_PKI.authority('ca24') }],
    ['no extended key usage', { extensions: (all) => all.filter(({ oid }) => oid !== '2.5.29.37') }],
    ['the purpose of an endorsement key', { extendedKeyUsages: ['2.23.133.8.1'] }],
    ['two extended key usages', { extensions: (all) => [...all, extendedKeyUsage(['2.23.133.8.3'])] }],
    ['a key that signs nothing', { extensions: (all) => all.map((e) => (e.oid === '2.5.29.15' ? keyUsage([]) : e)) }],
    ['a leaf that is a CA', { extensions: (all) => all.map((e) => (e.oid === '2.5.29.19' ? basicConstraints() : e)) }],
  ])('is denied with %s, and its quote is then not judged', async (_, certificate) => {
    await expectNothing({ certificate }, 'ak_cert_untrusted');
    expect(idsWith(await judge({ certificate }), 'skipped')).toEqual(
      expect.arrayContaining(['cert_validity', 'tpm_signature', 'tpm_pcr_digest', 'nonce_mismatch']),
    );
  });

  it('is denied with roots of others with the same names, and one bit changed in a signature', async () => {
    const ak = FOREIGN_AK_PKI.certificate({ key: MACHINE.vtpm.publicJwk });
    await expectNothing({ ak }, 'ak_cert_untrusted');
    const leaf = AK_PKI.issueLeaf({ key: MACHINE.vtpm.publicJwk });
    const changed = { certificate: { der: flipBit(leaf, leaf.byteLength - 1) }, chain };
    await expectNothing({ ak: changed }, 'ak_cert_untrusted');
  });

  it('is denied one second outside its dates, and those of its issuers', async () => {
    for (const overrides of [{ notAfter: at(-1000) }, { notBefore: at(1000) }]) {
      await expectNothing({ certificate: { overrides } }, 'cert_validity');
    }
    for (const overrides of [{ notAfter: at(0) }, { notBefore: at(0) }]) {
      expectVerified(await judge({ certificate: { overrides } }));
    }
    const ended = AK_PKI.issueAuthority('ca24', { notAfter: at(-1000) }).pem;
    await expectNothing({ certificate: { chain: ended + ca2025 + root } }, 'cert_validity');
  });

  it.each([
    ['RSA of 1024 bits', { modulusLength: 1024 }],
    ['RSA with exponent 3', { publicExponent: 3 }],
    ['P-521', { curve: 'P-521' }],
  ] as const)('HCL-07 is denied for a key that is %s', async (_, key) => {
    const machine = await createTrustedLaunchMachine({ pki: AK_PKI, vtpm: await VirtualTpm.create(key) });
    const found = await verifyTpm(machine.evidence({ nonce: NONCE }), { nonce: NONCE });
    expectFailed(found, 'ak_cert_untrusted');
    expect(found.claims).toEqual({});
  });

  it.each([
    ['RSA of 3072 bits', { modulusLength: 3072 }, 'sha256'],
    ['P-256', { curve: 'P-256' }, 'sha256'],
    ['P-256', { curve: 'P-256' }, 'sha384'],
    ['P-384', { curve: 'P-384' }, 'sha384'],
    ['P-384', { curve: 'P-384' }, 'sha512'],
  ] as const)('may be for a key that is %s (%o), with %s', async (_, key, hash) => {
    const machine = await createTrustedLaunchMachine({ pki: AK_PKI, vtpm: await VirtualTpm.create(key) });
    const form = 'curve' in key ? 'bare' : 'tpmt';
    const evidence = machine.evidence({ nonce: NONCE, quote: { signing: { hash, form } } });
    expectVerified(await verifyTpm(evidence, { nonce: NONCE }));
  });

  it('may be of CAs with P-256 keys below a root of the operator', async () => {
    const vtpm = await VirtualTpm.create({ curve: 'P-256' });
    const machine = await createTrustedLaunchMachine({ pki: AK_PKI, vtpm });
    const key = newEcKey('prime256v1');
    const name = onlyCommonName('Own vTPM root');
    const ca = {
      signer: key,
      algorithm: { scheme: 'ecdsa', hash: 'sha256' } as const,
      issuer: name,
      serial: 7n,
      subject: name,
      notBefore: at(-DAY),
      notAfter: at(DAY),
      spki: key.spki,
      extensions: [basicConstraints(), keyUsage(['keyCertSign'])],
    };
    const der = buildCertificate(ca);
    const leaf = AK_PKI.issueLeaf({
      key: vtpm.publicJwk,
      overrides: { signer: key, algorithm: ca.algorithm, issuer: name },
    });
    const ak = { certificate: { der: leaf }, chain: pemOf(der) };
    const configured = new Set([createHash('sha256').update(key.spki).digest('hex')]);
    const akRoots = { ...AZURE_ROOTS, configured };
    expectVerified(await verifyTpm(machine.evidence({ nonce: NONCE, ak }), { nonce: NONCE, akRoots }));
    expectFailed(await verifyTpm(machine.evidence({ nonce: NONCE, ak }), { nonce: NONCE }), 'ak_cert_untrusted');
  });

  it.each<[string, TpmEvidenceOptions, string]>([
    ['a byte behind the DER', { certificate: { filling: Uint8Array.of(0, 1) } }, '/evidence/akCertificate'],
    ['a chain that is no PEM', { certificate: { chain: 'AAAA' } }, '/evidence/akChain'],
    ['line feeds as its chain', { certificate: { chain: '\n'.repeat(770_000) } }, '/evidence/akChain'],
    [
      'more than 16 KiB of DER',
      {
        certificate: { extensions: (all) => [...all, { oid: '1.2.3.4', value: octetString(new Uint8Array(16_384)) }] },
      },
      '/evidence/akCertificate',
    ],
  ])('REQ-19 is malformed with %s', async (_, options, pointer) => {
    await expectMalformed(judge(options), 'cert_format', pointer);
  });

  it('may have the zeros of its NV index behind it', async () => {
    expectVerified(await judge({ certificate: { filling: new Uint8Array(2000) } }));
  });
});

describe('the quote of a vTPM', () => {
  const withPcrs = (change: (values: Map<number, Uint8Array>) => void, bank: PcrBank = 'sha256'): TpmQuoteInput => {
    const quote = MACHINE.vtpm.quote({ extraData: NONCE });
    const values = new Map(quote.pcrs.get('sha256'));
    change(values);
    return { ...quote, pcrs: new Map([[bank, values]]) };
  };
  const judgeQuote = (tpmQuote: TpmQuoteInput) => verifyTpm({ ...MACHINE.evidence(), tpmQuote }, { nonce: NONCE });

  it('TPM-01 is denied with another magic', async () => {
    await expectNothing({ quote: { magic: 0xff544348 } }, 'tpm_magic');
  });

  it('TPM-02 is denied where the structure is no quote, and malformed with bytes behind it', async () => {
    for (const type of [0x8014, 0x8017, 0x8019, 0x801a]) await expectNothing({ quote: { type } }, 'tpm_not_quote');
    const trailing = Uint8Array.of(0);
    await expectMalformed(judge({ quote: { trailing } }), 'tpm_format', '/evidence/tpmQuote/message');
  });

  it.each([
    ['empty', new Uint8Array()],
    ['a prefix', NONCE.subarray(0, 31)],
    ['longer', Uint8Array.from([...NONCE, 0])],
    ['of another session', OTHER_NONCE],
    ['X for a key', boundValue(NONCE, JWK)],
  ])('TPM-03 is denied with extraData that is %s', async (_, extraData) => {
    const found = await judge({ quote: { extraData } });
    expectFailed(found, 'nonce_mismatch');
    expect(found.bound).toEqual([]);
  });

  it('TPM-03 twin: binds nonce and key, and no other key', async () => {
    const open = tpmOnlyVerifier().open(MACHINE.evidence({ nonce: NONCE, jwk: JWK }));
    expectVerified(await open.verify(contextOf({ nonce: NONCE, jwk: JWK })));
    const context = { ...contextOf({}), binding: expectedBinding(NONCE, OTHER_JWK) };
    expectFailed(await open.verify(context), 'nonce_mismatch');
  });

  it('TPM-04, TPM-05 is denied with values that are not exactly those of the selection', async () => {
    const forged = new Uint8Array(32).fill(0xf0);
    const eight = MACHINE.vtpm.quote({ extraData: NONCE, selections: [{ bank: 'sha256', indices: [0, 7] }] });
    const values = new Map([...(eight.pcrs.get('sha256') ?? []), [8, forged] as const]);
    expectFailed(await judgeQuote({ ...eight, pcrs: new Map([['sha256', values]]) }), 'tpm_pcr_selection');
    expectFailed(await judgeQuote(withPcrs((all) => all.delete(3))), 'tpm_pcr_selection');
    await expectMalformed(judgeQuote(withPcrs(() => {}, 'sha384')), 'tpm_format', '/evidence/tpmQuote/pcrs/sha384/0');
    expectFailed(await judge({ quote: { selections: [] } }), 'tpm_pcr_selection');
  });

  it('TPM-05 is denied with values that do not hash to the signed digest, in whatever place', async () => {
    const swapped = withPcrs((all) => {
      const [one = new Uint8Array(), two = new Uint8Array()] = [all.get(1), all.get(2)];
      all.set(1, two).set(2, one);
    });
    const found = await judgeQuote(swapped);
    expectFailed(found, 'tpm_pcr_digest');
    expect(found.claims.tpm?.pcrs).toEqual({ sha256: {} });
  });

  it('TPM-06 is denied with SHA-1 alone, for its values and for its signature', async () => {
    expectFailed(await judge({ quote: { selections: [{ bank: 'sha1', indices: [0, 7] }] } }), 'tpm_weak_bank');
    await expectNothing({ quote: { signing: { hash: 'sha1', form: 'tpmt' } } }, 'tpm_weak_signature');
  });

  it.each([31, 33])('TPM-07 is malformed with a value of %i bytes', async (length) => {
    const quote = withPcrs((all) => all.set(7, new Uint8Array(length)));
    await expectMalformed(judgeQuote(quote), 'tpm_format', '/evidence/tpmQuote/pcrs/sha256/7');
  });

  it('TPM-08 is denied with a signature of another scheme, and malformed with one that is too short', async () => {
    const genuine = MACHINE.vtpm.quote({ extraData: NONCE });
    const labelled = { ...genuine, signature: buildTpmtSignature('rsapss', 'sha256', genuine.signature) };
    expectFailed(await judgeQuote(labelled), 'tpm_signature');
    const short = { ...genuine, signature: genuine.signature.subarray(1) };
    await expectMalformed(judgeQuote(short), 'tpm_format', '/evidence/tpmQuote/signature');
  });

  it('is denied where firmware measured nothing', async () => {
    const machine = await createTrustedLaunchMachine({ pki: AK_PKI });
    machine.vtpm.setPcr('sha256', 7, new Uint8Array(32));
    expectFailed(await verifyTpm(machine.evidence({ nonce: NONCE }), { nonce: NONCE }), 'tpm_pcr');
  });

  it('is never verified with a bit changed in message, signature, values or certificate', async () => {
    const { tpmQuote, ak } = MACHINE.evidence({ nonce: NONCE });
    const der = AK_PKI.issueLeaf({ key: MACHINE.vtpm.publicJwk, vm: 'TrustedVM' });
    const mutants = [
      ...bytesOf(tpmQuote.message).map((message) => ({ tpmQuote: { ...tpmQuote, message }, ak })),
      ...bytesOf(tpmQuote.signature).map((signature) => ({ tpmQuote: { ...tpmQuote, signature }, ak })),
      ...bytesOf(der).map((leaf) => ({ tpmQuote, ak: { ...ak, certificate: { der: leaf } } })),
    ];
    for (const mutant of mutants) {
      const verifying = (async () => verifyTpm({ type: 'tpm', eventLog: null, ...mutant }, { nonce: NONCE }))();
      const outcome = await verifying.then(
        (found) => found.checks.some(({ result }) => result === 'fail'),
        (error: Error) => error.name === 'FormatError',
      );
      expect(outcome).toBe(true);
    }
  });
});

function bytesOf(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from(bytes, (_, index) => flipBit(bytes, index));
}
