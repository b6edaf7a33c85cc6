import { describe, expect, it } from 'vitest';
import { hex } from '../../../src/core/bytes.js';
import type { JsonObject } from '../../../src/core/json.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import {
  fieldRange,
  findBytes,
  isJudged,
  isRuntimeData,
  nameOfFound,
  readBytes,
  shownBytes,
} from '../../../src/inspector/structures.js';
import { azureGuestEvidence } from '../../lab/attestation-info.js';
import { createAmdPki, createVirtualMachine } from '../../lab/index.js';
import { NONCE } from '../tee/fixture.js';

const pki = createAmdPki();
const vm = await createVirtualMachine({ pki });
const evidence = vm.wireEvidence({ nonce: NONCE }) as unknown as JsonObject;
const found = (value: Parameters<typeof findBytes>[0]) =>
  findBytes(value).map(({ pointer, kind }) => `${pointer} ${kind}`);
const report = vm.hclReport().subarray(32, 32 + 1184);
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

describe('what can be read in JSON', () => {
  it('is every structure of a /verify body, at its pointer', () => {
    expect(found({ evidence })).toEqual(
      expect.arrayContaining(['/evidence/hclReport hcl-report', '/evidence/tpmQuote/message tpm-quote']),
    );
  });

  it.each([
    ['base64url', base64url(report)],
    ['base64', Buffer.from(report).toString('base64')],
    ['hex', hex(report)],
    ['a list of numbers', [...report]],
    ['JSON in base64url', base64url(Buffer.from(JSON.stringify({ SnpReport: base64url(report) })))],
  ])('is found where it is written as %s', (_form, value) => {
    expect(findBytes({ value }).map(({ kind, bytes }) => [kind, hex(bytes)])).toEqual([['snp-report', hex(report)]]);
  });

  it('is PEM as it stands, a token, and runtime data by their name', () => {
    const token = ['{"alg":"RS256"}', '{"iss":"nobody"}', 'signature']
      .map((part) => base64url(Buffer.from(part)))
      .join('.');
    const runtimeData = base64url(Buffer.from('{"nonce":"AQ","keys":[{"kid":"one"}]}'));
    expect(found({ chain: pki.chainPem('Milan'), token, runtimeData, other: runtimeData })).toEqual([
      '/chain pem',
      '/token token',
      '/runtimeData runtime-data',
    ]);
  });

  it.each(['object', 'text'] as const)(
    'is the keys of a vTPM that an Azure guest sends, by their place: as %s',
    (form) => {
      const [akPublic, certifiedKey] = [vm.vtpm.akPublic(), vm.vtpm.certify(vm.vtpm.publicJwk)];
      const guest = azureGuestEvidence(vm.evidence({ nonce: NONCE }), { akPublic, certifiedKey, form });
      const info = '/evidence/value/TpmInfo';
      expect(found({ evidence: guest })).toEqual(
        expect.arrayContaining([
          `${info}/AikPub tpm-public`,
          `${info}/EncKeyPub tpm-public`,
          `${info}/EncKeyCertifyInfo key-certification`,
          `${info}/PcrQuote tpm-quote`,
        ]),
      );
      const named = findBytes({ evidence: guest }).flatMap(({ kind, problem, structures }) =>
        structures.map(({ name, fields }) => [kind, problem, name, fields.map((field) => field.name).join(' ')]),
      );
      expect(named).toEqual(
        expect.arrayContaining([
          ['tpm-public', null, 'TPM2B_PUBLIC', 'nameAlg objectAttributes authPolicy key'],
          ['key-certification', null, 'TPMS_ATTEST', 'magic type extraData name qualifiedName'],
        ]),
      );
    },
  );

  it('is no key of a vTPM elsewhere, and says what is wrong with one that cannot be read', () => {
    const text = base64url(vm.vtpm.akPublic());
    expect(found({ AikPub: text, evidence: { AikPub: text } })).toEqual([]);
    const TpmInfo = {
      AikPub: base64url(new Uint8Array(40)),
      EncKeyCertifyInfo: base64url(Buffer.alloc(33, 1)),
    };
    expect(findBytes({ evidence: { value: { TpmInfo } } })).toMatchObject([
      { kind: 'tpm-public', structures: [], problem: expect.stringMatching(/./) },
      { kind: 'key-certification', structures: [{ name: 'TPMS_ATTEST' }], problem: null },
    ]);
  });

  it('has names with slashes and tildes in their pointers as RFC 6901 has them', () => {
    expect(found({ 'a/b~c': hex(report) })).toEqual(['/a~1b~0c snp-report']);
  });

  it('is nothing in short texts, numbers and lists that are no bytes', () => {
    expect(found({ a: 'AQAB', b: 7, c: [256, ...Array(40).fill(1)], d: null, e: 'text '.repeat(20) })).toEqual([]);
  });

  it('is not looked for in bytes that the sender chooses beyond the depth, nor in a log in JSON', () => {
    const deep = Array.from({ length: 9 }).reduce<JsonObject>((inner) => ({ inner }), { value: hex(report) });
    expect(found({ evidence: { runtimeData: base64url(Buffer.from(JSON.stringify(deep))) } })).toEqual([
      '/evidence/runtimeData runtime-data',
    ]);
    const event = {
      recnum: 0,
      pcr: 0,
      digests: [{ hashAlg: 'sha256', digest: 'ab'.repeat(32) }],
      content_type: 'pcclient_std',
      content: { event_type: 'EV_SEPARATOR', event_data: '00000000' },
    };
    expect(
      found({ evidence: { eventLog: base64url(Buffer.from(JSON.stringify([event]))) } }).filter((each) =>
        each.endsWith('unread'),
      ),
    ).toEqual([]);
  });

  it('is bounded in depth and number', () => {
    const deep = Array.from({ length: 10 }).reduce<JsonObject>((inner) => ({ inner }), { report: hex(report) });
    expect(found(deep)).toEqual(['/inner/inner/inner/inner/inner/inner/inner/inner/inner unread']);
    expect(
      found(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`r${index}`, hex(report)]))),
    ).toHaveLength(65);
    const many = findBytes(Array.from({ length: 100 }, () => hex(report)));
    expect(many.slice(-2)).toMatchObject([
      { pointer: '/63', kind: 'snp-report' },
      { pointer: '/64', kind: 'unread', problem: expect.stringContaining('there is more') },
    ]);
    expect(findBytes([...Array.from({ length: 64 }, () => hex(report)), 7, 'short', null])).toHaveLength(64);
  });
});

