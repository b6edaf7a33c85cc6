import { describe, expect, it } from 'vitest';
import { readChallengeRequest, readNonce, readVerifyRequest } from '../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../format-error-of.js';
import { wholeHclReport } from '../../lab/index.js';
import { haveVectors, readVector } from '../../vectors.js';
import {
  azSnpVtpmEvidence,
  base64url,
  bodyOf,
  EC_JWK,
  HCL_REPORT,
  type Json,
  NONCE,
  PCRS,
  PEM,
  SNP_REPORT,
  snpEvidence,
  TD_QUOTE,
  TPM_MESSAGE,
  TPM_SIGNATURE,
  trusteeV1,
  VCEK,
} from './sample-bodies.js';

const read = (body: unknown) => readVerifyRequest(bodyOf(body));
const errorOf = (body: unknown) => formatErrorOf(() => read(body));
const withSnp = (members: Json) => ({ evidence: snpEvidence(), ...members });
const withAzSnp = (members: Json) => ({ evidence: azSnpVtpmEvidence(), ...members });
const snpWith = (members: Json) => ({ evidence: { ...snpEvidence(), ...members } });
const quoteWith = (members: Json) => {
  const evidence = azSnpVtpmEvidence();
  return { evidence: { ...evidence, tpmQuote: { ...(evidence['tpmQuote'] as Json), ...members } } };
};

describe('a body that keeps to the contract', () => {
  it('reads az-snp-vtpm evidence', () => {
    const { evidence } = read({ evidence: azSnpVtpmEvidence() });
    if (evidence.type !== 'az-snp-vtpm') throw new Error('another type');
    expect(Buffer.from(wholeHclReport(evidence)).equals(HCL_REPORT)).toBe(true);
    expect(Buffer.from(evidence.tpmQuote.message).equals(TPM_MESSAGE)).toBe(true);
    expect(Buffer.from(evidence.tpmQuote.signature).equals(TPM_SIGNATURE)).toBe(true);
    expect([...evidence.tpmQuote.pcrs.keys()]).toEqual(['sha256']);
    const bank = evidence.tpmQuote.pcrs.get('sha256');
    expect(PCRS.every((value, index) => value.equals(bank?.get(index) ?? Buffer.alloc(0)))).toBe(true);
    expect(evidence.endorsements).toEqual({ vek: { der: VCEK }, chain: null, certificateTable: null, crls: [] });
  });

  it('reads snp evidence and says null for everything that was left out', () => {
    const { evidence, ...rest } = read(withSnp({}));
    const endorsements = { vek: null, chain: null, certificateTable: null, crls: [] };
    expect(evidence).toEqual({ type: 'snp', report: SNP_REPORT, runtimeData: null, endorsements });
    expect(rest).toEqual({
      attestationResults: [],
      nonce: null,
      bindingJwk: null,
      policies: null,
      audience: null,
      at: null,
    });
  });

  it('reads every other member', () => {
    const request = read(
      withSnp({
        nonce: base64url(NONCE),
        binding: { jwk: EC_JWK },
        policy: ['a', 'b-1'],
        audience: 'https://gate.example',
        at: '2026-01-15T12:00:00.250Z',
      }),
    );
    expect(Buffer.from(request.nonce ?? []).equals(NONCE)).toBe(true);
    expect({ ...request.bindingJwk }).toEqual(EC_JWK);
    expect(request.policies).toEqual(['a', 'b-1']);
    expect(request.audience).toBe('https://gate.example');
    expect(request.at).toEqual(new Date('2026-01-15T12:00:00.250Z'));
  });

  it('reads runtime data and endorsements', () => {
    const endorsements = { vek: PEM, chain: PEM + PEM, crls: [base64url(VCEK), base64url(PCRS[1] ?? VCEK)] };
    const { evidence } = read(snpWith({ runtimeData: base64url(Buffer.from('{}')), endorsements }));
    if (evidence.type !== 'snp') throw new Error('another type');
    expect(Buffer.from(evidence.runtimeData ?? []).toString()).toBe('{}');
    expect(evidence.endorsements).toEqual({
      vek: { pem: PEM },
      chain: PEM + PEM,
      certificateTable: null,
      crls: [VCEK, PCRS[1]],
    });
  });

  it('reads a certificate table alone', () => {
    const { evidence } = read(snpWith({ endorsements: { certificateTable: 'AAAA' } }));
    expect(evidence).toMatchObject({ endorsements: { certificateTable: Buffer.alloc(3) } });
  });

  it('reads every bank and any subset of indices', () => {
    const pcrs = { sha1: { '7': 'AA'.repeat(20) }, sha384: { '0': '', '23': 'bb' }, sha512: {} };
    const { evidence } = read(quoteWith({ pcrs }));
    if (evidence.type !== 'az-snp-vtpm') throw new Error('another type');
    const banks = [...evidence.tpmQuote.pcrs].map(([bank, values]) => [bank, [...values.keys()]]);
    expect(banks).toEqual([
      ['sha1', [7]],
      ['sha384', [0, 23]],
      ['sha512', []],
    ]);
    expect(evidence.tpmQuote.pcrs.get('sha1')?.get(7)).toEqual(Buffer.alloc(20, 0xaa));
  });

  it('reads one policy as a list of one', () => {
    expect(read(withSnp({ policy: 'azure-cvm-baseline' })).policies).toEqual(['azure-cvm-baseline']);
  });
});

