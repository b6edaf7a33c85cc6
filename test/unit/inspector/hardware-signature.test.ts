import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { hashed } from '../../../src/crypto/digest.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { recogniseRaw } from '../../../src/inspect/raw-structures.js';
import {
  endsAtOtherRoot,
  type HardwareVerdict,
  type Pins,
  verifyHardware,
} from '../../../src/inspector/hardware-signature.js';
import { type FoundBytes, findBytes, readBytes } from '../../../src/inspector/structures.js';
import {
  createAmdPki,
  createVirtualMachine,
  joinBytes,
  newEcKey,
  pemOf as pem,
  rawPublicKey,
  SnpPlatform,
  type TdQuoteMaking,
} from '../../lab/index.js';
import { algorithmIdentifier } from '../../lab/signing.js';
import { INTEL, PLATFORM, TDX_VM } from '../tee/azure/tdx-fixture.js';
import { NONCE } from '../tee/fixture.js';

const { subtle } = globalThis.crypto;
const pki = createAmdPki();
const vm = await createVirtualMachine({ pki });
const body = (change: JsonObject = {}) => ({
  evidence: { ...(vm.wireEvidence({ nonce: NONCE }) as unknown as JsonObject), ...change },
});
const [askDer = new Uint8Array(), arkDer = new Uint8Array()] = parsePemCertificates(
  pki.chainPem('Milan'),
  'cert_format',
);
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

