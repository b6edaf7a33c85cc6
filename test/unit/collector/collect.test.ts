import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CollectRequest, collect, GUEST_PLACES, type GuestMachine } from '../../../src/collector/collect.js';
import { CollectError } from '../../../src/collector/collect-error.js';
import { UnfitFileError } from '../../../src/collector/files.js';
import { ALL_PCRS } from '../../../src/collector/pcr-values.js';
import type { TsmEntry } from '../../../src/collector/tsm-report.js';
import { readVerifyRequest } from '../../../src/wire/read-requests.js';
import { BASELINE, judge, verifiersOf } from '../../judge.js';
import {
  buildHclReport,
  buildRuntimeClaims,
  createAmdPki,
  createAzureAkPki,
  createIntelPki,
  createTdxVirtualMachine,
  createVirtualMachine,
  LabInstanceMetadata,
  TdxPlatform,
  type TdxVirtualMachine,
  type VirtualMachine,
  VirtualTpm,
} from '../../lab/index.js';
import { FakeTools } from './fake-tools.js';

const USER_DATA = 0x01400002;
const AK_CERTIFICATE = 0x01c101d0;
const NONCE = Uint8Array.from(randomBytes(32));
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const AT = new Date();

const pki = createAmdPki();
const intelPki = createIntelPki();
let vtpm: VirtualTpm;
let snp: VirtualMachine;
let tdx: TdxVirtualMachine;
let metadata: LabInstanceMetadata;
let folder: string;
let tools: FakeTools;
let warnings: string[];

beforeAll(async () => {
  vtpm = await VirtualTpm.create();
  snp = await createVirtualMachine({ pki, vtpm });
  tdx = await createTdxVirtualMachine({ platform: new TdxPlatform({ pki: intelPki }), vtpm });
  metadata = await LabInstanceMetadata.start({
    snp: snp.platform,
    tdQuote: (tdReport) => tdx.tdQuote({ tdQuote: { fields: { reportData: tdReport.slice(128, 192) } } }),
  });
});

afterAll(() => metadata.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-collect-test-'));
  tools = new FakeTools(vtpm);
  warnings = [];
  await metadata.heal();
  return () => rm(folder, { recursive: true });
});

function world(changes: Partial<GuestMachine> = {}): GuestMachine {
  const none = join(folder, 'none');
  const logs = {
    firmware: join(folder, 'firmware.log'),
    system: join(folder, 'system.log'),
    ccel: join(folder, 'ccel'),
  };
  return {
    places: { tpm: null, metadata: metadata.origin, lock: join(folder, 'lock'), tsm: none, logs },
    run: tools.run,
    openTsmEntry: async () => {
      throw new Error('there is no TSM');
    },
    signal: new AbortController().signal,
    pass: async (ms) => void tools.calls.push(`${ms} ms pass`),
    warn: (message) => warnings.push(message),
    ...changes,
  };
}

function placesWith(changes: Partial<GuestMachine['places']>): Pick<GuestMachine, 'places'> {
  return { places: { ...world().places, ...changes } };
}

const REQUEST: CollectRequest = {
  nonce: NONCE,
  keyFile: null,
  pcrs: ALL_PCRS,
  akCertificate: false,
  akChainFile: null,
  eventLog: true,
};

async function collected(request: Partial<CollectRequest> = {}, changes: Partial<GuestMachine> = {}) {
  return JSON.parse(await collect({ ...REQUEST, ...request }, world(changes)));
}

/** Code and message of the refusal. */
async function refused(request: Partial<CollectRequest> = {}, changes: Partial<GuestMachine> = {}): Promise<string> {
  const error = await collect({ ...REQUEST, ...request }, world(changes)).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CollectError)) throw new Error('not refused', { cause: error });
  expect(error.remedy).toMatch(/^[A-Z].*[^.]\.$/);
  return `${error.code}: ${error.message}`;
}

const serveSnp = () => tools.serveReports((userData) => snp.hclReport({ claims: { userData } }));
const serveTdx = () => tools.serveReports((userData) => tdx.hclReport({ claims: { userData } }));

function hclReportOf(reportType: number): Uint8Array {
  const runtimeClaims = buildRuntimeClaims({ ak: vtpm.publicJwk, ek: vtpm.publicJwk });
  return buildHclReport({ hardwareReport: new Uint8Array(), runtimeClaims, reportType });
}

