import { describe, expect, it } from 'vitest';
import { hashed } from '../../../src/crypto/digest.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { endsAtOtherRoot, type Pins, verifyHardware } from '../../../src/inspector/hardware-signature.js';
import { findBytes, readBytes } from '../../../src/inspector/structures.js';
import type { JsonObject } from '../../../src/model/json.js';
import { createAmdPki, createVirtualMachine, SnpPlatform } from '../../lab/index.js';
import { PLATFORM, TDX_VM } from '../verifiers/azure-cvm/tdx-fixture.js';
import { NONCE } from '../verifiers/fixture.js';

const { subtle } = globalThis.crypto;
const pki = createAmdPki();
const vm = await createVirtualMachine({ pki });
const body = (change: JsonObject = {}) => ({
  evidence: { ...(vm.wireEvidence({ nonce: NONCE }) as unknown as JsonObject), ...change },
});
const [, arkDer = new Uint8Array()] = parsePemCertificates(pki.chainPem('Milan'), 'cert_format');
const quote = TDX_VM.evidence().tdQuote;
const pinOf = (der: Uint8Array) => hashed(parseCertificate(der).spki).sha256;
const rootOf = (bytes: Uint8Array) => {
  const text = Buffer.from(bytes).toString('latin1');
  const chain = text.slice(text.indexOf('-----BEGIN'), text.lastIndexOf('-----END CERTIFICATE-----') + 25);
  return parsePemCertificates(chain, 'cert_chain').at(-1) ?? new Uint8Array();
};
const PINS: Pins = { amd: new Set([pinOf(arkDer)]), intel: new Set([pinOf(rootOf(quote))]) };

const verify = (value: JsonObject, pins = PINS) => verifyHardware(findBytes(value), subtle, pins);
const verifyQuote = (bytes: Uint8Array, pins = PINS) => {
  const found = readBytes(bytes);
  return verifyHardware(found === null ? [] : [found], subtle, pins);
};
const base64Url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
const lastStep = ({ steps }: { readonly steps: readonly { readonly what: string }[] }) => steps.at(-1)?.what;

describe('the signature of an SNP report', () => {
  it('is verified up to the pinned root, step by step', async () => {
    const verdict = await verify(body());
    expect(verdict.state).toBe('verified');
    expect(endsAtOtherRoot(verdict)).toBe(false);
    expect(verdict.state === 'verified' && verdict.steps.map(({ what }) => what)).toEqual([
      'SEV-VCEK signed the report at /evidence/hclReport',
      'SEV-Milan signed SEV-VCEK',
      'ARK-Milan signed SEV-Milan',
      'ARK-Milan signed itself',
      'its key is a pinned root of AMD',
    ]);
  });

  it('ends at the first step that does not hold', async () => {
    const hclReport = Buffer.from(flipped(vm.hclReport({ nonce: NONCE }), 32 + 0x90)).toString('base64url');
    const verdict = await verify(body({ hclReport }));
    expect(verdict).toEqual({
      state: 'failed',
      steps: [{ what: 'SEV-VCEK signed the report at /evidence/hclReport', holds: false }],
    });
    expect(endsAtOtherRoot(verdict)).toBe(false);
  });

  it('does not verify under a root that is not pinned', async () => {
    const verdict = await verify(body(), { ...PINS, amd: new Set() });
    expect(verdict.state === 'failed' && lastStep(verdict)).toBe('its key is a pinned root of AMD');
    expect(endsAtOtherRoot(verdict)).toBe(true);
  });

  it('does not verify under a chain of another PKI of the same names', async () => {
    const chain = createAmdPki({ keys: 'other' }).chainPem('Milan');
    const evidence = body().evidence as JsonObject;
    const verdict = await verify(body({ endorsements: { ...(evidence['endorsements'] as JsonObject), chain } }));
    expect(verdict.state === 'failed' && lastStep(verdict)).toBe('SEV-Milan signed SEV-VCEK');
  });

  it('is left open without a key certificate, without its chain, and without WebCrypto', async () => {
    const evidence = body().evidence as JsonObject;
    const { chain: _chain, ...vekAlone } = evidence['endorsements'] as JsonObject;
    expect(await verify(body({ endorsements: {} }))).toEqual({
      state: 'open',
      why: 'no VCEK or VLEK came with the evidence',
    });
    expect(await verify(body({ endorsements: vekAlone }))).toEqual({
      state: 'open',
      why: 'the certificate SEV-Milan did not come with the evidence',
    });
    expect(await verifyHardware(findBytes(body()), null)).toMatchObject({
      state: 'open',
      why: expect.stringContaining('WebCrypto'),
    });
    expect(await verify({ text: 'no evidence' })).toEqual({ state: 'open', why: 'there is no hardware report' });
  });
});

