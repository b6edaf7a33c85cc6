import { beforeAll, describe, expect, it } from 'vitest';
import { base64 } from '../../../src/core/bytes.js';
import type { JsonObject } from '../../../src/core/json.js';
import { readFiles } from '../../../src/inspector/several-files.js';
import {
  buildCcel,
  buildCelJson,
  buildCertificateTable,
  buildEventLog,
  createAmdPki,
  createAzureAkPki,
  createIntelPki,
  createSnpGuest,
  createTdxVirtualMachine,
  createVirtualMachine,
  firmwareEvents,
  labCcelEvents,
  pemOf,
  TdxPlatform,
  VirtualTpm,
} from '../../lab/index.js';
import { wireEvidence } from '../../lab/wire-evidence.js';

const pki = createAmdPki();
const akPki = createAzureAkPki();
const text = (value: string) => Buffer.from(value);
const encode = (bytes: Uint8Array) => base64(bytes, 'base64url');

/** Raw files by what they hold. */
let raw: { readonly [name: string]: Uint8Array };
let azureSnp: JsonObject;
let azureTdx: JsonObject;

beforeAll(async () => {
  const vtpm = await VirtualTpm.create();
  const snp = await createVirtualMachine({ pki, vtpm });
  const td = await createTdxVirtualMachine({ platform: new TdxPlatform({ pki: createIntelPki() }), vtpm });
  const [ofSnp, ofTd] = [snp.evidence(), td.evidence()];
  const valuesOf = ({ tpmQuote }: { readonly tpmQuote: typeof ofSnp.tpmQuote }) =>
    Buffer.concat([...(tpmQuote.pcrs.get('sha256')?.values() ?? [])]);
  azureSnp = wireEvidence(ofSnp);
  azureTdx = wireEvidence(ofTd);
  raw = {
    hcl: ofSnp.hclReport,
    message: ofSnp.tpmQuote.message,
    signature: ofSnp.tpmQuote.signature,
    pcrs: valuesOf(ofSnp),
    hclOfTd: ofTd.hclReport,
    messageOfTd: ofTd.tpmQuote.message,
    signatureOfTd: ofTd.tpmQuote.signature,
    pcrsOfTd: valuesOf(ofTd),
    tdQuote: ofTd.tdQuote,
    collateral: text(JSON.stringify(azureTdx['collateral'])),
    report: createSnpGuest({ pki }).evidence().report,
    vek: snp.platform.vek.der,
    chain: text(snp.platform.chain),
    crl: snp.platform.crl,
    table: buildCertificateTable([['vcek', snp.platform.vek.der]]),
    ak: akPki.issueLeaf({ key: vtpm.publicJwk }),
    akChain: text(akPki.chainPem()),
    log: buildEventLog(firmwareEvents()),
    cel: buildCelJson([{ pcr: 11, type: 0, data: text('phase') }]),
    ccel: buildCcel(labCcelEvents()),
    runtimeData: text('{"keys":[{"kid":"HCLAkPub"}]}'),
  };
});

const bytesOf = (name: string) => raw[name] ?? text(name);
/** Files with those bytes; the names say nothing to the page. */
const read = (...names: readonly string[]) => readFiles(names.map((name) => ({ name, bytes: bytesOf(name) })));

function evidenceOf({ intake }: ReturnType<typeof readFiles>): JsonObject {
  if (intake.kind !== 'request') throw new Error(`taken as ${intake.kind}`);
  return intake.body['evidence'] as JsonObject;
}