describe('a confidential VM on SEV-SNP', () => {
  beforeEach(serveSnp);

  it('gives evidence that is allowed', async () => {
    const text = await collect(REQUEST, world());
    const { evidence, nonce } = readVerifyRequest(Buffer.from(text));
    const endorsements = snp.platform.endorsementSet();
    const decision = await judge(
      evidence,
      { nonce },
      { verifiers: verifiersOf(pki.pins([snp.platform.product])), endorsements, at: AT, policies: [BASELINE] },
    );
    expect([decision.decision, decision.freshness.bound]).toEqual(['allow', ['tpm.extraData', 'hcl.userData']]);
    expect(Object.keys(JSON.parse(text).evidence)).toEqual(['type', 'hclReport', 'tpmQuote', 'endorsements']);
  });

  it('asks the tools in this order, and defines no index for longer than it takes', async () => {
    await collected({ pcrs: [0, 7] });
    const padded = Buffer.from(NONCE).toString('hex');
    expect(tools.calls).toEqual([
      'tpm2_nvreadpublic',
      'tpm2_nvreadpublic',
      'tpm2_nvread -C o 0x01400001',
      'tpm2_getcap handles-persistent',
      'tpm2_nvdefine -C o -s 64 -a ownerread|ownerwrite 0x01400002',
      'tpm2_nvwrite -C o -i nv.bin 0x01400002',
      '3000 ms pass',
      'tpm2_nvread -C o 0x01400001',
      'tpm2_nvundefine -C o 0x01400002',
      `tpm2_quote -c 0x81000003 -l sha256:0,7 -q ${padded} -g sha256 -m quote.msg -s quote.sig -f tss -o pcrs.bin -F values`,
    ]);
    expect(tools.nv.has(USER_DATA)).toBe(false);
  });

  it('puts back the user data that was there', async () => {
    const kept = Uint8Array.from(randomBytes(64));
    tools.write(USER_DATA, kept);
    await collected();
    expect(Buffer.from(tools.nv.get(USER_DATA)?.bytes ?? [])).toEqual(Buffer.from(kept));
  });

  it('leaves zeros in an index that was never written: nothing makes it unwritten again', async () => {
    tools.nv.set(USER_DATA, { size: 64, bytes: null });
    await collected();
    expect(tools.nv.get(USER_DATA)?.bytes).toEqual(Buffer.alloc(64));
  });

  it('puts back the user data after a failure, too', async () => {
    const kept = Uint8Array.from(randomBytes(64));
    tools.write(USER_DATA, kept);
    tools.serveReports(() => snp.hclReport({ claims: { userData: randomBytes(64) } }));
    expect(await refused()).toBe('report_stale: the report does not hold the nonce after 3 readings');
    expect(Buffer.from(tools.nv.get(USER_DATA)?.bytes ?? [])).toEqual(Buffer.from(kept));
    expect(await readdir(folder)).toEqual([]);
  });

  it('says where it could not put the index back, and gives the evidence all the same', async () => {
    tools.faults.set('tpm2_nvundefine', { exitCode: 1, stderr: 'ERROR: Esys_NV_UndefineSpace(0x9A2) - bad auth\n' });
    await collected();
    expect(warnings[0]).toBe(
      'NV index 0x01400002 could not be put back as it was: tool_failed: tpm2_nvundefine ended with 1: Esys_NV_UndefineSpace(0x9A2) - bad auth',
    );
  });

  it.each<[string, Uint8Array | string | null]>([
    ['without user data, as in 2022', null],
    ['of zeros', new Uint8Array(64)],
    ['of another form', 'no hex'],
  ])('takes a report %s: what that means is for the verifier', async (_title, userData) => {
    tools.serveReports(() => snp.hclReport({ claims: { userData } }));
    expect((await collected()).evidence.type).toBe('az-snp-vtpm');
  });

  it.each(['no JSON', '[]', '{"user-data":7}', '{"keys":[],"user-data":"00","vm-configuration":7}'])(
    'takes a report whose runtime claims are malformed: %s',
    async (claims) => {
      const hardwareReport = new Uint8Array();
      tools.serveReports(() => buildHclReport({ hardwareReport, runtimeClaims: Buffer.from(claims), reportType: 2 }));
      expect((await collected()).evidence.type).toBe('az-snp-vtpm');
    },
  );

  it('ends when it is told to, and puts everything back', async () => {
    const stop = new AbortController();
    const { pass, ...byTheClock } = world({ signal: stop.signal });
    const run = collect(REQUEST, byTheClock);
    await expect.poll(() => tools.nv.has(USER_DATA)).toBe(true);
    stop.abort('SIGTERM');
    await expect(run).rejects.toThrow('aborted');
    expect(pass).toBeDefined();
    expect([tools.nv.has(USER_DATA), await readdir(folder)]).toEqual([false, []]);
  });

  it('makes no quote once it was told to end, and puts everything back', async () => {
    const stop = new AbortController();
    const pass = async () => stop.abort('SIGTERM');
    await expect(collect(REQUEST, world({ signal: stop.signal, pass }))).rejects.toBe('SIGTERM');
    expect(tools.calls.at(-1)).toBe('tpm2_nvundefine -C o 0x01400002');
    expect([tools.nv.has(USER_DATA), await readdir(folder)]).toEqual([false, []]);
  });

  it('puts the index back where writing it fails', async () => {
    tools.faults.set('tpm2_nvwrite', { stderr: '' });
    expect(await refused()).toBe('tool_failed: tpm2_nvwrite ended with 1');
    expect([tools.nv.has(USER_DATA), await readdir(folder)]).toEqual([false, []]);
  });

  it('hands files to the tools in a folder of this user alone, which is gone afterwards', async () => {
    const modes = new Map<string, number>();
    const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
    const run: GuestMachine['run'] = async (program, args, place) => {
      modes.set(place, await modeOf(place));
      if (program === 'tpm2_nvwrite') modes.set('nv.bin', await modeOf(join(place, 'nv.bin')));
      return tools.run(program, args, place);
    };
    await collected({}, { run });
    const [[place, mode] = ['', 0]] = [...modes].filter(([name]) => name !== 'nv.bin');
    expect([mode, modes.get('nv.bin'), modes.size]).toEqual([0o700, 0o600, 2]);
    await expect(stat(place)).rejects.toThrow('ENOENT');
  });

  it.each<[string, string, Uint8Array | null, string]>([
    ['no message', 'quote.msg', null, 'there is no such file'],
    ['no signature', 'quote.sig', null, 'there is no such file'],
    ['a message that is none', 'quote.msg', new Uint8Array(100), '59 bytes after the end'],
    ['values of other PCRs', 'pcrs.bin', new Uint8Array(64), '64 bytes are not the values of the 24 PCRs'],
    ['endless values', 'pcrs.bin', new Uint8Array(4097), 'has more than 4096 bytes'],
  ])('tool_failed where tpm2_quote writes %s', async (_title, file, content, why) => {
    const run: GuestMachine['run'] = async (program, args, place) => {
      const ended = await tools.run(program, args, place);
      if (program !== 'tpm2_quote') return ended;
      await rm(join(place, file));
      if (content !== null) await writeFile(join(place, file), content);
      return ended;
    };
    const said = await refused({}, { run });
    expect(said.slice(0, 48)).toBe('tool_failed: tpm2_quote wrote what is no quote: ');
    expect(said).toContain(why);
  });

  it('quotes again where a PCR was extended during a quote', async () => {
    tools.extendedDuring = 4;
    const { evidence } = await collected();
    expect(tools.calls.filter((call) => call.startsWith('tpm2_quote'))).toHaveLength(5);
    expect(evidence.tpmQuote.pcrs.sha256['9']).toBe('01'.repeat(32));
  });

  it('quote_unstable where that happens each time', async () => {
    tools.extendedDuring = 5;
    expect(await refused()).toBe('quote_unstable: a PCR was extended during each of 5 quotes');
  });

  it('quote_unstable where the tool itself finds out each time', async () => {
    tools.faults.set('tpm2_quote', { stderr: 'ERROR: Error validating calculated PCR composite with quote\n' });
    expect(await refused()).toBe('quote_unstable: a PCR was extended during each of 5 quotes');
  });

  it('has the AK certificate where it is asked for, without what fills the index, and its issuers', async () => {
    const issued = createAzureAkPki({ at: AT }).certificate({ key: vtpm.publicJwk, shape: '2025' });
    if (!('der' in issued.certificate)) throw new Error('the certificate is PEM');
    tools.write(AK_CERTIFICATE, issued.certificate.der);
    await writeFile(join(folder, 'issuers.pem'), issued.chain ?? '');
    expect((await collected()).evidence).not.toHaveProperty('akCertificate');
    const { evidence } = await collected({ akCertificate: true, akChainFile: join(folder, 'issuers.pem') });
    const der = Buffer.from(evidence.akCertificate, 'base64url');
    expect(issued.certificate.der.subarray(0, der.length)).toEqual(Uint8Array.from(der));
    // The last byte of a signature can be zero: how long the certificate is, its header says.
    expect(der.byteLength).toBe(4 + der.readUInt16BE(2));
    expect(evidence.akChain).toBe(issued.chain);
  });

  it('has no issuers without the AK certificate that they issued', async () => {
    await writeFile(join(folder, 'issuers.pem'), pki.chainPem('Milan'));
    const { evidence } = await collected({ akCertificate: true, akChainFile: join(folder, 'issuers.pem') });
    expect(evidence).not.toHaveProperty('akChain');
  });

  it('does without the AK certificate of a VM that has none', async () => {
    expect((await collected({ akCertificate: true })).evidence).not.toHaveProperty('akCertificate');
    tools.nv.set(AK_CERTIFICATE, { size: 4096, bytes: null });
    expect((await collected({ akCertificate: true })).evidence).not.toHaveProperty('akCertificate');
  });

  it('has the log of the firmware, and behind it that of the system', async () => {
    await writeFile(join(folder, 'firmware.log'), 'first');
    expect((await collected()).evidence.eventLog).toBe(Buffer.from('first').toString('base64url'));
    await writeFile(join(folder, 'system.log'), 'second');
    const both = ['first', 'second'].map((log) => Buffer.from(log).toString('base64url'));
    expect((await collected()).evidence.eventLog).toEqual(both);
    expect(warnings).toEqual([]);
  });

  it('leaves the logs out where it is told to, and warns of none', async () => {
    await writeFile(join(folder, 'firmware.log'), 'first');
    expect((await collected({ eventLog: false })).evidence).not.toHaveProperty('eventLog');
    expect(warnings).toEqual([]);
  });

  it('keeps its lock where only root may write', () => {
    expect(GUEST_PLACES.lock).toBe('/run/veritee-collect.lock');
  });

  it('says that there is no log, and does without', async () => {
    await writeFile(join(folder, 'system.log'), 'second');
    expect((await collected()).evidence).not.toHaveProperty('eventLog');
    expect(warnings).toEqual([
      `${join(folder, 'firmware.log')}: there is no such file, so the evidence has no event log`,
    ]);
  });

  it.each([
    ['is empty', 0],
    ['has more than 1048576 bytes', 1024 * 1024 + 1],
  ])('says that a log %s, and does without', async (why, length) => {
    await writeFile(join(folder, 'firmware.log'), new Uint8Array(length));
    expect((await collected()).evidence).not.toHaveProperty('eventLog');
    expect(warnings).toEqual([`${join(folder, 'firmware.log')}: ${why}, so the evidence has no event log`]);
  });

  it('twin: takes a log of the greatest length', async () => {
    await writeFile(join(folder, 'firmware.log'), new Uint8Array(1024 * 1024));
    expect(Buffer.from((await collected()).evidence.eventLog, 'base64url')).toHaveLength(1024 * 1024);
    expect(warnings).toEqual([]);
  });

  it('says that the log of the system is empty, and sends that of the firmware alone', async () => {
    await writeFile(join(folder, 'firmware.log'), 'first');
    await writeFile(join(folder, 'system.log'), '');
    expect((await collected()).evidence.eventLog).toBe(Buffer.from('first').toString('base64url'));
    expect(warnings).toEqual([`${join(folder, 'system.log')}: is empty, so the evidence has no CEL of the system`]);
  });

  it('binds a key: X stands in the quote and in the report, and only the public half leaves', async () => {
    const keyFile = join(folder, 'key.pem');
    const body = await collected({ keyFile });
    const { evidence, nonce, bindingJwk } = readVerifyRequest(Buffer.from(JSON.stringify(body)));
    expect(Object.keys(body.binding.jwk)).toEqual(['kty', 'crv', 'x', 'y']);
    const decision = await judge(
      evidence,
      { nonce, bindingJwk },
      {
        verifiers: verifiersOf(pki.pins([snp.platform.product])),
        endorsements: snp.platform.endorsementSet(),
        at: AT,
        policies: [BASELINE],
      },
    );
    expect([decision.decision, decision.freshness.bound]).toEqual(['allow', ['tpm.extraData', 'hcl.userData']]);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  });

  it('nonce_length for a nonce that no TPM quote holds, unless a key is bound', async () => {
    const nonce = Uint8Array.from(randomBytes(51));
    expect(await refused({ nonce })).toBe('nonce_length: the nonce is 51 bytes, a TPM quote holds 50');
    expect(tools.nv.has(USER_DATA)).toBe(false);
    expect((await collected({ nonce, keyFile: join(folder, 'key.pem') })).nonce).toHaveLength(68);
    expect((await collected({ nonce: nonce.slice(0, 50) })).nonce).toHaveLength(67);
  });

  it('ak_absent without attestation key, before anything is written', async () => {
    tools.hasAttestationKey = false;
    expect(await refused()).toBe('ak_absent: the TPM has no attestation key at 0x81000003');
    expect(tools.calls.some((call) => call.startsWith('tpm2_nvdefine'))).toBe(false);
  });

  it.each([32, 63, 65])('nv_unusable for an index of %i bytes, which is left as it is', async (size) => {
    const kept = Uint8Array.from(randomBytes(size));
    tools.write(USER_DATA, kept);
    expect(await refused()).toBe(`nv_unusable: NV index 0x01400002 has ${size} bytes, expected 64`);
    expect(tools.nv.get(USER_DATA)?.bytes).toEqual(kept);
  });

  it('metadata_unreachable after everything is put back', async () => {
    await metadata.connect('refused');
    expect(await refused()).toBe(
      'metadata_unreachable: /metadata/THIM/amd/certification: no connection or no complete answer',
    );
    expect([tools.nv.has(USER_DATA), await readdir(folder)]).toEqual([false, []]);
  });

  it('locked while another process collects', async () => {
    await writeFile(join(folder, 'lock'), `${process.ppid}\n`);
    expect(await refused()).toBe(`locked: ${join(folder, 'lock')} is held by process ${process.ppid}`);
    expect(tools.calls).toEqual(['tpm2_nvreadpublic']);
  });

  it.each([
    ['permission', 'ERROR:tcti:src/tss2-tcti/tcti-device.c:455 Failed to open /dev/tpmrm0: Permission denied\n'],
    ['tool_failed', 'WARN: x\nERROR: Unable to run tpm2_nvreadpublic\n'],
  ])('%s where a tool fails', async (code, stderr) => {
    tools.faults.set('tpm2_nvreadpublic', { exitCode: 3, stderr });
    expect(await refused()).toMatch(new RegExp(`^${code}: tpm2_nvreadpublic ended with 3: `));
  });

  it('says of a tool that fails no more than 200 characters', async () => {
    tools.faults.set('tpm2_nvreadpublic', { stderr: `ERROR: first\nERROR: ${'x'.repeat(300)}\n` });
    expect(await refused()).toBe(`tool_failed: tpm2_nvreadpublic ended with 1: ${'x'.repeat(200)}`);
  });

  it('tool_failed where the quote fails for another reason, or a tool was killed', async () => {
    tools.faults.set('tpm2_quote', { stderr: '' });
    expect(await refused()).toBe('tool_failed: tpm2_quote ended with 1');
    tools.faults.set('tpm2_getcap', { exitCode: null, stderr: '' });
    expect(await refused()).toBe('tool_failed: tpm2_getcap ended with a signal');
  });

  it.each([
    ['is missing', 'there is no such file', 'none.pem'],
    ['is a folder', 'is not a regular file', '.'],
    ['is too large', 'has more than 32768 bytes', 'large.pem'],
  ])('ak_chain where the file of the issuers %s', async (_title, what, name) => {
    const file = join(folder, name);
    await writeFile(join(folder, 'large.pem'), 'x'.repeat(32 * 1024 + 1));
    expect(await refused({ akChainFile: file })).toBe(`ak_chain: ${file}: ${what}`);
  });

  it.each([
    [
      'a private key beside certificates',
      `${KEY}${pki.chainPem('Milan')}`,
      'PEM has a private key, which must not be sent: expected certificates alone',
    ],
    [
      'something other than PEM',
      'secret',
      'this is not PEM: expected PEM, which starts with -----BEGIN CERTIFICATE-----',
    ],
  ])('ak_chain where the file of the issuers has %s, before the TPM is asked', async (_title, text, what) => {
    const file = join(folder, 'issuers.pem');
    await writeFile(file, text);
    expect(await refused({ akCertificate: true, akChainFile: file })).toBe(`ak_chain: ${file}: ${what}`);
    expect(tools.calls).toEqual([]);
  });
});