describe('several hardware reports', () => {
  const report = base64Url;

  it('are none that this page can choose among', async () => {
    const other = flipped(vm.hclReport({ nonce: NONCE }), 32 + 0x90).subarray(32, 32 + 1184);
    const verdict = await verify(body({ other: report(other) }));
    const why = 'there are several hardware reports, /evidence/hclReport and /evidence/other: give one of them';
    expect(verdict).toEqual({ state: 'open', why });
    expect(await verify(body({ quote: report(quote) }))).toMatchObject({ state: 'open' });
  });

  it('are not looked for where the sender chooses the bytes', async () => {
    const genuine = report(vm.hclReport({ nonce: NONCE }).subarray(32, 32 + 1184));
    const { endorsements = {} } = body().evidence as JsonObject;
    for (const name of ['runtimeData', 'runtime_data', 'userData', 'initData', 'nonce']) {
      const verdict = await verify({ evidence: { type: 'snp', report: 'AA', [name]: genuine, endorsements } });
      expect([name, verdict]).toEqual([name, { state: 'open', why: 'there is no hardware report' }]);
    }
  });

  it('are one where they are the same bytes', async () => {
    const same = vm.hclReport({ nonce: NONCE });
    const value = body({ hclReport: report(same) });
    expect(await verify({ ...value, again: report(same.subarray(32, 32 + 1184)) })).toMatchObject({
      state: 'verified',
    });
  });
});

describe('the signature of a TD quote', () => {
  it('is verified up to the pinned root, with the quoting enclave between', async () => {
    const verdict = await verifyQuote(quote);
    expect(verdict.state).toBe('verified');
    expect(verdict.state === 'verified' && verdict.steps.slice(0, 4).map(({ what }) => what)).toEqual([
      'the attestation key signed the quote',
      'the quoting enclave vouches for the attestation key',
      "the quoting enclave is Intel's, and no debug enclave",
      'the PCK signed the report of the quoting enclave',
    ]);
  });

  it.each([
    ['its body', 48 + 136, 'the attestation key signed the quote'],
    ['the attestation key', 48 + 584 + 4 + 64, 'the attestation key signed the quote'],
  ])('does not verify with a bit flipped in %s', async (_part, at, step) => {
    const verdict = await verifyQuote(flipped(quote, at));
    expect(verdict.state === 'failed' && lastStep(verdict)).toBe(step);
  });

  it.each([
    ['another signer', { mrSigner: new Uint8Array(32).fill(7) }],
    ['another product', { isvProdId: 1 }],
    ['a debug enclave', { attributes: Uint8Array.of(3, ...new Uint8Array(15)) }],
  ])('does not verify with a quoting enclave of %s, though the PCK signed its report', async (_what, qeReport) => {
    const verdict = await verifyQuote(PLATFORM.quote({ qeReport }), {
      ...PINS,
      intel: new Set([pinOf(rootOf(PLATFORM.quote()))]),
    });
    expect(verdict.state === 'failed' && lastStep(verdict)).toBe(
      "the quoting enclave is Intel's, and no debug enclave",
    );
  });

  it('does not verify under a root that is not pinned', async () => {
    const verdict = await verifyQuote(quote, { ...PINS, intel: PINS.amd });
    expect(verdict.state === 'failed' && lastStep(verdict)).toBe('its key is a pinned root of Intel');
  });

  it('is of the platform of the lab, whose root is not pinned for real', async () => {
    const found = readBytes(PLATFORM.quote());
    expect(await verifyHardware(found === null ? [] : [found], subtle)).toMatchObject({ state: 'failed' });
  });
});

