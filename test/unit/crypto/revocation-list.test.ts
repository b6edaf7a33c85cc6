import { describe, expect, it } from 'vitest';
import {
  checkRevocationListTime,
  isOlder,
  isRevoked,
  verifyRevocationList,
} from '../../../src/crypto/revocation-list.js';
import { type CrlFrame, parseCrl, parseCrlFrame } from '../../../src/formats/x509-crl.js';
import { flipBit } from '../../lab/byte-patch.js';
import { generalizedTime, octetString, printableString, utcTime } from '../../lab/der-writer.js';
import { namedRsaKey } from '../../lab/lab-keys.js';
import {
  ATTRIBUTE,
  basicConstraints,
  buildCrl,
  type CrlOptions,
  crlNumber,
  type ExtensionOrDer,
  keyUsage,
  nameOf,
} from '../../lab/pki.js';
import { algorithmIdentifier } from '../../lab/signing.js';
import {
  AT,
  certificate,
  ECDSA_SHA256,
  formatErrorOf,
  KEYS,
  name,
  type Overrides,
  PROFILE,
  problemOf,
} from '../small-pki.js';

const THIS_UPDATE = new Date('2026-01-01T00:00:00Z');
const NEXT_UPDATE = new Date('2026-02-01T00:00:00Z');
const AUTHORITY_KEY = { oid: '2.5.29.35', value: Buffer.from('30028000', 'hex') };
const some = octetString(new Uint8Array([1]));

const listOf = (overrides: Partial<CrlOptions> = {}) =>
  buildCrl({
    signer: KEYS.root,
    algorithm: ECDSA_SHA256,
    issuer: name('Root'),
    thisUpdate: THIS_UPDATE,
    nextUpdate: NEXT_UPDATE,
    revoked: [{ serial: 0x1234 }],
    extensions: [AUTHORITY_KEY, crlNumber(7)],
    ...overrides,
  });
const crl = (overrides: Partial<CrlOptions> = {}) => parseCrl(listOf(overrides));

const verify = (overrides: Partial<CrlOptions> = {}, issuer: Overrides = {}) =>
  problemOf(verifyRevocationList(parseCrlFrame(listOf(overrides)), certificate('root', issuer), PROFILE));
const withExtensions = (...extensions: readonly ExtensionOrDer[]) => ({ extensions: [crlNumber(7), ...extensions] });