describe('several files', () => {
  it('become the body of an Azure VM on SEV-SNP, in any order', () => {
    const names = ['signature', 'crl', 'pcrs', 'vek', 'message', 'cel', 'chain', 'akChain', 'log', 'hcl', 'ak'];
    const result = read(...names);
    const { type, hclReport, tpmQuote } = azureSnp;
    expect(result.unused).toEqual([]);
    expect(evidenceOf(result)).toEqual({
      type,
      hclReport,
      tpmQuote,
      endorsements: {
        vek: encode(bytesOf('vek')),
        chain: bytesOf('chain').toString(),
        crls: [encode(bytesOf('crl'))],
      },
      akCertificate: encode(bytesOf('ak')),
      akChain: bytesOf('akChain').toString(),
      eventLog: [encode(bytesOf('log')), encode(bytesOf('cel'))],
    });
    expect(evidenceOf(read(...names.toReversed()))).toEqual(evidenceOf(result));
  });

  it('become the body of an Azure VM on TDX', () => {
    const result = read('tdQuote', 'messageOfTd', 'pcrsOfTd', 'signatureOfTd', 'hclOfTd', 'collateral', 'log');
    const { type, hclReport, tdQuote, tpmQuote, collateral } = azureTdx;
    expect(result.unused).toEqual([]);
    expect(evidenceOf(result)).toEqual({
      ...{ type, hclReport, tdQuote, tpmQuote, collateral },
      eventLog: encode(bytesOf('log')),
    });
  });

  it('become the body of a TD, whose log is a CCEL', () => {
    expect(evidenceOf(read('ccel', 'tdQuote', 'collateral'))).toEqual({
      type: 'tdx',
      quote: encode(bytesOf('tdQuote')),
      collateral: azureTdx['collateral'],
      ccel: encode(bytesOf('ccel')),
    });
  });

  it('become the body of a vTPM without a TEE', () => {
    const evidence = evidenceOf(read('message', 'signature', 'pcrs', 'ak'));
    expect(evidence).toEqual({
      type: 'tpm',
      tpmQuote: azureSnp['tpmQuote'],
      akCertificate: encode(bytesOf('ak')),
    });
  });

  it('become the body of a vTPM with Trusted Launch, without its HCL report', () => {
    const launched = Buffer.from(bytesOf('hcl'));
    // The report type in the request data: 3 is Trusted Launch (tvm).
    launched.writeUInt32LE(3, 0x4c8);
    const files = ['message', 'signature', 'pcrs', 'ak'].map((name) => ({ name, bytes: bytesOf(name) }));
    const result = readFiles([{ name: 'hcl.bin', bytes: launched }, ...files]);
    expect(evidenceOf(result)).toEqual(evidenceOf(read('message', 'signature', 'pcrs', 'ak')));
    expect(result.unused).toEqual([
      { name: 'hcl.bin', why: 'It is the HCL report, which evidence of type tpm does not have.' },
    ]);
  });

  it('become the body of an SNP guest, also with an extended report', () => {
    const report = encode(bytesOf('report'));
    expect(evidenceOf(read('report', 'vek', 'runtimeData'))).toEqual({
      type: 'snp',
      report,
      endorsements: { vek: encode(bytesOf('vek')) },
      runtimeData: encode(bytesOf('runtimeData')),
    });
    const extended = { name: 'extended', bytes: Buffer.concat([bytesOf('report'), bytesOf('table')]) };
    const given = readFiles([extended, { name: 'chain', bytes: bytesOf('chain') }]);
    expect(evidenceOf(given)).toEqual({
      type: 'snp',
      report,
      endorsements: { chain: bytesOf('chain').toString(), certificateTable: encode(bytesOf('table')) },
    });
  });

  it('may have a VCEK with its chain in one text, a CRL in PEM, and a certificate table', () => {
    const vekWithChain = {
      name: 'vek.pem',
      bytes: text(pemOf(bytesOf('vek')) + bytesOf('chain').toString()),
    };
    const crl = `-----BEGIN X509 CRL-----\n${Buffer.from(bytesOf('crl')).toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END X509 CRL-----\n`;
    const files = [vekWithChain, { name: 'crl.pem', bytes: text(crl) }];
    const result = readFiles([...files, { name: 'report', bytes: bytesOf('report') }]);
    expect(evidenceOf(result)['endorsements']).toEqual({
      vek: encode(bytesOf('vek')),
      chain: bytesOf('chain').toString(),
      crls: [encode(bytesOf('crl'))],
    });
    const vekAlone = { name: 'vek.pem', bytes: text(pemOf(bytesOf('vek'))) };
    expect(evidenceOf(readFiles([vekAlone, { name: 'r', bytes: bytesOf('report') }]))['endorsements']).toEqual({
      vek: encode(bytesOf('vek')),
    });
    expect(evidenceOf(read('report', 'table'))['endorsements']).toEqual({ certificateTable: encode(bytesOf('table')) });
  });

  it('keep PCR values that the quote was not made over, for the service to refuse', () => {
    const changed = Buffer.from(bytesOf('pcrs'));
    changed[0] = (changed[0] ?? 0) ^ 1;
    const files = ['hcl', 'message', 'signature'].map((name) => ({ name, bytes: bytesOf(name) }));
    const { pcrs } = evidenceOf(readFiles([...files, { name: 'pcrs', bytes: changed }]))['tpmQuote'] as JsonObject;
    expect(Object.values((pcrs as { readonly sha256: JsonObject }).sha256).join('')).toBe(changed.toString('hex'));
  });

  it.each<[string, readonly string[], string, string]>([
    ['unknown content', ['report', 'some words'], 'some words', 'It is none of what this page knows: '],
    ['unknown content beside a quote', ['hcl', 'message', 'words'], 'words', 'It is none of what this page knows: '],
    ['the second of its kind', ['report', 'vek', 'vek'], 'vek', '“vek” is the VCEK or VLEK already.'],
    [
      'a part that this evidence does not have',
      ['tdQuote', 'vek'],
      'vek',
      'It is the VCEK or VLEK, which evidence of type tdx does not have.',
    ],
    ['a part without its report', ['vek', 'crl'], 'vek', 'It is the VCEK or VLEK, and the report or quote that'],
    ['the id of a decision', ['report', '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11'], '019bc1f0', 'It is a decision: give'],
    ['a key set', ['report', '{"keys":[]}'], '{"keys', 'It is a key set: give it by itself.'],
    ['a token', ['report', 'eyJhbGciOiJub25lIn0.e30.c2ln'], 'eyJ', 'It looks like a token, and cannot be told'],
    [
      'what is beside a whole body',
      ['{"evidence":{"type":"snp"}}', 'vek'],
      'vek',
      '“{"evidence":{"type":"snp"}}” is a',
    ],
    ['unknown content beside a body', ['{"evidence":{}}', 'words'], 'words', 'It is none of what this page knows: '],
  ])('name %s, with the reason', (_what, names, name, why) => {
    const { unused } = read(...names);
    expect(unused).toContainEqual({ name: expect.stringContaining(name), why: expect.stringContaining(why) });
  });

  it('name an issuer in DER and a list of CRLs, since their place cannot be told', () => {
    const [ask = new Uint8Array()] = [akPki.chainPem()].map((pem) =>
      Buffer.from(/-----BEGIN CERTIFICATE-----([^-]*)-/.exec(pem)?.[1] ?? '', 'base64'),
    );
    const crl = `-----BEGIN X509 CRL-----\n${Buffer.from(bytesOf('crl')).toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END X509 CRL-----\n`;
    const { unused } = readFiles([
      { name: 'report', bytes: bytesOf('report') },
      { name: 'issuer', bytes: ask },
      { name: 'crls', bytes: text(crl + crl) },
    ]);
    expect(unused.map(({ name }) => name)).toEqual(['issuer', 'crls']);
  });

  it('are no evidence without a report or quote', () => {
    expect(read('vek', 'crl').intake).toMatchObject({
      kind: 'unknown',
      why: expect.stringMatching(/^None of the files/),
    });
  });

  it('are the one file that is known, where the others are not', () => {
    const { intake, unused } = read('vek', 'words');
    expect(intake.kind).toBe('bytes');
    expect(unused.map(({ name }) => name)).toEqual(['words']);
  });
});