describe('a confidential VM on TDX', () => {
  beforeEach(serveTdx);

  it('gives evidence that is allowed, with the quote of the TDREPORT in its report', async () => {
    const body = await collected();
    const { evidence, nonce } = readVerifyRequest(Buffer.from(JSON.stringify(body)));
    if (evidence.type !== 'az-tdx-vtpm') throw new Error('another type');
    const mrtd = Buffer.from(evidence.tdQuote)
      .subarray(48 + 136, 48 + 184)
      .toString('hex');
    const decision = await judge(
      evidence,
      { nonce },
      {
        endorsements: tdx.platform.endorsementSet(),
        verifiers: verifiersOf(undefined, { intelPins: intelPki.pins, mrtds: [mrtd] }),
        at: AT,
        policies: [BASELINE],
      },
    );
    expect([decision.reasons, decision.freshness.bound]).toEqual([[], ['tpm.extraData', 'hcl.userData']]);
    expect(decision.decision).toBe('allow');
    const asked = metadata.received.at(-1);
    expect(asked).toMatchObject({ method: 'POST', url: '/acc/tdquote' });
    expect(Buffer.from(JSON.parse(asked?.body ?? '').report, 'base64url')).toEqual(
      Buffer.from(body.evidence.hclReport, 'base64url').subarray(32, 32 + 1024),
    );
  });

  it('metadata_answer where there is no quote in the answer', async () => {
    metadata.fail(/tdquote/, 'garbage');
    expect(await refused()).toBe('metadata_answer: the metadata service did not answer with a JSON object');
  });
});