/** All steps hold but the last, which is this one. */
function expectFailedAt(verdict: HardwareVerdict, what: string): void {
  expect(verdict).toMatchObject({ state: 'failed' });
  const steps = verdict.state === 'open' ? [] : verdict.steps;
  expect(steps.at(-1)).toEqual({ what, holds: false });
  expect(steps.slice(0, -1).map(({ holds }) => holds)).toEqual(steps.slice(1).map(() => true));
}

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

  it('does not verify under a root of the other vendor', async () => {
    const verdict = await verify(body(), { amd: PINS.intel, intel: PINS.amd });
    expect(verdict.state === 'failed' && lastStep(verdict)).toBe('its key is a pinned root of AMD');
  });

  it.each([
    [0, 'SEV-Milan signed SEV-VCEK'],
    [1, 'ARK-Milan signed SEV-Milan'],
    [2, 'ARK-Milan signed itself'],
  ])('does not verify where certificate %i of the chain has another signature', async (index, step) => {
    const chain = [vm.platform.vek.der, askDer, arkDer];
    const altered = chain.map((der, at) => base64Url(at === index ? flipped(der, der.byteLength - 1) : der));
    const evidence = (certificates: readonly string[]) => ({
      evidence: { report: base64Url(vm.platform.report()), certificates },
    });
    expect(await verify(evidence(chain.map(base64Url)))).toMatchObject({ state: 'verified' });
    expectFailedAt(await verify(evidence(altered)), step);
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
    const verdict = await verify(body({ report: report(other) }));
    const why = 'there are several hardware reports, /evidence/hclReport and /evidence/report: give one of them';
    expect(verdict).toEqual({ state: 'open', why });
    expect(await verify(body({ quote: report(quote) }))).toMatchObject({ state: 'open' });
  });

  it('are not looked for where the sender chooses the bytes', async () => {
    const genuine = report(vm.hclReport({ nonce: NONCE }).subarray(32, 32 + 1184));
    const { endorsements = {} } = body().evidence as JsonObject;
    for (const name of ['runtimeData', 'runtime_data', 'userData', 'initData', 'nonce']) {
      const verdict = await verify({ evidence: { type: 'snp', [name]: genuine, endorsements } });
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
    expect(verdict.state === 'verified' && lastStep(verdict)).toBe(
      "MRSIGNER and ISVPRODID of the quoting enclave are Intel's",
    );
    expect(verdict.state === 'verified' && verdict.steps.slice(0, 4).map(({ what }) => what)).toEqual([
      'the attestation key signed the quote',
      'the quoting enclave vouches for the attestation key',
      'the quoting enclave is no debug enclave',
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

  it('does not verify with a debug enclave, though the PCK signed its report', async () => {
    const attributes = Uint8Array.of(3, ...new Uint8Array(15));
    expectFailedAt(
      await verifyQuote(PLATFORM.quote({ qeReport: { attributes } })),
      'the quoting enclave is no debug enclave',
    );
  });

  it.each([
    ['signer', { mrSigner: new Uint8Array(32).fill(7) }],
    ['product', { isvProdId: 1 }],
  ])('is left open with a quoting enclave of another %s, which the PCK signed', async (_what, qeReport) => {
    const why =
      "MRSIGNER or ISVPRODID of the quoting enclave is not Intel's as this page knows it, though every signature holds up to Intel's root";
    expect(await verifyQuote(PLATFORM.quote({ qeReport }))).toEqual({ state: 'open', why });
    expectFailedAt(
      await verifyQuote(PLATFORM.quote({ qeReport, pckKey: OTHER.privateKey })),
      'the PCK signed the report of the quoting enclave',
    );
    expectFailedAt(
      await verifyQuote(PLATFORM.quote({ qeReport }), { ...PINS, intel: PINS.amd }),
      'its key is a pinned root of Intel',
    );
  });

  const OTHER = newEcKey('prime256v1');
  const QE_SIGNED = 'the quoting enclave vouches for the attestation key';
  const AUTH_DATA = Uint8Array.from({ length: 32 }, (_, index) => index);
  const vouched = (end: Uint8Array) =>
    joinBytes(createHash('sha256').update(rawPublicKey(PLATFORM.attestationKey)).update(AUTH_DATA).digest(), end);
  const LAST_BYTE = Uint8Array.of(...new Uint8Array(31), 1);
  const FIRST_BYTE = Uint8Array.of(1, ...new Uint8Array(31));

  it.each<readonly [string, TdQuoteMaking, string]>([
    ['another key signed', { quoteSigner: OTHER.privateKey }, 'the attestation key signed the quote'],
    [
      'the signature has another byte',
      { signature: (bytes) => flipped(bytes, 63) },
      'the attestation key signed the quote',
    ],
    [
      'the version is another than was signed',
      { signedPart: (bytes) => flipped(bytes, 47) },
      'the attestation key signed the quote',
    ],
    [
      'the attestation key is one that nobody vouches for',
      { quoteSigner: OTHER.privateKey, attestationKeyBytes: () => rawPublicKey(OTHER) },
      QE_SIGNED,
    ],
    ['the authentication data are others', { qeAuthDataInQuote: new Uint8Array(32) }, QE_SIGNED],
    ['the authentication data are missing', { qeAuthDataInQuote: new Uint8Array() }, QE_SIGNED],
    [
      'the second half of REPORTDATA ends with another byte',
      { qeReport: { reportData: vouched(LAST_BYTE) } },
      QE_SIGNED,
    ],
    [
      'the second half of REPORTDATA begins with another byte',
      { qeReport: { reportData: vouched(FIRST_BYTE) } },
      QE_SIGNED,
    ],
    ['REPORTDATA is zero', { qeReport: { reportData: new Uint8Array(64) } }, QE_SIGNED],
    [
      'another PCK signed the report of the quoting enclave',
      { pckKey: OTHER.privateKey },
      'the PCK signed the report of the quoting enclave',
    ],
    [
      'the report of the quoting enclave is another than was signed',
      { signedQeReport: (bytes) => flipped(bytes, 64) },
      'the PCK signed the report of the quoting enclave',
    ],
    [
      'the chain is that of another platform',
      { pckChain: INTEL.issuePck().chainPem },
      'the PCK signed the report of the quoting enclave',
    ],
  ])('does not verify where %s', async (_what, making, step) => {
    expect(await verifyQuote(PLATFORM.quote())).toMatchObject({ state: 'verified' });
    expectFailedAt(await verifyQuote(PLATFORM.quote(making)), step);
  });

  it('verifies REPORTDATA of the quoting enclave that is made as above, and ends with zeros', async () => {
    const reportData = vouched(new Uint8Array(32));
    expect(await verifyQuote(PLATFORM.quote({ qeReport: { reportData } }))).toMatchObject({ state: 'verified' });
  });

  it.each([
    [0, 'Intel SGX PCK Platform CA signed Intel SGX PCK Certificate'],
    [1, 'Intel SGX Root CA signed Intel SGX PCK Platform CA'],
    [2, 'Intel SGX Root CA signed itself'],
  ])('does not verify where certificate %i of the chain has another signature', async (index, step) => {
    const ders = parsePemCertificates(PLATFORM.pck.chainPem, 'cert_chain');
    const pckChain = ders.map((der, at) => pem(at === index ? flipped(der, der.byteLength - 1) : der)).join('');
    expectFailedAt(await verifyQuote(PLATFORM.quote({ pckChain })), step);
  });

  it('does not verify where it cannot be read, and says why', async () => {
    const cut: FoundBytes = {
      pointer: '',
      kind: 'td-quote',
      bytes: quote.subarray(0, 100),
      structures: [],
      problem: null,
    };
    const verdict = await verifyHardware([cut], subtle, PINS);
    expect(verdict).toEqual({
      state: 'failed',
      steps: [{ what: expect.stringMatching(/^can be read: /), holds: false }],
    });
    expect(endsAtOtherRoot(verdict)).toBe(false);
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

describe('the pins of the vendors', () => {
  /** WebCrypto for which the key of a root has this digest. */
  const withDigest = (root: Uint8Array, digest: string) =>
    ({
      importKey: subtle.importKey.bind(subtle),
      verify: subtle.verify.bind(subtle),
      digest: (name: string, data: Uint8Array<ArrayBuffer>) =>
        Buffer.from(parseCertificate(root).spki).equals(data)
          ? Promise.resolve(Uint8Array.from(Buffer.from(digest, 'hex')).buffer)
          : subtle.digest(name, data),
    }) as unknown as typeof subtle;
  const snpUnder = (digest: string) => verifyHardware(findBytes(body()), withDigest(arkDer, digest));
  const tdxUnder = (digest: string) =>
    verifyHardware(findBytes({ evidence: { quote: base64Url(quote) } }), withDigest(rootOf(quote), digest));

  it.each([
    ['ARK-Milan', '9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9'],
    ['ARK-Genoa', '429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831'],
    ['ARK-Turin', '4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08'],
  ])('have the key of %s for reports, and not for quotes', async (_name, digest) => {
    expect(await snpUnder(digest)).toMatchObject({ state: 'verified' });
    expectFailedAt(await tdxUnder(digest), 'its key is a pinned root of Intel');
  });

  it('have the key of the Intel SGX Root CA for quotes, and not for reports', async () => {
    const digest = 'a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e';
    expect(await tdxUnder(digest)).toMatchObject({ state: 'verified' });
    expectFailedAt(await snpUnder(digest), 'its key is a pinned root of AMD');
  });
});

describe('a genuine report beside what is judged', () => {
  const report = vm.hclReport({ nonce: NONCE }).subarray(32, 32 + 1184);
  /** A report that is an event log of one bank, too: an event of type 1 with 1152 bytes of data. */
  const twoThings = () => {
    const both = Buffer.from(report);
    both.writeUInt32LE(1, 4);
    both.writeUInt32LE(1152, 28);
    return both;
  };

  it('is about bytes that are two things', () => {
    expect(recogniseRaw(twoThings())).toEqual(['snp-report', 'event-log']);
  });
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
      why: expect.stringMatching(/^\/evidence\/filling\/60 was not read: this page looks at 64 structures, /),
    });
  });

  const UNKNOWN = ' was not read: it looks like nothing that is known, or like several things';
  it.each([
    ['can be read as two things', twoThings, UNKNOWN],
    ['is of no kind that is known', () => Buffer.alloc(1184, 7), UNKNOWN],
    ['is a list of bytes of no kind', () => [...Buffer.alloc(1184, 7)], UNKNOWN],
    ['is no base64', () => '!'.repeat(64), UNKNOWN],
    ['is too short', () => 'AA', UNKNOWN],
    [
      'is malformed',
      () => flipped(report, 0x4c),
      ' looks like an SNP report, and cannot be read: reserved bytes in 0x4c-0x4f are not zero',
    ],
    ['is PEM', () => pki.chainPem('Milan'), ' is certificates or CRLs in PEM, and no report or quote'],
  ])('does not stand in for one that %s', async (_what, make, why) => {
    const made = make();
    const { endorsements } = body().evidence as JsonObject;
    const judged = made instanceof Uint8Array ? base64Url(made) : made;
    const evidence = { report: judged, quote: base64Url(report), endorsements: endorsements ?? null };
    expect(await verify({ evidence })).toEqual({ state: 'open', why: `/evidence/report${why}` });
  });
});

describe('a file that is no report that can be verified', () => {
  const tdReport = Buffer.alloc(1024);
  tdReport[0] = 0x81;

  it.each([
    [
      'a report with reserved bytes that are not zero',
      flipped(vm.platform.report(), 0x4c),
      'the file looks like an SNP report, and cannot be read: reserved bytes in 0x4c-0x4f are not zero',
    ],
    ['a TDREPORT', tdReport, 'only its own machine can verify a TDREPORT, and a TD quote did not come with it'],
    ['a certificate', vm.platform.vek.der, 'there is no hardware report'],
  ])('is left open, and why: %s', async (_what, bytes, why) => {
    expect(await verifyQuote(bytes)).toEqual({ state: 'open', why });
  });

  it('is not told so by a TDREPORT that is not judged', async () => {
    expect(await verify({ evidence: { other: base64Url(tdReport) } })).toEqual({
      state: 'open',
      why: 'there is no hardware report',
    });
  });

  it('is left open where it is an HCL report of a TD without its quote', async () => {
    const { hclReport, tdQuote } = TDX_VM.evidence();
    const [of, all] = [hclReport, tdQuote].map(base64Url);
    expect(await verify({ evidence: { hclReport: of ?? '' } })).toMatchObject({
      why: expect.stringMatching(/TDREPORT/),
    });
    expect(await verify({ evidence: { hclReport: of ?? '', tdQuote: all ?? '' } })).toMatchObject({
      state: 'verified',
    });
  });
});

describe('certificates of others', () => {
  it('are not taken for the key of AMD, whatever their curve', async () => {
    const platform = new SnpPlatform({ pki });
    // A VLEK is a key of AMD's too, and not the one that KEY_INFO names.
    const other = new SnpPlatform({ pki, signingKey: 'vlek' }).vek;
    const evidence = { report: base64Url(platform.report()), akCertificate: base64Url(other.der) };
    expect(await verify({ evidence })).toEqual({ state: 'open', why: 'no VCEK or VLEK came with the evidence' });
    const whole = { ...evidence, keys: [base64Url(platform.vek.der)], chain: pki.chainPem('Milan') };
    expect(await verify({ evidence: whole })).toMatchObject({ state: 'verified' });
  });
});

describe('a certificate of an algorithm that the page does not know', () => {
  const ECDSA_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
  const ECDSA_SHA384 = Buffer.from('06082a8648ce3d040303', 'hex');
  const SHA384 = Buffer.from('0609608648016503040202', 'hex');
  const SHA512 = Buffer.from('0609608648016503040203', 'hex');

  /** The certificate with one text in place of another, from the nth time it stands there. */
  function rewritten(der: Uint8Array, [from, to]: readonly [Buffer, Buffer], first = 0): Uint8Array {
    const made = Buffer.from(der);
    const places = [...der.keys()].filter((at) => made.subarray(at, at + from.byteLength).equals(from));
    for (const at of places.slice(first)) to.copy(made, at);
    return made;
  }

  const quoteWith = (change: (der: Uint8Array, index: number) => Uint8Array) =>
    PLATFORM.quote({
      pckChain: parsePemCertificates(PLATFORM.pck.chainPem, 'cert_chain')
        .map(change)
        .map((der) => pem(der))
        .join(''),
    });
  const ofUnknown = (name: string) => ({
    state: 'open',
    why: `the signature of ${name} is of an algorithm that this page does not know`,
  });

  it.each([
    [0, 'Intel SGX PCK Certificate'],
    [1, 'Intel SGX PCK Platform CA'],
    [2, 'Intel SGX Root CA'],
  ])('leaves a quote open: certificate %i', async (position, name) => {
    const unknown = quoteWith((der, index) =>
      index === position ? rewritten(der, [ECDSA_SHA256, ECDSA_SHA384]) : der,
    );
    expect(await verifyQuote(unknown)).toEqual(ofUnknown(name));
  });

  it.each([0, 1, 2])('fails where the quote itself is altered: certificate %i', async (position) => {
    const unknown = quoteWith((der, index) =>
      index === position ? rewritten(der, [ECDSA_SHA256, ECDSA_SHA384]) : der,
    );
    expectFailedAt(await verifyQuote(flipped(unknown, 48 + 136)), 'the attestation key signed the quote');
  });

  it('leaves a report open', async () => {
    const keys = [rewritten(vm.platform.vek.der, [SHA384, SHA512]), askDer, arkDer].map(base64Url);
    const evidence = { report: base64Url(vm.platform.report()), keys };
    expect(await verify({ evidence })).toEqual(ofUnknown('SEV-VCEK'));
  });

  it('fails where that is not the algorithm that was signed', async () => {
    const altered = quoteWith((der, index) => (index === 0 ? rewritten(der, [ECDSA_SHA256, ECDSA_SHA384], 1) : der));
    expectFailedAt(await verifyQuote(altered), 'Intel SGX PCK Platform CA signed Intel SGX PCK Certificate');
  });

  it('fails where the report itself is altered', async () => {
    const keys = [rewritten(vm.platform.vek.der, [SHA384, SHA512]), askDer, arkDer].map(base64Url);
    const report = base64Url(flipped(vm.platform.report(), 0x90));
    expectFailedAt(await verify({ evidence: { report, keys } }), 'SEV-VCEK signed the report at /evidence/report');
  });
});

describe('a certificate that names two signature algorithms', () => {
  const platform = new SnpPlatform({ pki });
  const sha512 = algorithmIdentifier({ scheme: 'ecdsa', hash: 'sha512' });

  it('fails, though its issuer signed it so: the key of a report', async () => {
    const { product, tcb, chipId, vek } = platform;
    const made = (innerAlgorithm?: Uint8Array) =>
      pki.issueVcek({
        product,
        tcb,
        chipId,
        key: vek.key,
        overrides: innerAlgorithm === undefined ? {} : { innerAlgorithm },
      });
    const given = (der: Uint8Array) => ({
      evidence: { report: base64Url(platform.report()), keys: [der, askDer, arkDer].map(base64Url) },
    });
    expect(await verify(given(made().der))).toMatchObject({ state: 'verified' });
    expectFailedAt(await verify(given(made(sha512).der)), 'SEV-Milan signed SEV-VCEK');
  });

  it('fails, though its issuer signed it so: a PCK', async () => {
    const quoteOf = (overrides: object) => {
      const pck = INTEL.issuePck({ overrides });
      return PLATFORM.quote({ pckKey: pck.key.privateKey, pckChain: pck.chainPem });
    };
    expect(await verifyQuote(quoteOf({}))).toMatchObject({ state: 'verified' });
    expectFailedAt(
      await verifyQuote(quoteOf({ innerAlgorithm: sha512 })),
      'Intel SGX PCK Platform CA signed Intel SGX PCK Certificate',
    );
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