describe('a genuine report beside what is judged', () => {
  const report = vm.hclReport({ nonce: NONCE }).subarray(32, 32 + 1184);
  const forged = base64Url(flipped(report, 0x90));

  it('counts for nothing outside of the evidence', async () => {
    const binding = { jwk: { n: base64Url(report) } };
    const { endorsements } = body().evidence as JsonObject;
    const evidence = { type: 'snp', report: forged, endorsements: endorsements ?? null };
    expect(await verify({ binding, evidence })).toMatchObject({ state: 'failed' });
    expect(
      await verify({
        binding,
        evidence: { type: 'snp', report: base64Url(report), endorsements: endorsements ?? null },
      }),
    ).toMatchObject({ state: 'verified' });
  });

  it('makes nothing verified where not all was looked at', async () => {
    const { endorsements } = body().evidence as JsonObject;
    const evidence = { report: base64Url(report), endorsements: endorsements ?? null };
    const filling = Array.from({ length: 64 }, (_, index) =>
      base64Url(pki.issueCrl({ product: 'Milan', number: index + 1 })),
    );
    expect(await verify({ evidence: { ...evidence, filling, last: forged } })).toEqual({
      state: 'open',
      why: 'not all of what was given was looked at',
    });
  });
});

describe('a host that brings VCEK and VLEK', () => {
  it.each([
    ['vcek', 'vlek'],
    ['vlek', 'vcek'],
  ] as const)('is verified by the one that KEY_INFO names: %s before %s', async (...order) => {
    const both = { vcek: new SnpPlatform({ pki }), vlek: new SnpPlatform({ pki, signingKey: 'vlek' }) };
    for (const signer of order) {
      const chain = pki.chainPem('Milan', signer);
      const evidence = {
        report: base64Url(both[signer].report()),
        keys: order.map((kind) => base64Url(both[kind].vek.der)),
        chain,
      };
      const arks = parsePemCertificates(chain, 'cert_format').map(pinOf);
      expect(await verify({ evidence }, { ...PINS, amd: new Set(arks) })).toMatchObject({ state: 'verified' });
    }
  });
});

describe('an exception while it is verified', () => {
  const throwing = (name: 'importKey' | 'verify' | 'digest', error: Error) =>
    ({
      importKey: subtle.importKey.bind(subtle),
      verify: subtle.verify.bind(subtle),
      digest: subtle.digest.bind(subtle),
      [name]: () => Promise.reject(error),
    }) as unknown as typeof subtle;
  const verifyBy = (crypto: typeof subtle) =>
    verifyHardware(findBytes({ evidence: { quote: base64Url(quote) } }), crypto, PINS);
  const METHODS = ['importKey', 'verify', 'digest'] as const;

  it.each(METHODS)('fails the step where WebCrypto refuses what it is given: %s', async (name) => {
    const verdict = await verifyBy(throwing(name, new DOMException('no such point', 'DataError')));
    expect(verdict).toMatchObject({ state: 'failed' });
    expect(verdict.state === 'failed' && verdict.steps.at(-1)).toMatchObject({ holds: false });
  });

  it.each(METHODS)('is no verdict where the page has an error: %s', async (name) => {
    await expect(verifyBy(throwing(name, new TypeError('a bug')))).rejects.toThrow('a bug');
  });
});