describe('Trusted Launch', () => {
  const serveCertificate = () =>
    tools.write(AK_CERTIFICATE, createAzureAkPki({ at: AT }).issueLeaf({ key: vtpm.publicJwk }));

  it('gives evidence of the vTPM, with the certificate of its key, and writes no user data', async () => {
    tools.serveReports(() => hclReportOf(3));
    serveCertificate();
    const { evidence } = await collected();
    expect(Object.keys(evidence)).toEqual(['type', 'tpmQuote', 'akCertificate']);
    expect(evidence.type).toBe('tpm');
    expect(tools.calls.some((call) => call.startsWith('tpm2_nvwrite'))).toBe(false);
  });

  it('twin: the same without an HCL report', async () => {
    serveCertificate();
    expect((await collected()).evidence.type).toBe('tpm');
  });

  it('nonce_length and ak_absent as for a confidential VM', async () => {
    serveCertificate();
    expect(await refused({ nonce: new Uint8Array(51).fill(1) })).toBe(
      'nonce_length: the nonce is 51 bytes, a TPM quote holds 50',
    );
    tools.hasAttestationKey = false;
    expect(await refused()).toBe('ak_absent: the TPM has no attestation key at 0x81000003');
  });

  it.each([
    ['one byte', Uint8Array.from([0x30, 0x7f, ...new Uint8Array(0x7f)])],
    ['two bytes', Uint8Array.from([0x30, 0x81, 0x80, ...new Uint8Array(0x80)])],
    ['three bytes', Uint8Array.from([0x30, 0x82, 0x01, 0x02, ...new Uint8Array(0x102)])],
  ])('takes a certificate that fills its index, with a length of %s', async (_title, bytes) => {
    tools.write(AK_CERTIFICATE, bytes);
    expect((await collected()).evidence.akCertificate).toBe(Buffer.from(bytes).toString('base64url'));
  });

  it.each<[string, Uint8Array]>([
    ['zeros', new Uint8Array(16)],
    ['a certificate that is cut short', Uint8Array.of(0x30, 0x82, 0x05, 0xdc)],
    ['an endless length', Uint8Array.of(0x30, 0x80, 0, 0)],
    ['nothing', new Uint8Array()],
  ])('nv_absent where the index holds %s', async (_title, bytes) => {
    tools.write(AK_CERTIFICATE, bytes);
    expect(await refused()).toBe('nv_absent: NV index 0x01c101d0 holds no AK certificate');
  });
});

