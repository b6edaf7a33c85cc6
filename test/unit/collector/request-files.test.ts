import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requestBody } from '../../../src/collector/evidence-body.js';
import {
  EVIDENCE_FILES,
  type EvidenceContents,
  type EvidenceFileKey,
  readEvidenceFolder,
} from '../../../src/collector/evidence-files.js';
import { evidenceOf } from '../../../src/collector/request-files.js';
import type { TpmQuoteInput } from '../../../src/core/evidence.js';
import type { JsonObject } from '../../../src/core/json.js';
import { readVerifyRequest } from '../../../src/wire/read-requests.js';
import {
  buildHclReport,
  createAmdPki,
  createAzureAkPki,
  createIntelPki,
  createSnpGuest,
  createTdxVirtualMachine,
  createVirtualMachine,
  pemOf,
  TdxPlatform,
  type TdxVirtualMachine,
  type VirtualMachine,
  VirtualTpm,
  wireCollateral,
} from '../../lab/index.js';
import { makePipe } from '../../make-pipe.js';
import { haveVectors, readVector } from '../../vectors.js';

type Files = Partial<Record<EvidenceFileKey, Uint8Array | string>>;

const pki = createAmdPki();
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
let snp: VirtualMachine;
let tdx: TdxVirtualMachine;
/** Files of complete evidence of each kind. */
let azureSnp: Files;
let azureTdx: Files;
let tpm: Files;
let bareSnp: Files;
let bareTdx: Files;

function quoteFiles({ message, signature, pcrs }: TpmQuoteInput): Files {
  const values = [...(pcrs.get('sha256')?.values() ?? [])];
  return { quoteMessage: message, quoteSignature: signature, pcrs: Buffer.concat(values) };
}

const quoteFilesOf = ({ quoteMessage = '', quoteSignature = '', pcrs = '' }: Files): Files => ({
  quoteMessage,
  quoteSignature,
  pcrs,
});

beforeAll(async () => {
  const vtpm = await VirtualTpm.create();
  snp = await createVirtualMachine({ pki, vtpm });
  tdx = await createTdxVirtualMachine({ platform: new TdxPlatform({ pki: createIntelPki() }), vtpm });
  const ofSnp = snp.evidence();
  const ofTdx = tdx.evidence();
  azureSnp = {
    hcl: ofSnp.hclReport,
    ...quoteFiles(ofSnp.tpmQuote),
    vek: snp.platform.vek.der,
    chain: snp.platform.chain,
  };
  azureTdx = { hcl: ofTdx.hclReport, ...quoteFiles(ofTdx.tpmQuote), tdQuote: ofTdx.tdQuote };
  tpm = { ...quoteFiles(ofSnp.tpmQuote), akCertificate: createAzureAkPki().issueLeaf({ key: vtpm.publicJwk }) };
  bareSnp = { report: createSnpGuest({ pki }).evidence().report, vek: pemOf(snp.platform.vek.der) };
  bareTdx = { tdQuote: ofTdx.tdQuote };
});

function contentsOf(files: Files): EvidenceContents {
  const entries = Object.entries(files) as [EvidenceFileKey, Uint8Array | string][];
  return new Map(entries.map(([key, content]) => [key, Buffer.from(content)]));
}

const evidence = (files: Files): JsonObject => evidenceOf(contentsOf(files), null);
const read = (files: Files) => readVerifyRequest(Buffer.from(requestBody(evidence(files), null, null)));