describe('members', () => {
  it.each<[string, unknown, string]>([
    ['of the request', withSnp({ nonse: 'AAAA' }), '/nonse'],
    [
      'of a token beside the evidence',
      withSnp({ attestationResults: [{ type: 'maa-token', token: 'a.b.c', keys: [] }] }),
      '/attestationResults/0/keys',
    ],
    ['of the evidence', snpWith({ tpmQuote: {} }), '/evidence/tpmQuote'],
    [
      'of the evidence that a later version may know',
      { evidence: { ...azSnpVtpmEvidence(), instanceInfo: '' } },
      '/evidence/instanceInfo',
    ],
    ['of the endorsements', snpWith({ endorsements: { veck: '' } }), '/evidence/endorsements/veck'],
    ['of the quote', quoteWith({ 'a/b~c': 1 }), '/evidence/tpmQuote/a~1b~0c'],
    ['of the binding', withSnp({ nonce: base64url(NONCE), binding: { jwk: EC_JWK, jkt: '' } }), '/binding/jkt'],
    [
      'of the key',
      withSnp({ nonce: base64url(NONCE), binding: { jwk: { ...EC_JWK, x5u: 'https://a.example' } } }),
      '/binding/jwk/x5u',
    ],
    ['among the banks', quoteWith({ pcrs: { sha3: {} } }), '/evidence/tpmQuote/pcrs/sha3'],
    ['among the indices', quoteWith({ pcrs: { sha256: { '24': '00' } } }), '/evidence/tpmQuote/pcrs/sha256/24'],
    [
      'among the indices with a leading zero',
      quoteWith({ pcrs: { sha256: { '07': '00' } } }),
      '/evidence/tpmQuote/pcrs/sha256/07',
    ],
  ])('REQ-04 refuses an unknown member %s', (_, body, pointer) => {
    expect(errorOf(body)).toEqual({ code: 'unknown_property', pointer });
  });

  it.each<[string, unknown, string]>([
    ['null for an optional member', withSnp({ audience: null }), '/audience'],
    ['null for a nonce', withSnp({ nonce: null }), '/nonce'],
    ['a number for a string', withSnp({ audience: 7 }), '/audience'],
    ['true for a string', snpWith({ report: true }), '/evidence/report'],
    ['a string for an array', snpWith({ endorsements: { crls: 'AAAA' } }), '/evidence/endorsements/crls'],
    ['a string for an object', snpWith({ endorsements: 'AAAA' }), '/evidence/endorsements'],
    ['an array for an object', { evidence: [] }, '/evidence'],
    ['null for the evidence', { evidence: null }, '/evidence'],
    ['no evidence', {}, '/evidence'],
    ['an array for the body', [], ''],
    ['a string for the body', 'evidence', ''],
    ['no type', { evidence: { report: '' } }, '/evidence/type'],
    ['a number for the type', { evidence: { type: 1 } }, '/evidence/type'],
    ['no report', { evidence: { type: 'snp' } }, '/evidence/report'],
    ['no quote', { evidence: { type: 'az-snp-vtpm', hclReport: '' } }, '/evidence/tpmQuote'],
    ['a binding without nonce', withSnp({ binding: { jwk: EC_JWK } }), '/nonce'],
    ['an empty audience', withSnp({ audience: '' }), '/audience'],
    ['nine CRLs', snpWith({ endorsements: { crls: Array(9).fill('AAAA') } }), '/evidence/endorsements/crls'],
    [
      'a certificate table beside a vek',
      snpWith({ endorsements: { certificateTable: 'AAAA', vek: PEM } }),
      '/evidence/endorsements',
    ],
    [
      'a certificate table beside a chain',
      snpWith({ endorsements: { certificateTable: 'AAAA', chain: PEM } }),
      '/evidence/endorsements',
    ],
  ])('REQ-05 refuses %s', (_, body, pointer) => {
    expect(errorOf(body)).toEqual({ code: 'schema', pointer });
  });

  it.each([
    ['nothing', '', 'schema'],
    ['text that is cut short', '{"evidence":', 'schema'],
    ['text after the body', '{}x', 'schema'],
    ['a byte order mark', '\ufeff{}', 'encoding'],
  ])('says of the whole body that it is meant: %s', (_title, text, code) => {
    expect(formatErrorOf(() => readVerifyRequest(Buffer.from(text)))).toMatchObject({
      code,
      pointer: expect.any(String),
    });
    expect(formatErrorOf(() => readChallengeRequest(Buffer.from(text)))).toMatchObject({
      code,
      pointer: expect.any(String),
    });
  });

  it('REQ-06 refuses a duplicate in an escaped spelling', () => {
    const body = String.raw`{"evidence":{"type":"snp","report":""},"nonce":"AAAAAAAAAAA","\u006eonce":"AAAAAAAAAAA"}`;
    const error = formatErrorOf(() => readVerifyRequest(new TextEncoder().encode(body)));
    expect(error).toEqual({ code: 'duplicate_key', pointer: '/nonce' });
  });

  it('REQ-07 refuses names that reach into prototypes, before any schema', () => {
    const body = '{"evidence":{"type":"snp","report":"","constructor":{"prototype":{"polluted":1}}}}';
    const error = formatErrorOf(() => readVerifyRequest(new TextEncoder().encode(body)));
    expect(error).toEqual({ code: 'forbidden_key', pointer: '/evidence/constructor' });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('REQ-08 refuses what is nested too deeply, before any schema', () => {
    const deep = JSON.parse('['.repeat(40) + ']'.repeat(40));
    expect(errorOf(withSnp({ unknown: deep })).code).toBe('too_complex');
  });

  it('REQ-08 takes the limits that it is given', () => {
    const limits = { depth: 2, items: 100, values: 100, stringBytes: 10_000, keyBytes: 256, keyCharacters: 1_000 };
    expect(readVerifyRequest(bodyOf(withSnp({})), limits).evidence.type).toBe('snp');
    expect(formatErrorOf(() => readVerifyRequest(bodyOf(withAzSnp({})), limits)).code).toBe('too_complex');
  });

  it('REQ-09 refuses a number that is not an integer, or not exact', () => {
    const versioned = (text: string) =>
      new TextEncoder().encode(JSON.stringify({ evidence: trusteeV1(1) }).replace('"version":1', `"version":${text}`));
    for (const text of ['1.5', '1e400', '9007199254740993', '-0']) {
      const error = formatErrorOf(() => readVerifyRequest(versioned(text)));
      expect(error).toEqual({ code: 'schema', pointer: '/evidence/value/version' });
    }
    expect(readVerifyRequest(versioned('1')).evidence.type).toBe('az-snp-vtpm');
  });
});

describe('encodings', () => {
  it.each<[string, unknown, string]>([
    ['a report with a line feed', snpWith({ report: `${base64url(SNP_REPORT)}\n` }), '/evidence/report'],
    ['runtime data with unused bits', snpWith({ runtimeData: 'QUJDRB==' }), '/evidence/runtimeData'],
    ['a certificate in both alphabets', snpWith({ endorsements: { vek: '-_+/' } }), '/evidence/endorsements/vek'],
    ['a certificate after a blank', snpWith({ endorsements: { vek: ` ${PEM}` } }), '/evidence/endorsements/vek'],
    [
      'a certificate table of one digit',
      snpWith({ endorsements: { certificateTable: 'Q' } }),
      '/evidence/endorsements/certificateTable',
    ],
    ['the second CRL', snpWith({ endorsements: { crls: ['AAAA', '*'] } }), '/evidence/endorsements/crls/1'],
    ['an HCL report', { evidence: { ...azSnpVtpmEvidence(), hclReport: 'A' } }, '/evidence/hclReport'],
    ['a quote', quoteWith({ message: 'QQ=' }), '/evidence/tpmQuote/message'],
    ['a signature', quoteWith({ signature: 'QQ===' }), '/evidence/tpmQuote/signature'],
    [
      'a PCR of an odd number of digits',
      quoteWith({ pcrs: { sha256: { '7': 'abc' } } }),
      '/evidence/tpmQuote/pcrs/sha256/7',
    ],
    ['a PCR that is no hex', quoteWith({ pcrs: { sha256: { '7': 'zz' } } }), '/evidence/tpmQuote/pcrs/sha256/7'],
    ['a nonce', withSnp({ nonce: 'AAAA AAAA' }), '/nonce'],
  ])('REQ-10 refuses %s', (_, body, pointer) => {
    expect(errorOf(body)).toEqual({ code: 'encoding', pointer });
  });

  it('REQ-10 reads base64url and base64, with and without padding', () => {
    for (const report of [base64url(SNP_REPORT), SNP_REPORT.toString('base64'), `${base64url(SNP_REPORT)}=`]) {
      expect(read(snpWith({ report })).evidence).toMatchObject({ report: SNP_REPORT });
    }
  });

  it('REQ-11 refuses a body that is not UTF-8', () => {
    const body = Buffer.concat([Buffer.from('{"audience":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(formatErrorOf(() => readVerifyRequest(body)).code).toBe('encoding');
  });

  it('REQ-11 refuses a lone surrogate, a NUL and a byte order mark', () => {
    const text = JSON.stringify(withSnp({ audience: '@' }));
    for (const spelling of ['\\ud800', '\\u0000']) {
      const error = formatErrorOf(() => readVerifyRequest(Buffer.from(text.replace('@', spelling))));
      expect(error).toEqual({ code: 'encoding', pointer: '/audience' });
    }
    expect(formatErrorOf(() => readVerifyRequest(Buffer.from(`\ufeff${text}`))).code).toBe('encoding');
    expect(readVerifyRequest(Buffer.from(text)).audience).toBe('@');
  });
});

describe('types', () => {
  it.each(['sample', 'test', 'simulated', 'az_snp_vtpm', 'SNP', '', 'toString'])(
    'REQ-13 says of type %o that it is not supported, whatever else is wrong',
    (type) => {
      const error = { code: 'type_unsupported', pointer: '/evidence/type' };
      expect(errorOf({ evidence: { type, quote: 1 }, unknown: 1 })).toEqual(error);
      expect(errorOf({ evidence: { type, dialect: 'trustee', value: {} } })).toEqual(error);
    },
  );

  it.each<[string, unknown, string]>([
    ['a TD quote for an SNP report', snpWith({ report: base64url(TD_QUOTE) }), '/evidence/report'],
    ['an HCL report for an SNP report', snpWith({ report: base64url(HCL_REPORT) }), '/evidence/report'],
    ['a TPM quote for an SNP report', snpWith({ report: base64url(TPM_MESSAGE) }), '/evidence/report'],
    [
      'an SNP report for an HCL report',
      { evidence: { ...azSnpVtpmEvidence(), hclReport: base64url(SNP_REPORT) } },
      '/evidence/hclReport',
    ],
    [
      'a TD quote for an HCL report',
      { evidence: { ...azSnpVtpmEvidence(), hclReport: base64url(TD_QUOTE) } },
      '/evidence/hclReport',
    ],
    ['an SNP report for a TPM quote', quoteWith({ message: base64url(SNP_REPORT) }), '/evidence/tpmQuote/message'],
    ['a dialect of az-snp-vtpm', { evidence: { ...trusteeV1(1), type: 'snp' } }, '/evidence/dialect'],
    [
      'a dialect of snp',
      { evidence: { type: 'az-snp-vtpm', dialect: 'extended-report', value: '' } },
      '/evidence/dialect',
    ],
    [
      'another dialect of snp',
      { evidence: { type: 'az-snp-vtpm', dialect: 'configfs-tsm', value: {} } },
      '/evidence/dialect',
    ],
    ['a dialect of tdx', { evidence: { type: 'snp', dialect: 'ita', value: {} } }, '/evidence/dialect'],
    [
      'a dialect of hardware for a paravisor',
      { evidence: { type: 'az-snp-vtpm', dialect: 'maa', value: {} } },
      '/evidence/dialect',
    ],
    [
      'a dialect of paravisors for a report alone',
      { evidence: { type: 'snp', dialect: 'azure-guest', value: {} } },
      '/evidence/dialect',
    ],
  ])('REQ-12 refuses %s', (_, body, pointer) => {
    expect(errorOf(body)).toEqual({ code: 'type_mismatch', pointer });
  });

  it('REQ-12 leaves bytes that resemble nothing to the parser of the type', () => {
    expect(read(snpWith({ report: 'AAAA' })).evidence).toMatchObject({ type: 'snp', report: Buffer.alloc(3) });
  });

  it.each<[string, unknown]>([
    ['a dialect that nobody knows', { evidence: { ...trusteeV1(1), dialect: 'toString' } }],
    [
      'a dialect that a later version may know',
      { evidence: { type: 'az-snp-vtpm', dialect: 'azure-guest-3', value: {} } },
    ],
    ['null for the dialect', { evidence: { ...snpEvidence(), dialect: null } }],
  ])('refuses %s', (_, body) => {
    expect(errorOf(body)).toEqual({ code: 'schema', pointer: '/evidence/dialect' });
  });
});

describe('addresses', () => {
  const urls = [
    'https://kds.example/vcek',
    'http://169.254.169.254/',
    'file:///etc/passwd',
    'https://user:pw@a.example',
    'http://2852039166/',
  ];

  it.each(urls)('REQ-14 takes %s for bytes, never for a place to fetch from', (url) => {
    for (const member of ['vek', 'certificateTable'] as const) {
      const error = { code: 'encoding', pointer: `/evidence/endorsements/${member}` };
      expect(errorOf(snpWith({ endorsements: { [member]: url } }))).toEqual(error);
    }
    const error = { code: 'encoding', pointer: '/evidence/endorsements/crls/0' };
    expect(errorOf(snpWith({ endorsements: { crls: [url] } }))).toEqual(error);
  });

  it.each(['vcekUrl', 'crlUrl', 'jku', 'kds', 'maaEndpoint', 'pcs'])('REQ-14 knows no member %s', (member) => {
    expect(errorOf(withSnp({ [member]: urls[0] }))).toEqual({ code: 'unknown_property', pointer: `/${member}` });
    expect(errorOf(snpWith({ [member]: urls[0] })).code).toBe('unknown_property');
  });
});

describe('nonce', () => {
  const bytes = (length: number) => base64url(Buffer.alloc(length, 1));
  const HEX_OF_50_BYTES = Buffer.from(Array.from({ length: 50 }, (_, index) => 5 * index)).toString('hex');
  const NONCE_ERROR = { code: 'nonce', pointer: '/nonce' };

  it.each([8, 64])('reads %i bytes', (length) => {
    expect(read(withSnp({ nonce: bytes(length) })).nonce).toHaveLength(length);
  });

  it.each([0, 7, 65])('refuses %i bytes', (length) => {
    expect(errorOf(withSnp({ nonce: bytes(length) }))).toEqual(NONCE_ERROR);
  });

  it.each<[string, string, string]>([
    ['encoding', '0x0123456789abcdef0123456789abcdef', 'this is hex, and starts with 0x: expected base64url or base64'],
    ['nonce', HEX_OF_50_BYTES, 'nonce is 75 bytes, expected 8 to 64; it looks like hex, expected base64url'],
    [
      'nonce',
      `0X${HEX_OF_50_BYTES.toUpperCase()}00`,
      'nonce is 78 bytes, expected 8 to 64; it looks like hex, and starts with 0x, expected base64url',
    ],
  ])('says with %s that hex is hex: %s', (code, nonce, message) => {
    expect(() => readNonce(nonce)).toThrow(expect.objectContaining({ code, pointer: '/nonce', message }));
  });

  it('refuses what starts like a value that binds a key', () => {
    expect(errorOf(withSnp({ nonce: base64url(Buffer.from('veritee1')) }))).toEqual(NONCE_ERROR);
    expect(errorOf(withSnp({ nonce: base64url(Buffer.from('veritee1 and more')) }))).toEqual(NONCE_ERROR);
    expect(read(withSnp({ nonce: base64url(Buffer.from('veritee2')) })).nonce).toHaveLength(8);
    expect(read(withSnp({ nonce: base64url(Buffer.from('.veritee1')) })).nonce).toHaveLength(9);
  });

  it('refuses for vTPM evidence what a TPM quote does not hold', () => {
    expect(errorOf(withAzSnp({ nonce: bytes(51) }))).toEqual(NONCE_ERROR);
    expect(read(withAzSnp({ nonce: bytes(50) })).nonce).toHaveLength(50);
    const fromDialect = { evidence: trusteeV1(2), nonce: bytes(51) };
    expect(errorOf(fromDialect)).toEqual(NONCE_ERROR);
  });

  it('reads a long one for vTPM evidence with a bound key, since 40 bytes stand in the quote', () => {
    expect(read(withAzSnp({ nonce: bytes(64), binding: { jwk: EC_JWK } })).nonce).toHaveLength(64);
  });
});

describe('policies', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);

  it.each<[string, unknown]>([
    ['eight', ids(8)],
    ['the longest id', ['a'.repeat(64)]],
  ])('reads %s', (_, policy) => {
    expect(read(withSnp({ policy })).policies).toEqual(policy);
  });

  it.each<[string, unknown]>([
    ['nine', ids(9)],
    ['an id in upper case', 'Payments'],
    ['an id that starts with a hyphen', '-a'],
    ['an id that is too long', 'a'.repeat(65)],
    ['an id that is a path', '../a'],
    ['an id before a line feed', 'a\n'],
    ['a number', 1],
    ['a number in a list', [1]],
    ['an object', { id: 'a' }],
  ])('refuses %s', (_, policy) => {
    expect(errorOf(withSnp({ policy })).code).toBe('schema');
  });

  it('DEC-12 refuses an empty list, and one id twice', () => {
    for (const policy of [[], ['a', 'a'], ['a', 'b', 'a']]) {
      expect(errorOf(withSnp({ policy }))).toMatchObject({ code: 'schema', pointer: '/policy' });
    }
    expect(read(withSnp({ policy: ['a', 'b'] })).policies).toEqual(['a', 'b']);
  });
});

describe('at', () => {
  it.each(['2026-01-15T12:00:00Z', '2024-02-29T23:59:59.999Z', '2026-01-15T12:00:00.123456789Z'])('reads %s', (at) => {
    expect(read(withSnp({ at })).at?.toISOString().slice(0, 19)).toBe(at.slice(0, 19));
  });

  it.each([
    '2026-01-15',
    '2026-01-15T12:00:00',
    '2026-01-15T12:00:00+00:00',
    '2026-01-15T12:00:00z',
    '2026-01-15 12:00:00Z',
    '2026-02-29T12:00:00Z',
    '2026-02-30T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-01-15T24:00:00Z',
    '2026-01-15T12:00:60Z',
    '2026-01-15T12:00:00.Z',
    '1768478400',
  ])('refuses %s', (at) => {
    expect(errorOf(withSnp({ at }))).toEqual({ code: 'schema', pointer: '/at' });
  });
});

describe.skipIf(!haveVectors)('real evidence', () => {
  it.each(['az-snp-milan-hcl1-a', 'az-snp-milan-hcl1-b'])('reads what the guest of %s sent', (id) => {
    const value = JSON.parse(Buffer.from(readVector(`az-snp-vtpm/${id}.evidence.json`)).toString());
    const { evidence } = read({ evidence: { type: 'az-snp-vtpm', dialect: 'trustee', value } });
    if (evidence.type !== 'az-snp-vtpm') throw new Error('another type');
    const file = (name: string) => Buffer.from(readVector(`az-snp-vtpm/${id}.${name}`));
    expect(file('hcl-report.bin').equals(wholeHclReport(evidence))).toBe(true);
    expect(file('quote.msg').equals(evidence.tpmQuote.message)).toBe(true);
    expect(file('quote.sig').equals(evidence.tpmQuote.signature)).toBe(true);
    expect(
      file('pcrs.bin').equals(Buffer.concat([...(evidence.tpmQuote.pcrs.get('sha256') ?? new Map()).values()])),
    ).toBe(true);
    expect(evidence.endorsements.vek).toEqual({ der: file('vcek.der') });
  });
});

describe('tokens', () => {
  const maa = { type: 'maa-token', token: 'e30.e30.AA' };
  const ita = { type: 'ita-token', token: 'e30.e30.AQ' };

  it.each([maa, ita])('are evidence, as they are sent: %o', (token) => {
    expect(read({ evidence: token }).evidence).toEqual(token);
    expect(read({ evidence: token, nonce: base64url(Buffer.alloc(64, 1)) }).nonce).toHaveLength(64);
  });

  it('come beside evidence, one of each type, in their order', () => {
    expect(read(withSnp({ attestationResults: [ita, maa] })).attestationResults).toEqual([ita, maa]);
    expect(read({ evidence: maa, attestationResults: [ita] }).attestationResults).toEqual([ita]);
  });

  it.each<[string, unknown, number]>([
    ['one after the other', withSnp({ attestationResults: [maa, { ...maa, token: 'e30.e30.AQ' }] }), 1],
    ['with the evidence', { evidence: maa, attestationResults: [ita, maa] }, 1],
    ['with the evidence, alone', { evidence: ita, attestationResults: [ita] }, 0],
  ])('are refused where two are of one type, %s: a caller could choose which one counts', (_, body, index) => {
    expect(errorOf(body)).toEqual({ code: 'schema', pointer: `/attestationResults/${index}/type` });
  });

  it.each<[string, unknown, string]>([
    ['no list', maa, '/attestationResults'],
    ['a token that is no text', [{ type: 'maa-token', token: 7 }], '/attestationResults/0/token'],
    ['hardware', [snpEvidence()], '/attestationResults/0'],
    ['three', [maa, ita, maa], '/attestationResults'],
  ])('are refused as %s', (_, attestationResults, pointer) => {
    expect(errorOf(withSnp({ attestationResults }))).toMatchObject({ pointer });
  });

  it('have no dialect', () => {
    expect(errorOf({ evidence: { type: 'maa-token', dialect: 'maa', value: {} } }).pointer).toMatch(/^\/evidence/);
  });
});