describe('a TEE without a paravisor', () => {
  let entry: FakeEntry;

  /** The kernel's side of an entry of configfs-tsm. */
  class FakeEntry implements TsmEntry {
    readonly attributes = new Map<string, string | Uint8Array>();
    isRemoved = false;
    #generation = 7;
    /** How often somebody else writes to the entry before it is read. */
    intruders = 0;

    async read(attribute: string): Promise<Uint8Array> {
      if (attribute === 'generation') return Buffer.from(`${this.#generation}\n`);
      const value = this.attributes.get(attribute);
      if (value === undefined) throw Object.assign(new Error('no'), { syscall: 'open', code: 'ENOENT' });
      if (attribute === 'outblob' && this.intruders-- > 0) this.#generation += 1;
      return Buffer.from(value);
    }

    async write(attribute: string, bytes: Uint8Array): Promise<void> {
      this.attributes.set(attribute, Uint8Array.from(bytes));
      this.#generation += 1;
    }

    async remove(): Promise<void> {
      this.isRemoved = true;
    }
  }

  beforeEach(async () => {
    entry = new FakeEntry();
    entry.attributes.set('outblob', 'report').set('provider', 'sev_guest\n').set('auxblob', 'certificates');
    await mkdir(join(folder, 'tsm'));
  });

  const bare = () => ({
    ...placesWith({ tsm: join(folder, 'tsm'), tpm: join(folder, 'no-tpm') }),
    openTsmEntry: async () => entry,
  });
  const base64 = (text: string) => Buffer.from(text).toString('base64url');

  it('gives a report of the firmware in the dialect of configfs-tsm, about X and zeros', async () => {
    const { evidence, nonce } = await collected({}, bare());
    const value = { provider: 'sev_guest', outblob: base64('report'), auxblob: base64('certificates') };
    expect(evidence).toEqual({ type: 'snp', dialect: 'configfs-tsm', value });
    expect(nonce).toBe(Buffer.from(NONCE).toString('base64url'));
    expect(entry.attributes.get('inblob')).toEqual(Uint8Array.from([...NONCE, ...new Uint8Array(32)]));
    expect([entry.isRemoved, tools.calls]).toEqual([true, []]);
  });

  it('twin: the same beside a TPM that has nothing of Azure', async () => {
    const { evidence } = await collected({}, { ...bare(), ...placesWith({ tsm: join(folder, 'tsm') }) });
    expect([evidence.dialect, tools.calls]).toEqual(['configfs-tsm', ['tpm2_nvreadpublic']]);
  });

  it('gives a TD quote with its CCEL in the native form, without one in the dialect', async () => {
    entry.attributes.set('provider', 'tdx_guest\n');
    entry.attributes.delete('auxblob');
    const value = { provider: 'tdx_guest', outblob: base64('report') };
    expect((await collected({}, bare())).evidence).toEqual({ type: 'tdx', dialect: 'configfs-tsm', value });
    expect(warnings).toEqual([`${join(folder, 'ccel')}: there is no such file, so the evidence has no CCEL`]);
    warnings = [];
    await writeFile(join(folder, 'ccel'), 'log');
    expect((await collected({}, bare())).evidence).toEqual({
      type: 'tdx',
      quote: base64('report'),
      ccel: base64('log'),
    });
    expect((await collected({ eventLog: false }, bare())).evidence).toEqual({
      type: 'tdx',
      dialect: 'configfs-tsm',
      value,
    });
    expect(warnings).toEqual([]);
  });

  it('says that the CCEL of a TD is empty, and sends the quote without it', async () => {
    entry.attributes.set('provider', 'tdx_guest\n');
    await writeFile(join(folder, 'ccel'), '');
    expect((await collected({}, bare())).evidence).toMatchObject({ type: 'tdx', dialect: 'configfs-tsm' });
    expect(warnings).toEqual([`${join(folder, 'ccel')}: is empty, so the evidence has no CCEL`]);
  });

  it('reads no CCEL beside an SNP report', async () => {
    await writeFile(join(folder, 'ccel'), '');
    expect((await collected({}, bare())).evidence.type).toBe('snp');
    expect(warnings).toEqual([]);
  });

  it('asks again where somebody else wrote to the entry, and tsm_failed where that happens each time', async () => {
    entry.intruders = 2;
    expect((await collected({}, bare())).evidence.type).toBe('snp');
    entry.intruders = 3;
    expect(await refused({}, bare())).toBe('tsm_failed: another process wrote to the entry during each of 3 attempts');
  });

  it('removes its entry where the firmware gives no report', async () => {
    entry.attributes.delete('outblob');
    expect(await refused({}, bare())).toBe('tsm_failed: configfs-tsm gives no report (ENOENT)');
    expect(entry.isRemoved).toBe(true);
  });

  it('tsm_failed for a report of more than the kernel gives', async () => {
    entry.read = async () => {
      throw new UnfitFileError('has more than 32768 bytes');
    };
    expect(await refused({}, bare())).toBe(
      'tsm_failed: configfs-tsm gives no report: an attribute has more than 32768 bytes',
    );
  });

  it('not_confidential for another TEE', async () => {
    entry.attributes.set('provider', 'arm_cca_guest\n');
    expect(await refused({}, bare())).toBe(
      'not_confidential: the TEE is arm_cca_guest, expected sev_guest or tdx_guest',
    );
  });

  it.each([
    ['EACCES', 'permission'],
    ['EPERM', 'permission'],
    ['EIO', 'tsm_failed'],
  ])('%s is %s', async (code, expected) => {
    const openTsmEntry = async () => {
      throw Object.assign(new Error('refused'), { syscall: 'mkdir', code });
    };
    expect(await refused({}, { ...bare(), openTsmEntry })).toBe(`${expected}: configfs-tsm gives no report (${code})`);
  });

  it('tells a fault of its own apart', async () => {
    await expect(collect(REQUEST, world({ ...bare(), openTsmEntry: world().openTsmEntry }))).rejects.toThrow('no TSM');
  });
});

