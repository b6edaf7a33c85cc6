import { beforeAll, describe, expect, it } from 'vitest';
import { EVIDENCE_FILES, type EvidenceFileKey, type RawFile } from '../../../src/collector/evidence-files.js';
import { type RecognisedFiles, recogniseFiles } from '../../../src/collector/recognise-files.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { RAW_RECOGNISER } from '../../../src/inspect/raw-structures.js';
import {
  buildCcel,
  buildCelJson,
  buildCelTlv,
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
  reportDataOver,
  SnpPlatform,
  TdxPlatform,
  VirtualTpm,
  wireCollateral,
} from '../../lab/index.js';

const OF_AZURE_SNP: readonly EvidenceFileKey[] = [
  'hcl',
  'quoteMessage',
  'quoteSignature',
  'pcrs',
  'eventLog',
  'systemLog',
  'akCertificate',
  'akChain',
  'vek',
  'chain',
  'crl',
];
const OF_TDX: readonly EvidenceFileKey[] = ['tdQuote', 'collateral', 'ccel'];

/** A part of evidence, and bytes that hold it. */
let parts: ReadonlyMap<EvidenceFileKey, Uint8Array>;
let vtpmKey: VirtualTpm['publicJwk'];
const pki = createAmdPki();
const akPki = createAzureAkPki();

beforeAll(async () => {
  const vtpm = await VirtualTpm.create();
  const snp = await createVirtualMachine({ pki, vtpm });
  const tdx = await createTdxVirtualMachine({ platform: new TdxPlatform({ pki: createIntelPki() }), vtpm });
  const { hclReport, tpmQuote } = snp.evidence();
  vtpmKey = vtpm.publicJwk;
  parts = new Map<EvidenceFileKey, Uint8Array>([
    ['report', createSnpGuest({ pki }).evidence().report],
    ['hcl', hclReport],
    ['quoteMessage', tpmQuote.message],
    ['quoteSignature', tpmQuote.signature],
    ['pcrs', Buffer.concat([...(tpmQuote.pcrs.get('sha256')?.values() ?? [])])],
    ['eventLog', buildEventLog(firmwareEvents())],
    ['akCertificate', Buffer.concat([akPki.issueLeaf({ key: vtpm.publicJwk }), Buffer.alloc(64)])],
    ['akChain', Buffer.from(akPki.chainPem())],
    ['systemLog', buildCelJson([{ pcr: 11, type: 0, data: Buffer.from('phase') }])],
    ['tdQuote', tdx.evidence().tdQuote],
    ['vek', snp.platform.vek.der],
    ['chain', Buffer.from(snp.platform.chain)],
    ['crl', snp.platform.crl],
    ['certificateTable', buildCertificateTable([['vcek', snp.platform.vek.der]])],
    ['collateral', Buffer.from(JSON.stringify(wireCollateral(tdx.platform.collateral())))],
    ['ccel', buildCcel(labCcelEvents())],
  ]);
});

function bytesOf(key: EvidenceFileKey): Uint8Array {
  const bytes = parts.get(key);
  if (bytes === undefined) throw new Error(`no ${key}`);
  return bytes;
}

const recognised = (files: readonly RawFile[]): RecognisedFiles => recogniseFiles(files, RAW_RECOGNISER);
const comparable = (contents: RecognisedFiles['contents']) =>
  new Map([...contents].map(([key, bytes]) => [key, Buffer.from(bytes)]));
const keysOf = ({ contents }: RecognisedFiles) => [...contents.keys()].toSorted();
const named = (keys: readonly EvidenceFileKey[]) =>
  keys.map((key) => ({ name: EVIDENCE_FILES[key].name, bytes: bytesOf(key) }));
/** The same files under names that say nothing. */
const nameless = (keys: readonly EvidenceFileKey[]) =>
  keys.map((key, index) => ({ name: `file-${index}`, bytes: bytesOf(key) }));

const chainText = () => Buffer.from(bytesOf('chain')).toString();