describe('verifyRevocationList', () => {
  it('takes a list of its issuer', () => {
    expect(verify()).toBeNull();
    expect(verify({ revoked: [] })).toBeNull();
    expect(verify({ extensions: [crlNumber(0, true)] })).toBeNull();
  });

  it('takes extensions that are unknown and not critical, in the list and in an entry', () => {
    expect(verify(withExtensions({ oid: '2.5.29.46', value: some }))).toBeNull();
    const reason = { oid: '2.5.29.21', value: Buffer.from('0a0101', 'hex') };
    expect(verify({ revoked: [{ serial: 1, extensions: [reason] }] })).toBeNull();
  });

  const critical = (oid: string) => ({ oid, critical: true, value: some });
  const cases: readonly (readonly [string, Partial<CrlOptions>])[] = [
    ['of another issuer', { issuer: name('Other') }],
    [
      "with the issuer's name as another type of string",
      { issuer: nameOf([[ATTRIBUTE.commonName, printableString('Root')]]) },
    ],
    ['signed by another key', { signer: KEYS.other }],
    [
      'changed after it was signed',
      { afterSigning: (tbs) => Buffer.from(Buffer.from(tbs).toString('hex').replace('02021234', '02021235'), 'hex') },
    ],
    ['with an empty signature', { signature: () => new Uint8Array() }],
    ['signed with SHA-1', { algorithm: { scheme: 'ecdsa', hash: 'sha1' } }],
    ['whose signed algorithm is another', { innerAlgorithm: algorithmIdentifier({ scheme: 'ecdsa', hash: 'sha1' }) }],
    ['of version 1', { version: 1 }],
    ['without number', { extensions: [AUTHORITY_KEY] }],
    ['without extensions', { extensions: null }],
    ['with two numbers', { extensions: [crlNumber(1), crlNumber(2)] }],
    ['with an extension twice', withExtensions(AUTHORITY_KEY, AUTHORITY_KEY)],
    ['that holds changes only', withExtensions({ ...critical('2.5.29.27'), value: Buffer.from('020101', 'hex') })],
    [
      'that holds changes only, not marked critical',
      withExtensions({ oid: '2.5.29.27', value: Buffer.from('020101', 'hex') }),
    ],
    ['that is indirect', withExtensions({ ...critical('2.5.29.28'), value: Buffer.from('30038401ff', 'hex') })],
    [
      'that speaks of user certificates only',
      withExtensions({ oid: '2.5.29.28', value: Buffer.from('30038101ff', 'hex') }),
    ],
    ['with an unknown critical extension', withExtensions(critical('1.2.3.4'))],
    ['with an entry for another issuer', { revoked: [{ serial: 1, extensions: [critical('2.5.29.29')] }] }],
    [
      'with an entry for another issuer, not marked critical',
      { revoked: [{ serial: 1 }, { serial: 2, extensions: [{ oid: '2.5.29.29', value: some }] }] },
    ],
    ['with an unknown critical extension in an entry', { revoked: [{ serial: 1, extensions: [critical('1.2.3.4')] }] }],
  ];

  it.each(cases)('CRT-09 refuses a list %s', (_what, overrides) => {
    expect(verify(overrides)?.code).toBe('crl_invalid');
  });

  it.each([
    ['may sign certificates only', [basicConstraints(), keyUsage(['keyCertSign'])]],
    ['does not say what it may do', [basicConstraints()]],
    ['has a key usage without bits', [basicConstraints(), keyUsage([])]],
    ['says twice what it may do', [keyUsage(['crlSign']), keyUsage(['crlSign'])]],
  ])('CRT-09 refuses a list of an issuer that %s', (_what, extensions) => {
    expect(verify({}, { extensions })?.code).toBe('crl_invalid');
  });

  it("CRT-09 refuses a list whose algorithm is not one of the issuer's key, or whose issuer has a weak key", () => {
    const rsa = namedRsaKey('small-rsa', 2048);
    const issuer = certificate('root', { spki: rsa.spki });
    expect(problemOf(verifyRevocationList(crl(), issuer, PROFILE))?.detail).toBe(
      "signature algorithm does not fit the issuer's key",
    );
    const weak = namedRsaKey('small-weak', 1024);
    const signed = crl({ signer: weak, algorithm: { scheme: 'pkcs1', hash: 'sha256' } });
    const profile = {
      ...PROFILE,
      signatureAlgorithms: new Set(['rsassa-pkcs1-sha256'] as const),
      issuerKeys: [{ kind: 'rsa', minimumBits: 2048, maximumBits: 4096 }] as const,
    };
    const reading = verifyRevocationList(signed, certificate('root', { spki: weak.spki }), profile);
    expect(problemOf(reading)).toEqual({ code: 'crl_invalid', detail: 'key is of a kind or size that is not allowed' });
  });
});