describe('bytes by themselves', () => {
  it('are read as what they look like', () => {
    expect(readBytes(report)).toMatchObject({ pointer: '', kind: 'snp-report', problem: null });
    expect(readBytes(Uint8Array.of(1, 2, 3))).toBeNull();
  });

  it('are told apart from what looks like them, and is malformed', () => {
    const spoilt = Uint8Array.from(report);
    spoilt[0x4c] = 1;
    expect(readBytes(spoilt)).toMatchObject({
      kind: 'snp-report',
      structures: [],
      problem: expect.stringContaining('reserved'),
    });
  });
});

describe('what is judged', () => {
  const at = (pointer: string) => ({ ...(readBytes(report) ?? expect.fail()), pointer });

  it.each([
    '',
    '/evidence/report',
    '/evidence/hclReport',
    '/evidence/quote',
    '/evidence/tdQuote',
    '/evidence/tpmQuote/message',
    '/evidence/value',
    '/evidence/value/report',
    '/evidence/value/report/SnpReport',
    '/evidence/value/hcl_report',
    '/evidence/value/quote',
    '/evidence/value/td_quote',
    '/evidence/value/tdx/quote',
    '/evidence/value/quote/message',
    '/evidence/value/tpm_quote/message',
    '/evidence/value/outblob',
    '/evidence/value/IsolationInfo/Evidence/Proof',
    '/evidence/value/IsolationInfo/Evidence/Proof/SnpReport',
    '/evidence/value/TpmInfo/PcrQuote',
  ])('stands where the service looks for it: %s', (pointer) => {
    expect(isJudged(at(pointer))).toBe(true);
  });

  it.each([
    '/report',
    '/binding/jwk/n',
    '/evidence/other',
    '/evidence/value/draftPolicyForAttestation',
    '/evidence/value/Endorsements',
    '/evidence/value/event_log',
    '/evidence/runtimeData',
    '/evidence/report/report',
    '/evidence/value/report/VcekCertChain',
    '/evidence/value/runtimeData/data',
    '/attestationResults/0/report',
  ])('does not stand elsewhere: %s', (pointer) => {
    expect(isJudged(at(pointer))).toBe(false);
  });

  it.each([
    ['/evidence/runtimeData', true],
    ['/evidence/value/runtimeData/data', true],
    ['/evidence/value/runtime_data', true],
    ['/evidence/value/tdx/runtime_data', true],
    ['/evidence/value/IsolationInfo/Evidence/RunTimeData', true],
    ['/evidence/value/draftPolicyForAttestation/runtimeData', false],
    ['/runtimeData', false],
  ])('has its runtime data at %s: %s', (pointer, is) => {
    expect(isRuntimeData(at(pointer))).toBe(is);
  });
});