describe('any other machine', () => {
  it('no_tpm without a TPM and without a TEE', async () => {
    const tpm = join(folder, 'no-tpm');
    expect(await refused({}, placesWith({ tpm }))).toBe(`no_tpm: there is no ${tpm}`);
  });

  it('permission where the device of the TPM may not be opened', async () => {
    const tpm = join(folder, 'lock-me');
    await writeFile(tpm, '');
    await chmod(tpm, 0o000);
    // Root may open it all the same; a file below a file is refused to anybody.
    const path = process.getuid?.() === 0 ? join(tpm, 'x') : tpm;
    expect(await refused({}, placesWith({ tpm: path }))).toBe(`permission: this user may not open ${path}`);
  });

  it('not_confidential with a TPM that has nothing of Azure', async () => {
    expect(await refused()).toBe(
      'not_confidential: the TPM has neither an HCL report (0x01400001) nor an AK certificate',
    );
  });

  it('not_confidential for a report of another kind of VM', async () => {
    tools.serveReports(() => hclReportOf(1));
    expect(await refused()).toBe('not_confidential: the HCL report is of type vbs');
  });

  it('report_malformed for what is no report', async () => {
    tools.serveReports(() => new Uint8Array(2600));
    expect(await refused()).toBe('report_malformed: NV index 0x01400001: the signature is not HCLA');
  });

  it('knows the places of Azure, whatever the environment says', async () => {
    expect(GUEST_PLACES.metadata).toBe('http://169.254.169.254');
    expect(GUEST_PLACES.tpm).toBe('/dev/tpmrm0');
    expect(await readFile(join(import.meta.dirname, '../../../src/collector/metadata-service.ts'), 'utf8')).not.toMatch(
      /process\.env/,
    );
  });
});