function crlPem(): string {
  const lines = Buffer.from(bytesOf('crl')).toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN X509 CRL-----\n${lines}\n-----END X509 CRL-----\n`;
}

describe('files of a guest', () => {
  it.each([
    ['an Azure VM on SEV-SNP', OF_AZURE_SNP],
    ['a TD', OF_TDX],
    ['a guest that asks the firmware itself', ['report', 'vek', 'certificateTable'] as EvidenceFileKey[]],
  ])('are those of %s under any names, in any order', (_title, keys) => {
    for (const files of [named(keys), nameless(keys), nameless(keys).toReversed()]) {
      const { contents, notes } = recognised(files);
      expect([...contents.keys()].toSorted()).toEqual(keys.toSorted());
      expect(comparable(contents)).toEqual(new Map(keys.map((key) => [key, Buffer.from(bytesOf(key))] as const)));
      expect(notes).toEqual([]);
    }
  });

  it('may be one certificate of a chain each, in any order', () => {
    const both = [
      ['vek', 'chain', chainText()],
      ['akCertificate', 'akChain', akPki.chainPem()],
    ] as const;
    for (const [leaf, key, pem] of both) {
      const ders = parsePemCertificates(pem, 'cert_chain');
      const files = ders.map((der, index) => ({ name: `${'ca'.repeat(index + 1)}.x`, bytes: Buffer.from(pemOf(der)) }));
      for (const each of [
        files,
        files.toReversed(),
        [...files, { name: 'again', bytes: Buffer.from(pemOf(ders[0] ?? new Uint8Array())) }],
      ]) {
        const { contents, notes } = recognised([...each, { name: 'leaf', bytes: bytesOf(leaf) }]);
        expect(parsePemCertificates(Buffer.from(contents.get(key) ?? []).toString(), 'cert_chain')).toEqual(ders);
        expect([contents.has(leaf), notes]).toEqual([true, []]);
      }
    }
  });

  it('leave out a certificate beside a file that is named as the whole chain', () => {
    const [ask = new Uint8Array()] = parsePemCertificates(chainText(), 'cert_chain');
    const { contents, notes } = recognised([...named(['chain']), { name: 'ask.pem', bytes: Buffer.from(pemOf(ask)) }]);
    expect(contents.get('chain')).toBe(bytesOf('chain'));
    expect(notes).toEqual(['"ask.pem" is left out: "chain.pem" has the content of chain.pem already']);
  });

  it('that were swapped are used as what they are, and both are named', () => {
    const files = [
      { name: 'hcl.bin', bytes: bytesOf('quoteMessage') },
      { name: 'quote.msg', bytes: bytesOf('hcl') },
    ];
    const { contents, notes } = recognised(files);
    expect(contents.get('hcl')).toBe(bytesOf('hcl'));
    expect(contents.get('quoteMessage')).toBe(bytesOf('quoteMessage'));
    expect(notes).toEqual([
      '"hcl.bin" holds the TPM quote (tpm2_quote -m), and is used as quote.msg',
      '"quote.msg" holds the HCL report (NV index 0x01400001), and is used as hcl.bin',
    ]);
  });

  it.each<[string, readonly [EvidenceFileKey, EvidenceFileKey]]>([
    ['a TPM quote and its signature', ['quoteMessage', 'quoteSignature']],
    ['a signature and the PCR values', ['quoteSignature', 'pcrs']],
  ])('that were swapped are used as what they are, if the name alone tells one of them: %s', (_title, [one, other]) => {
    const files = named(['hcl', 'quoteMessage', 'quoteSignature', 'pcrs']).map(({ name, bytes }) => {
      if (name === EVIDENCE_FILES[one].name) return { name, bytes: bytesOf(other) };
      return { name, bytes: name === EVIDENCE_FILES[other].name ? bytesOf(one) : bytes };
    });
    const { contents, notes } = recognised(files);
    expect([contents.get(one), contents.get(other)]).toEqual([bytesOf(one), bytesOf(other)]);
    expect(notes.every((note) => note.includes('and is used as'))).toBe(true);
    expect(notes).toHaveLength(2);
  });

  it('that have the name of a part which another file holds are left out', () => {
    const files = [{ name: 'report.bin', bytes: Buffer.from('x') }, ...nameless(['report'])];
    const { contents, notes } = recognised(files);
    expect(contents).toEqual(new Map([['report', bytesOf('report')]]));
    expect(notes).toEqual(['"report.bin" is left out: another file holds what report.bin is the name of']);
  });

  it('that are nothing known are left out; a name that is nearly one of evidence is named', () => {
    const files = [
      ...named(['report']),
      { name: 'notes.txt', bytes: Buffer.from('x') },
      { name: 'vcek.dr', bytes: Buffer.from('x') },
    ];
    const { contents, notes } = recognised(files);
    expect([...contents.keys()]).toEqual(['report']);
    expect(notes).toEqual([
      '"notes.txt" is left out: neither its content nor its name is of evidence',
      '"vcek.dr" is left out: neither its content nor its name is of evidence; did you mean vcek.der?',
    ]);
  });

  it('of the same kind: the one with the name of evidence counts, and without such a name neither', () => {
    const other = { name: 'old.bin', bytes: bytesOf('report') };
    const { notes } = recognised([other, ...named(['report'])]);
    expect(notes).toEqual(['"old.bin" is left out: "report.bin" has the SNP attestation report already']);
    const message = '"a" and "old.bin" both hold the SNP attestation report: leave one out';
    expect(() => recognised([{ ...other, name: 'a' }, other])).toThrow(
      expect.objectContaining({ code: 'evidence_files', message }),
    );
  });

  it('keep the kind of their name if their content says nothing', () => {
    const files = (['report', 'quoteSignature', 'pcrs', 'runtimeData'] as const).map((key) => ({
      name: EVIDENCE_FILES[key].name,
      bytes: Buffer.from('x'),
    }));
    expect(keysOf(recognised(files))).toEqual(['pcrs', 'quoteSignature', 'report', 'runtimeData']);
  });

  it('that hold several parts are split: an extended report, and a VCEK or AK certificate with its chain', () => {
    const extended = Buffer.concat([bytesOf('report'), bytesOf('certificateTable')]);
    expect(comparable(recognised([{ name: 'a', bytes: extended }]).contents)).toEqual(
      new Map([
        ['report', Buffer.from(bytesOf('report'))],
        ['certificateTable', Buffer.from(bytesOf('certificateTable'))],
      ]),
    );
    const chain = Buffer.from(bytesOf('chain')).toString();
    const vek = Buffer.from(bytesOf('vek'));
    const both = comparable(recognised([{ name: 'a', bytes: Buffer.from(pemOf(vek) + chain) }]).contents);
    expect([both.get('vek'), both.get('chain')]).toEqual([vek, Buffer.from(chain)]);
    const ak = akPki.issueLeaf({ key: vtpmKey });
    const withChain = Buffer.from(pemOf(ak) + akPki.chainPem());
    const found = comparable(recognised([{ name: 'a', bytes: withChain }]).contents);
    expect([found.get('akCertificate'), found.get('akChain')]).toEqual([
      Buffer.from(ak),
      Buffer.from(akPki.chainPem()),
    ]);
    expect(keysOf(recognised([{ name: 'a', bytes: Buffer.from(pemOf(ak)) }]))).toEqual(['akCertificate']);
  });

  it('are answers of the metadata service, and a CRL in PEM', () => {
    const certification = JSON.stringify({ vcekCert: pemOf(bytesOf('vek')), certificateChain: 'x' });
    const quote = JSON.stringify({ quote: Buffer.from(bytesOf('tdQuote')).toString('base64url') });
    const crl = crlPem();
    expect(keysOf(recognised([{ name: 'a', bytes: Buffer.from(certification) }]))).toEqual(['certification']);
    expect(keysOf(recognised([{ name: 'a', bytes: Buffer.from(quote) }]))).toEqual(['tdQuoteAnswer']);
    expect(comparable(recognised([{ name: 'a', bytes: Buffer.from(crl) }]).contents).get('crl')).toEqual(
      Buffer.from(bytesOf('crl')),
    );
  });

  it('are runtime data if the report data is their hash, of a report and of a quote', () => {
    const runtimeData = Buffer.from('{"nonce":"x"}');
    const report = new SnpPlatform({ pki }).report({ fields: { reportData: reportDataOver(runtimeData) } });
    expect(
      keysOf(
        recognised([
          { name: 'a', bytes: runtimeData },
          { name: 'b', bytes: report },
        ]),
      ),
    ).toEqual(['report', 'runtimeData']);
    const other = recognised([
      { name: 'a', bytes: Buffer.from('{}') },
      { name: 'b', bytes: report },
    ]);
    expect(keysOf(other)).toEqual(['report']);
  });

  it.each<[string, () => Uint8Array, string]>([
    [
      'an issuer in DER, whose place cannot be told',
      () => parsePemCertificates(chainText(), 'cert_chain')[0] ?? new Uint8Array(),
      'it is a certificate in DER, and no VCEK, VLEK or AK certificate; issuers count in PEM (openssl x509 -inform der)',
    ],
    [
      'two CRLs in one text',
      () => Buffer.from(crlPem() + crlPem()),
      'it is certificates or CRLs in PEM, which is no part of this evidence',
    ],
    ['a token', () => Buffer.from('YQ.YQ.YQ'), 'it is a token, which is evidence by itself: name this file instead'],
    ['a body', () => Buffer.from('{"evidence": {}}'), 'it is a /verify body: name this file instead'],
    ['JSON of another form', () => Buffer.from('{"a": 1}'), 'neither its content nor its name is of evidence'],
  ])('are left out: %s', (_title, bytes, why) => {
    const { contents, notes } = recognised([{ name: 'a', bytes: bytes() }]);
    expect([contents.size, notes]).toEqual([0, [`"a" is left out: ${why}`]]);
  });

  it.each([
    ['hex', 'xxd -r -p'],
    ['base64', 'base64 -d'],
  ] as const)('are left out where they are written in %s, also under the name of evidence', (encoding, remedy) => {
    const lines = Buffer.from(bytesOf('hcl')).toString(encoding).replaceAll(/.{76}/g, '$&\r\n');
    const { contents, notes } = recognised([
      ...named(['quoteMessage']),
      { name: 'hcl.bin', bytes: Buffer.from(lines) },
    ]);
    expect([...contents.keys()]).toEqual(['quoteMessage']);
    expect(notes).toEqual([
      `"hcl.bin" is left out: it is an HCL report written in ${encoding}: turn it into bytes first (${remedy})`,
    ]);
  });

  it('beside a malformed report, quote or TPM quote are recognised by their own content alone', () => {
    const data = { name: 'data', bytes: Buffer.from('{}') };
    for (const key of ['report', 'tdQuote', 'quoteMessage'] as const) {
      const cut = key === 'report' ? Buffer.from(bytesOf(key)).fill(0xff, 8, 16) : bytesOf(key).subarray(0, 60);
      expect(keysOf(recognised([{ name: 'a', bytes: cut }, data]))).toEqual([key]);
    }
    expect(keysOf(recognised([...nameless(['tdQuote']), data]))).toEqual(['tdQuote']);
  });

  it('are signatures beside a TPM quote, bare or as TPMT_SIGNATURE (RSASSA, SHA-256)', () => {
    const signature = Buffer.concat([Buffer.from('0014000b0100', 'hex'), bytesOf('quoteSignature')]);
    for (const bytes of [bytesOf('quoteSignature'), signature]) {
      const files = [...nameless(['quoteMessage']), { name: 'a', bytes }];
      expect(keysOf(recognised(files))).toEqual(['quoteMessage', 'quoteSignature']);
    }
    const other = [...nameless(['quoteMessage']), { name: 'a', bytes: Buffer.alloc(300, 1) }];
    expect(keysOf(recognised(other))).toEqual(['quoteMessage']);
  });

  it('are logs of the system in TLV too, and the log of a TD beside the answer of the metadata service', () => {
    const event = { pcr: 11, type: 0, data: Buffer.from('phase') };
    const files = [...nameless(['hcl', 'eventLog']), { name: 'cel', bytes: buildCelTlv([event]) }];
    expect(keysOf(recognised(files))).toEqual(['eventLog', 'hcl', 'systemLog']);
    const quote = JSON.stringify({ quote: Buffer.from(bytesOf('tdQuote')).toString('base64url') });
    const ofTd = [
      { name: 'answer', bytes: Buffer.from(quote) },
      { name: 'log', bytes: bytesOf('ccel') },
    ];
    expect(keysOf(recognised(ofTd))).toEqual(['ccel', 'tdQuoteAnswer']);
  });

  it('never hold a private key: PEM with one is left out', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
    const { contents, notes } = recognised([{ name: 'a', bytes: Buffer.from(pemOf(bytesOf('vek')) + key) }]);
    expect([contents.size, notes]).toEqual([
      0,
      ['"a" is left out: it holds a private key, which is never needed here'],
    ]);
  });
});