describe('verifyRevocationList: the entries', () => {
  const MALFORMED = { revoked: [{ serial: 0x1234 }, { serial: -1 }] };

  /** A list of which it is counted how often somebody looks at the entries. */
  function counted(overrides: Partial<CrlOptions>) {
    const { revokedCertificates, ...frame } = parseCrlFrame(listOf(overrides));
    let looks = 0;
    const list: CrlFrame = {
      ...frame,
      get revokedCertificates() {
        looks += 1;
        return revokedCertificates;
      },
    };
    return { list, looks: () => looks };
  }

  const readings = (overrides: Partial<CrlOptions>) => {
    const { list, looks } = counted(overrides);
    return [verifyRevocationList(list, certificate('root'), PROFILE).ok, looks() > 0];
  };

  it('CRT-09 are read of a list that its issuer signed', () => {
    expect(readings({})).toEqual([true, true]);
    const reading = verifyRevocationList(parseCrlFrame(listOf()), certificate('root'), PROFILE);
    expect(reading.ok && isRevoked(reading.list, Uint8Array.of(0x12, 0x34))).toBe(true);
  });

  it.each([
    ['of another issuer', { issuer: name('Other') }],
    ['signed by another key', { signer: KEYS.other }],
    ['changed after it was signed', { afterSigning: (tbs: Uint8Array) => flipBit(tbs, tbs.length - 1) }],
    ['signed with SHA-1', { algorithm: { scheme: 'ecdsa', hash: 'sha1' } as const }],
  ])('CRT-09 are not read of a list %s, however they are', (_what, overrides) => {
    expect(readings(overrides)).toEqual([false, false]);
    expect(verify({ ...overrides, ...MALFORMED })?.code).toBe('crl_invalid');
  });

  it('CRT-09 are malformed, whoever signed them', () => {
    const frame = parseCrlFrame(listOf(MALFORMED));
    expect(formatErrorOf(() => verifyRevocationList(frame, certificate('root'), PROFILE)).code).toBe('cert_format');
  });

  it('CRT-09 are malformed also in a list that is not of use for another reason', () => {
    const frame = parseCrlFrame(listOf({ ...MALFORMED, version: 1, extensions: null }));
    expect(formatErrorOf(() => verifyRevocationList(frame, certificate('root'), PROFILE)).code).toBe('cert_format');
  });
});

describe('checkRevocationListTime', () => {
  const judge = (at: Date, overrides: Partial<CrlOptions> = {}) =>
    checkRevocationListTime(crl(overrides), at)?.code ?? null;
  const shifted = (date: Date, seconds: number) => new Date(date.getTime() + seconds * 1000);

  it('CRT-09 judges by the second, without leeway', () => {
    expect(judge(shifted(THIS_UPDATE, -1))).toBe('crl_invalid');
    expect(judge(THIS_UPDATE)).toBeNull();
    expect(judge(AT)).toBeNull();
    expect(judge(NEXT_UPDATE)).toBeNull();
    expect(judge(shifted(NEXT_UPDATE, 1))).toBe('crl_stale');
  });

  it('CRT-09 takes a list without an end, or with one in another form, for stale', () => {
    expect(judge(AT, { nextUpdate: null })).toBe('crl_stale');
    expect(judge(AT, { nextUpdate: generalizedTime('20270101000000Z') })).toBe('crl_stale');
  });

  it('CRT-09 refuses a list that does not say when it was made', () => {
    expect(judge(AT, { thisUpdate: utcTime('2601010000Z'), revoked: [] })).toBe('crl_invalid');
  });
});

describe('isOlder', () => {
  it.each([
    ['a lower number', [1, 5], [2, 5], true],
    ['a lower number of a later date', [1, 6], [2, 5], true],
    ['a higher number of an earlier date', [2, 5], [1, 6], false],
    ['the same number of an earlier date', [1, 5], [1, 6], true],
    ['the same number of a later date', [1, 6], [1, 5], false],
    ['the same number and date', [1, 5], [1, 5], false],
  ] as const)('goes by the number, then by the date: %s', (_what, one, other, expected) => {
    const ageOf = ([number, day]: readonly [number, number]) => {
      return { number: BigInt(number), thisUpdate: new Date(Date.UTC(2026, 0, day)) };
    };
    expect(isOlder(ageOf(one), ageOf(other))).toBe(expected);
  });
});

describe('isRevoked', () => {
  const list = crl({ revoked: [{ serial: 0x1234 }, { serial: 2n ** 159n }, { serial: 0x80 }] });
  const revoked = (serial: number | bigint) => isRevoked(list, certificate('intermediate', { serial }).serial);

  it('finds a serial number, whatever its sign octet', () => {
    expect([0x1234, 2n ** 159n, 0x80].map(revoked)).toEqual([true, true, true]);
  });

  it('does not find a part of one, or a longer one', () => {
    expect([0x12, 0x34, 0x123400, 0x341234, 0x8000].map(revoked)).toEqual([false, false, false, false, false]);
  });
});