describe('the bytes that are shown', () => {
  const chain = pki.chainPem('Milan');

  it('are, of PEM, the DER of each certificate, in which its fields have their places', () => {
    const [pem] = findBytes({ chain });
    const { bytes, structures } = shownBytes(pem ?? expect.fail());
    const ders = parsePemCertificates(chain, 'cert_format');
    expect(hex(bytes)).toBe(ders.map(hex).join(''));
    const signatures = structures.map((structure) => {
      const field = structure.fields.find(({ name }) => name === 'signature') ?? expect.fail();
      const { from, to } = fieldRange(structure, field) ?? expect.fail();
      return hex(bytes.subarray(from, to));
    });
    expect(signatures).toEqual(ders.map((der) => hex(parseCertificate(der).signature)));
  });

  it('are, of a token, its header and claims, in which its members have their places', () => {
    const text = ['{"alg":"RS256"}', '{"iss":"nobody"}', 'signature']
      .map((part) => base64url(Buffer.from(part)))
      .join('.');
    const { bytes, structures } = shownBytes(readBytes(Buffer.from(`${text}\n`)) ?? expect.fail());
    expect(Buffer.from(bytes).toString()).toBe('{"alg":"RS256"}{"iss":"nobody"}');
    const written = structures.flatMap((structure) =>
      structure.fields.map((field) => {
        const place = fieldRange(structure, field);
        return [field.name, place && Buffer.from(bytes.subarray(place.from, place.to)).toString()];
      }),
    );
    expect(written).toEqual([
      ['alg', '"RS256"'],
      ['signature length', null],
      ['iss', '"nobody"'],
    ]);
  });

  it('are, of anything else, and of PEM that cannot be read, those that were given', () => {
    const [given] = findBytes({ report: hex(report) });
    expect(shownBytes(given ?? expect.fail())).toEqual({ bytes: given?.bytes, structures: given?.structures });
    const [unreadable] = findBytes({ chain: chain.replace('-----END', '----END') });
    expect(unreadable).toMatchObject({ kind: 'pem', problem: expect.any(String) });
    expect(shownBytes(unreadable ?? expect.fail()).bytes).toBe(unreadable?.bytes);
  });
});

describe('the name of what was found', () => {
  it.each([
    ['runtime-data', 'runtime data'],
    ['unread', 'not looked at'],
    ['td-quote', 'a TD quote'],
  ] as const)('%s is %s', (kind, name) => {
    expect(nameOfFound(kind)).toBe(name);
  });
});

describe('the place of a field', () => {
  const field = { name: 'f', offset: 2, length: 3, value: null, meaning: null };
  const structure = { name: 's', about: '', start: 32, length: 100, fields: [field] };

  it('is in the bytes that its structure was found in', () => {
    expect(fieldRange(structure, field)).toEqual({ from: 34, to: 37 });
  });

  it('is none where structure or field have none', () => {
    expect(fieldRange({ ...structure, start: null }, field)).toBeNull();
    expect(fieldRange(structure, { ...field, offset: null, length: null })).toBeNull();
  });
});