function refusal(files: Files, type: Parameters<typeof evidenceOf>[1] = null): string {
  try {
    evidenceOf(contentsOf(files), type);
  } catch (error) {
    expect(error).toMatchObject({ code: 'evidence_files' });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('not refused');
}

describe('evidence from files', () => {
  it('is what an Azure VM on SEV-SNP gives, and has no nonce by itself', () => {
    const { evidence: found, nonce } = read(azureSnp);
    const endorsements = { vek: { der: Buffer.from(snp.platform.vek.der) }, chain: snp.platform.chain };
    expect(found).toMatchObject({ type: 'az-snp-vtpm', endorsements });
    expect(nonce).toBeNull();
  });

  it('twin: the same from the answer of the metadata service', () => {
    const { vek, chain, ...files } = azureSnp;
    const answer = JSON.stringify({ vcekCert: pemOf(snp.platform.vek.der), certificateChain: chain });
    const endorsements = { vek: pemOf(snp.platform.vek.der), chain: snp.platform.chain };
    expect(vek).toBeDefined();
    expect(evidence({ ...files, certification: answer })['endorsements']).toEqual(endorsements);
  });

  it('may have no endorsements', () => {
    const { vek, chain, ...files } = azureSnp;
    expect([vek, chain].includes(undefined)).toBe(false);
    expect(evidence(files)).not.toHaveProperty('endorsements');
  });

  it('is what an Azure VM on TDX gives', () => {
    const collateral = wireCollateral(tdx.platform.collateral());
    const files = { ...azureTdx, collateral: JSON.stringify(collateral) };
    expect(read(files).evidence.type).toBe('az-tdx-vtpm');
    expect(evidence(files)).toMatchObject({ collateral });
    const { tdQuote, ...others } = azureTdx;
    const quote = Buffer.from(tdQuote ?? '').toString('base64url');
    expect(evidence(azureTdx)['tdQuote']).toBe(quote);
    expect(evidence({ ...others, tdQuoteAnswer: JSON.stringify({ quote }) })).toEqual(evidence(azureTdx));
  });

  it('is what a guest gives that asks the firmware itself', () => {
    expect(read(bareSnp).evidence).toMatchObject({ type: 'snp', endorsements: { vek: { pem: bareSnp.vek } } });
    expect(read({ ...bareSnp, runtimeData: '{}' }).evidence).toMatchObject({ runtimeData: Buffer.from('{}') });
    expect(evidence({ ...bareSnp, crl: 'list' })['endorsements']).toMatchObject({ crls: ['bGlzdA'] });
    expect(evidence({ ...bareSnp, certificateTable: 'table' })['endorsements']).toMatchObject({
      certificateTable: 'dGFibGU',
    });
    expect(read({ ...bareTdx, ccel: 'log' }).evidence).toMatchObject({ type: 'tdx', ccel: Buffer.from('log') });
    expect(evidence({ tdQuoteAnswer: JSON.stringify({ quote: 'AAAA' }) })).toEqual({ type: 'tdx', quote: 'AAAA' });
  });

  it('is what the vTPM of Trusted Launch gives, with and without its HCL report', () => {
    const { message, signature, pcrs } = evidence(tpm)['tpmQuote'] as JsonObject;
    expect([evidence(tpm)['type'], message, signature].every((member) => typeof member === 'string')).toBe(true);
    expect(Object.keys((pcrs as { sha256: object }).sha256)).toHaveLength(24);
    const hcl = buildHclReport({ hardwareReport: new Uint8Array(), runtimeClaims: Buffer.from('{}'), reportType: 3 });
    expect(evidence({ ...tpm, hcl })).toEqual(evidence(tpm));
  });

  it('has event logs and the issuers of the AK certificate', () => {
    const { akCertificate } = tpm;
    const files = { ...azureSnp, akCertificate: Buffer.concat([Buffer.from(akCertificate ?? ''), Buffer.alloc(99)]) };
    const found = evidence({ ...files, akChain: snp.platform.chain, eventLog: 'a', systemLog: 'b' });
    const encoded = Buffer.from(akCertificate ?? '').toString('base64url');
    expect(found).toMatchObject({ akCertificate: encoded, akChain: snp.platform.chain, eventLog: ['YQ', 'Yg'] });
    expect(evidence({ ...files, eventLog: 'a' })['eventLog']).toBe('YQ');
  });

  it.skipIf(!haveVectors)(
    'az-snp-milan-hcl1-a, az-tdx-v4-nonpersisted are read from the raw files of real machines',
    () => {
      const raw = (id: string) => ({
        hcl: readVector(`${id}.hcl-report.bin`),
        quoteMessage: readVector(`${id}.quote.msg`),
        quoteSignature: readVector(`${id}.quote.sig`),
        pcrs: readVector(`${id}.pcrs.bin`),
      });
      const ofSnp = 'az-snp-vtpm/az-snp-milan-hcl1-a';
      const ofTdx = 'az-tdx-vtpm/az-tdx-v4-nonpersisted';
      expect(read({ ...raw(ofSnp), vek: readVector(`${ofSnp}.vcek.der`) }).evidence.type).toBe('az-snp-vtpm');
      expect(read({ ...raw(ofTdx), tdQuote: readVector(`${ofTdx}.td-quote.bin`) }).evidence.type).toBe('az-tdx-vtpm');
    },
  );
});

describe('files that are not those of one piece of evidence', () => {
  it('are refused where there are none', () => {
    expect(refusal({})).toBe('none of report.bin, hcl.bin, td-quote.bin, td-quote.json, quote.msg is there');
    expect(refusal({ vek: 'x' })).toBe('none of report.bin, hcl.bin, td-quote.bin, td-quote.json, quote.msg is there');
  });

  it.each<[string, () => Files, EvidenceFileKey, string]>([
    ['az-snp-vtpm', () => azureSnp, 'hcl', 'hcl.bin is missing, which az-snp-vtpm evidence needs'],
    ['az-snp-vtpm', () => azureSnp, 'quoteMessage', 'quote.msg is missing, which az-snp-vtpm evidence needs'],
    ['az-snp-vtpm', () => azureSnp, 'quoteSignature', 'quote.sig is missing, which az-snp-vtpm evidence needs'],
    ['az-snp-vtpm', () => azureSnp, 'pcrs', 'pcrs.bin is missing, which az-snp-vtpm evidence needs'],
    [
      'az-tdx-vtpm',
      () => azureTdx,
      'tdQuote',
      'td-quote.bin or td-quote.json is missing, which az-tdx-vtpm evidence needs',
    ],
    ['az-tdx-vtpm', () => azureTdx, 'hcl', 'hcl.bin is missing, which az-tdx-vtpm evidence needs'],
    ['tpm', () => tpm, 'akCertificate', 'ak.der is missing, which tpm evidence needs'],
  ])('%s without a file that it needs', (_type, files, key, expected) => {
    const { [key]: left, ...others } = files();
    expect(left).toBeDefined();
    expect(refusal(others)).toBe(expected);
  });

  it.each<[string, () => Files, string]>([
    [
      'a second report',
      () => ({ ...azureSnp, report: bareSnp.report ?? '' }),
      'report.bin: the other files are az-snp-vtpm',
    ],
    [
      'a TD quote beside an SNP report',
      () => ({ ...azureSnp, tdQuote: bareTdx.tdQuote ?? '' }),
      'td-quote.bin: the other files are az-snp-vtpm',
    ],
    ['a VCEK beside a TD', () => ({ ...azureTdx, vek: 'x' }), 'vcek.der: the other files are az-tdx-vtpm'],
    ['a CCEL beside a vTPM', () => ({ ...azureTdx, ccel: 'x' }), 'ccel.bin: the other files are az-tdx-vtpm'],
    [
      'collateral beside an SNP report',
      () => ({ ...bareSnp, collateral: '{}' }),
      'collateral.json: the other files are snp',
    ],
    [
      'a quote beside a bare report',
      () => ({ ...bareSnp, quoteMessage: azureSnp.quoteMessage ?? '' }),
      'quote.msg: the other files are snp',
    ],
    [
      'a VCEK twice',
      () => ({ ...azureSnp, certification: '{}' }),
      'thim.json and vcek.der say the same: leave one out',
    ],
    [
      'the issuers of the VCEK twice',
      () => ({ hcl: azureSnp.hcl ?? '', ...quoteFilesOf(azureSnp), chain: 'x', certification: '{}' }),
      'thim.json and chain.pem say the same: leave one out',
    ],
    [
      'a TD quote twice',
      () => ({ ...azureTdx, tdQuoteAnswer: '{}' }),
      'td-quote.bin and td-quote.json say the same: leave one out',
    ],
    ['a CEL alone', () => ({ ...azureSnp, systemLog: 'x' }), 'cel.json: means nothing without eventlog.bin'],
    ['issuers alone', () => ({ ...azureSnp, akChain: 'x' }), 'ak-chain.pem: means nothing without ak.der'],
    [
      'a private key beside the issuers of the AK certificate',
      () => ({ ...tpm, akChain: `${snp.platform.chain}${KEY}` }),
      'ak-chain.pem: cert_chain: PEM has a private key, which must not be sent',
    ],
    [
      'a private key beside the issuers of the VCEK',
      () => ({ ...azureSnp, chain: `${KEY}${snp.platform.chain}` }),
      'chain.pem: cert_chain: PEM has a private key, which must not be sent',
    ],
    [
      'a private key in place of the VCEK',
      () => ({ ...azureSnp, vek: `\n${KEY}` }),
      'vcek.der: cert_chain: PEM has a private key, which must not be sent',
    ],
    ['issuers that are no PEM', () => ({ ...azureSnp, chain: 'x' }), 'chain.pem: cert_chain: this is not PEM'],
  ])('%s', (_title, files, expected) => {
    expect(refusal(files())).toContain(expected);
  });

  it.each<[string, () => Files, string]>([
    ['a malformed HCL report', () => ({ ...azureSnp, hcl: 'HCLA5678' }), 'hcl.bin: hcl_format: report is 8 bytes'],
    ['a malformed quote', () => ({ ...azureSnp, quoteMessage: 'x' }), 'quote.msg: tpm_format: '],
    [
      'PCRs of another quote',
      () => ({ ...azureSnp, pcrs: new Uint8Array(64) }),
      'pcrs.bin: tpm_format: 64 bytes are not the values',
    ],
    [
      'a malformed answer',
      () => ({ ...azureTdx, tdQuote: undefined, tdQuoteAnswer: '{}' }) as unknown as Files,
      'td-quote.json: the answer of the metadata service has no quote',
    ],
    ['a malformed AK certificate', () => ({ ...tpm, akCertificate: 'x' }), 'ak.der: is no certificate in DER'],
    ['malformed collateral', () => ({ ...azureTdx, collateral: '{' }), 'collateral.json: schema: '],
    ['collateral that is a list', () => ({ ...azureTdx, collateral: '[]' }), 'collateral.json: is no JSON object'],
  ])('%s', (_title, files, expected) => {
    const given = Object.fromEntries(Object.entries(files()).filter(([, content]) => content !== undefined));
    expect(refusal(given)).toContain(expected);
  });

  it('an HCL report of another kind of VM', () => {
    const hcl = buildHclReport({ hardwareReport: new Uint8Array(), runtimeClaims: Buffer.from('{}'), reportType: 1 });
    expect(refusal({ ...azureSnp, hcl })).toBe('hcl.bin: an HCL report of type vbs is no evidence');
  });

  it('evidence of another type than it is meant to be', () => {
    expect(refusal(azureSnp, 'az-tdx-vtpm')).toBe('the files are evidence of type az-snp-vtpm, not az-tdx-vtpm');
    expect(evidenceOf(contentsOf(azureSnp), 'az-snp-vtpm')['type']).toBe('az-snp-vtpm');
  });
});

describe('a folder of evidence', () => {
  let folder: string;
  const path = (name: string) => join(folder, name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritee-folder-'));
    return () => rm(folder, { recursive: true });
  });

  it('is read whatever the names; what cannot be read is told with the cause', async () => {
    await writeFile(path('hcl.bin'), 'a');
    await writeFile(path('notes.txt'), 'b');
    await writeFile(path('large'), new Uint8Array(2 ** 20 + 1));
    await mkdir(path('more'));
    const { files, notes } = await readEvidenceFolder(folder);
    expect(files.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()])).toEqual([
      ['hcl.bin', 'a'],
      ['notes.txt', 'b'],
    ]);
    expect(notes).toEqual([
      '"large" is left out: it has more than 1048576 bytes',
      '"more" is left out: it is not a regular file',
    ]);
  });

  it('has at most 64 entries: a folder with more was named by mistake', async () => {
    const names = Array.from({ length: 65 }, (_, index) => path(`${index}.txt`));
    await Promise.all(names.slice(1).map((name) => writeFile(name, 'a')));
    expect((await readEvidenceFolder(folder)).files).toHaveLength(64);
    await writeFile(names[0] ?? '', 'a');
    const message = `${folder}: has 65 entries, expected at most 64`;
    await expect(readEvidenceFolder(folder)).rejects.toMatchObject({ code: 'evidence_files', message });
  });

  it.each<[string, () => unknown, string]>([
    ['a link', () => symlink('/dev/null', path('report.bin')), 'report.bin: is a symbolic link'],
    ['a pipe', () => makePipe(path('report.bin')), 'report.bin: is not a regular file'],
    ['a folder', () => mkdir(path('report.bin')), 'report.bin: is not a regular file'],
    ['too large', () => writeFile(path('report.bin'), new Uint8Array(4097)), 'report.bin: has more than 4096 bytes'],
    ['empty', () => writeFile(path('report.bin'), ''), 'report.bin: is empty'],
  ])('is refused with a file that is %s', async (_title, make, message) => {
    await make();
    await expect(readEvidenceFolder(folder)).rejects.toMatchObject({ code: 'evidence_files', message });
  });

  it.each(Object.values(EVIDENCE_FILES))('has of $name as much as its bound, and no more', async (file) => {
    await writeFile(path(file.name), new Uint8Array(file.maximumBytes));
    expect((await readEvidenceFolder(folder)).files.map(({ bytes }) => bytes.byteLength)).toEqual([file.maximumBytes]);
    await writeFile(path(file.name), new Uint8Array(file.maximumBytes + 1));
    await expect(readEvidenceFolder(folder)).rejects.toMatchObject({
      message: `${file.name}: has more than ${file.maximumBytes} bytes`,
    });
  });

  it('is a folder that is there', async () => {
    const message = `${path('none')}: there is no such folder`;
    await expect(readEvidenceFolder(path('none'))).rejects.toMatchObject({ code: 'evidence_files', message });
  });

  it('has a name for each kind of file', () => {
    const names = Object.values(EVIDENCE_FILES).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
