import { X509Certificate as NodeCertificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/core/errors.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { parseExtendedKeyUsage } from '../../../src/formats/x509-extension.js';
import {
  bitString,
  boolean,
  der,
  generalizedTime,
  integer,
  nullValue,
  octetString,
  oid,
  printableString,
  sequence,
  set,
  tagged,
  utcTime,
  utf8String,
} from '../../lab/der-writer.js';
import { ATTRIBUTE, basicConstraints, ecSpki, extendedKeyUsage, keyUsage, nameOf, rsaSpki } from '../../lab/pki.js';
import { AMD_ALGORITHM, algorithmIdentifier, type LabAlgorithm } from '../../lab/signing.js';
import { certificate, derOf, formatErrorOf, KEYS, NOT_AFTER, NOT_BEFORE, name, type Overrides } from '../small-pki.js';

const hexOf = (value: Uint8Array) => Buffer.from(value).toString('hex');
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const point = (curveOctets: number) => new Uint8Array(1 + 2 * curveOctets).fill(4, 0, 1);

/** The error for a leaf with these differences. */
const refusal = (overrides: Overrides, rules = {}) =>
  formatErrorOf(() => parseCertificate(derOf('leaf', overrides), rules));

/** That many extensions, each with an id of its own. */
const extensions = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ oid: `1.2.3.${index}`, value: bytes('0500') }));

const ONE_EXTENSION = sequence(sequence(oid('2.5.29.14'), octetString(bytes('0400'))));

/** Replaces one element directly inside the signed part. */
function withElement(index: number, replacement: Uint8Array): Overrides {
  return {
    beforeSigning: (tbs) => {
      const elements = elementsOf(tbs);
      elements[index] = replacement;
      return sequence(...elements);
    },
  };
}

function elementsOf(constructed: Uint8Array): Uint8Array[] {
  const header = (constructed[1] ?? 0) < 0x80 ? 2 : 2 + ((constructed[1] ?? 0) & 0x7f);
  const elements: Uint8Array[] = [];
  for (let offset = header; offset < constructed.length; ) {
    const first = constructed[offset + 1] ?? 0;
    const octets = first < 0x80 ? 0 : first & 0x7f;
    const length =
      octets === 0 ? first : Number.parseInt(hexOf(constructed.subarray(offset + 2, offset + 2 + octets)), 16);
    const end = offset + 2 + octets + length;
    elements.push(constructed.subarray(offset, end));
    offset = end;
  }
  return elements;
}

describe('parseCertificate', () => {
  it('reads every field, as the runtime does', () => {
    const encoded = derOf('leaf', { serial: 0x0102_0304_0506n });
    const read = parseCertificate(encoded);
    const other = new NodeCertificate(encoded);
    expect(read.version).toBe(3);
    expect(hexOf(read.serial)).toBe('010203040506');
    expect(read.issuer.commonName).toBe('Intermediate');
    expect(hexOf(read.issuer.der)).toBe(hexOf(name('Intermediate')));
    expect(read.subject.commonName).toBe('Leaf');
    expect(read.notBefore).toEqual(new Date(other.validFrom));
    expect(read.notAfter).toEqual(new Date(other.validTo));
    expect(hexOf(read.spki)).toBe(other.publicKey.export({ type: 'spki', format: 'der' }).toString('hex'));
    expect(read.publicKey).toMatchObject({ kind: 'ec', curve: 'P-256' });
    expect(read.outerAlgorithm.name).toBe('ecdsa-sha256');
    expect(hexOf(read.innerAlgorithm.bytes)).toBe(hexOf(read.outerAlgorithm.bytes));
    expect(read.basicConstraints).toEqual({ critical: true, ca: false, pathLength: null });
    expect(read.keyUsage).toEqual({ digitalSignature: true, keyCertSign: false, crlSign: false });
    expect(read.extensions.map(({ oid: id, critical }) => [id, critical])).toEqual([
      ['2.5.29.19', true],
      ['2.5.29.15', true],
    ]);
    expect(hexOf(encoded)).toContain(hexOf(read.tbs));
    expect(hexOf(encoded).endsWith(hexOf(read.signature))).toBe(true);
  });

  it('reads a certificate that lies inside another buffer', () => {
    const encoded = derOf('leaf');
    const buffer = Buffer.concat([Buffer.alloc(11, 0x30), encoded, Buffer.alloc(3, 0x30)]);
    const read = parseCertificate(buffer.subarray(11, 11 + encoded.length));
    expect(hexOf(read.tbs)).toBe(hexOf(parseCertificate(encoded).tbs));
  });

  it('keeps an extension that appears twice, and takes neither for the right one', () => {
    const read = certificate('leaf', {
      extensions: [keyUsage(['digitalSignature']), basicConstraints(), keyUsage(['keyCertSign'])],
    });
    expect(read.extensions).toHaveLength(3);
    expect(read.keyUsage).toBeNull();
    expect(read.basicConstraints?.ca).toBe(true);
  });
});

describe('form', () => {
  const encoded = derOf('leaf');
  it.each([
    ['a byte after it', Buffer.concat([encoded, Buffer.from([0])])],
    ['a byte less', encoded.subarray(0, -1)],
    ['an element after the signature', sequence(...elementsOf(encoded), nullValue())],
    ['no signature', sequence(...elementsOf(encoded).slice(0, 2))],
    ['nothing', new Uint8Array()],
    ['a signed part that is a set', sequence(set(), ...elementsOf(encoded).slice(1))],
    ['a signature that is an octet string', sequence(...elementsOf(encoded).slice(0, 2), octetString(bytes('00')))],
    ['a signature of 7 bits', sequence(...elementsOf(encoded).slice(0, 2), bitString(bytes('80'), 1))],
  ])('refuses %s', (_what, value) => {
    expect(formatErrorOf(() => parseCertificate(value)).code).toBe('cert_format');
  });

  it.each([
    ['version 1 written out', withElement(0, tagged(0, integer(0)))],
    ['version 4', { version: 4 }],
    ['two versions', withElement(0, tagged(0, integer(2), integer(2)))],
    ['an issuer that is a set', withElement(3, set())],
    ['a validity of one time', withElement(4, sequence(utcTime('250101000000Z')))],
    ['a validity of three times', withElement(4, sequence(...Array(3).fill(utcTime('250101000000Z'))))],
    ['a validity of numbers', withElement(4, sequence(integer(1), integer(2)))],
    ['an issuer unique id', withElement(7, der(0x81, bytes('00')))],
    ['extensions that are not a sequence', withElement(7, tagged(3, set()))],
    ['an empty list of extensions', { extensions: [] }],
    ['two lists of extensions', withElement(7, tagged(3, ONE_EXTENSION, ONE_EXTENSION))],
    [
      'an element after the extensions',
      { beforeSigning: (tbs: Uint8Array) => sequence(...elementsOf(tbs), nullValue()) },
    ],
    [
      'critical FALSE written out',
      { extensions: [sequence(oid('2.5.29.14'), boolean(false), octetString(bytes('0400')))] },
    ],
    ['65 extensions', { extensions: extensions(65) }],
    ['an extension without a value', { extensions: [sequence(oid('2.5.29.14'))] }],
    [
      'an extension with a fourth element',
      { extensions: [sequence(oid('2.5.29.14'), octetString(bytes('')), nullValue())] },
    ],
  ])('refuses %s', (_what, overrides) => {
    expect(refusal(overrides).code).toBe('cert_format');
  });

  it.each([1, 2, 3] as const)('reads version %i', (version) => {
    expect(certificate('leaf', { version, extensions: null }).version).toBe(version);
  });
});

describe('serial number', () => {
  it.each([
    ['a negative one', -1],
    ['a large negative one', -(2n ** 100n)],
    ['one of 21 octets', 2n ** 160n],
    ['zero', 0],
    ['zero in two octets', bytes('0000')],
    ['an empty one', new Uint8Array()],
    ['a padded one', bytes('0001')],
  ])('CRT-06 refuses %s', (_what, serial) => {
    expect(refusal({ serial }).code).toBe('cert_format');
  });

  it('CRT-06 refuses a negative one and a long one also where zero is allowed', () => {
    expect(refusal({ serial: -1 }, { allowZeroSerial: true }).message).toBe('serial number is negative');
    expect(refusal({ serial: 2n ** 160n }, { allowZeroSerial: true }).message).toBe('serial number is over 20 octets');
  });

  it('reads zero where the caller allows it, for a VCEK or VLEK', () => {
    expect(hexOf(parseCertificate(derOf('leaf', { serial: 0 }), { allowZeroSerial: true }).serial)).toBe('00');
  });

  it('reads 20 octets of value, also with a sign octet before them', () => {
    expect(hexOf(certificate('leaf', { serial: 2n ** 160n - 1n }).serial)).toBe('ff'.repeat(20));
    expect(hexOf(certificate('leaf', { serial: 1 }).serial)).toBe('01');
  });
});

describe('extensions that are understood', () => {
  const constraints = (value: Uint8Array) => ({ extensions: [{ oid: '2.5.29.19', critical: true, value }] });
  const usage = (value: Uint8Array) => ({ extensions: [{ oid: '2.5.29.15', critical: true, value }] });

  it.each([
    ['basic constraints that are not a sequence', constraints(boolean(true))],
    ['basic constraints with bytes after them', constraints(bytes('300000'))],
    ['basic constraints with ca FALSE written out', constraints(sequence(boolean(false)))],
    ['a path length without ca', constraints(sequence(integer(0)))],
    ['a negative path length', constraints(sequence(boolean(true), integer(-1)))],
    ['a path length of 2^32', constraints(sequence(boolean(true), integer(2n ** 32n)))],
    ['basic constraints with a third element', constraints(sequence(boolean(true), integer(0), integer(0)))],
    ['a key usage that is not a bit string', usage(octetString(bytes('06')))],
    ['a key usage without its octet', usage(bytes('0300'))],
    ['a key usage with bytes after it', usage(bytes('0302010600'))],
  ])('refuses %s', (_what, overrides) => {
    expect(refusal(overrides).code).toBe('cert_format');
  });

  it('CRT-09 reads a key usage without bits as none, and does not crash', () => {
    const read = certificate('leaf', { extensions: [keyUsage([])] });
    expect(read.keyUsage).toEqual({ digitalSignature: false, keyCertSign: false, crlSign: false });
  });

  it('reads a key usage of nine bits', () => {
    const value = bitString(bytes('8680'), 7);
    const read = certificate('leaf', { extensions: [{ oid: '2.5.29.15', value }] });
    expect(read.keyUsage).toEqual({ digitalSignature: true, keyCertSign: true, crlSign: true });
  });

  it('reads a path length', () => {
    expect(certificate('root', { extensions: [basicConstraints({ pathLength: 3 })] }).basicConstraints).toEqual({
      critical: true,
      ca: true,
      pathLength: 3,
    });
  });
});

describe('times', () => {
  const notAfter = (value: Uint8Array) => certificate('leaf', { notAfter: value }).notAfter;

  it.each([
    ['UTCTime of 2049', utcTime('491231235959Z'), '2049-12-31T23:59:59.000Z'],
    ['UTCTime of 1950', utcTime('500101000000Z'), '1950-01-01T00:00:00.000Z'],
    ['UTCTime of 2000', utcTime('000229120000Z'), '2000-02-29T12:00:00.000Z'],
    ['GeneralizedTime of 2050', generalizedTime('20500101000000Z'), '2050-01-01T00:00:00.000Z'],
    ['GeneralizedTime of 9999', generalizedTime('99991231235959Z'), '9999-12-31T23:59:59.000Z'],
  ])('reads %s', (_what, value, expected) => {
    expect(notAfter(value)?.toISOString()).toBe(expected);
  });

  it.each([
    ['UTCTime without seconds', utcTime('2601010000Z')],
    ['UTCTime with an offset', utcTime('260101000000+0000')],
    ['UTCTime without zone', utcTime('260101000000')],
    ['UTCTime with a fraction', utcTime('260101000000.5Z')],
    ['UTCTime with z', utcTime('260101000000z')],
    ['UTCTime with a line end', utcTime('260101000000Z\n')],
    ['UTCTime with a blank', utcTime(' 60101000000Z')],
    ['UTCTime of other digits', utcTime('26010100000\u00b2Z')],
    ['an empty UTCTime', utcTime('')],
    ['UTCTime of 30 February', utcTime('260230000000Z')],
    ['UTCTime of 29 February in a common year', utcTime('270229000000Z')],
    ['UTCTime of month 13', utcTime('261301000000Z')],
    ['UTCTime of month 0', utcTime('260001000000Z')],
    ['UTCTime of day 0', utcTime('260100000000Z')],
    ['UTCTime of hour 24', utcTime('260101240000Z')],
    ['UTCTime of minute 60', utcTime('260101006000Z')],
    ['UTCTime of second 60', utcTime('260101000060Z')],
    ['GeneralizedTime of 2049', generalizedTime('20491231235959Z')],
    ['GeneralizedTime of 1950', generalizedTime('19500101000000Z')],
    ['GeneralizedTime of year 0', generalizedTime('00000101000000Z')],
    ['GeneralizedTime with a fraction', generalizedTime('20500101000000.5Z')],
    ['GeneralizedTime without seconds', generalizedTime('205001010000Z')],
    ['GeneralizedTime with an offset', generalizedTime('20500101000000+0100')],
    ['GeneralizedTime of 31 April', generalizedTime('20500431000000Z')],
    ['a very long time', utcTime('2'.repeat(10_000))],
  ])('CRT-04 takes %s for no instant', (_what, value) => {
    expect(notAfter(value)).toBeNull();
  });
});

describe('names', () => {
  const subject = (...attributes: (readonly [string, string | Uint8Array])[]) =>
    certificate('leaf', { subject: nameOf(attributes) }).subject.commonName;

  it('reads the common name of UTF8String and PrintableString', () => {
    expect(subject([ATTRIBUTE.commonName, 'Grün'])).toBe('Grün');
    expect(subject([ATTRIBUTE.commonName, printableString('SEV-Milan')])).toBe('SEV-Milan');
  });

  it('has no common name where there is none, where there are two, and for other types of string', () => {
    expect(subject([ATTRIBUTE.organizationName, 'x'])).toBeNull();
    expect(subject([ATTRIBUTE.commonName, 'a'], [ATTRIBUTE.commonName, 'b'])).toBeNull();
    expect(subject([ATTRIBUTE.commonName, der(0x1e, bytes('0041'))])).toBeNull();
    expect(certificate('leaf', { subject: sequence() }).subject.commonName).toBeNull();
  });

  it('keeps a byte order mark and NUL in a name, which is then another name', () => {
    expect(subject([ATTRIBUTE.commonName, '\ufeffSEV-Milan'])).not.toBe('SEV-Milan');
    expect(subject([ATTRIBUTE.commonName, 'SEV-Milan\0'])).not.toBe('SEV-Milan');
  });

  const attributes = (count: number) => Array.from({ length: count }, () => sequence(oid('2.5.4.11'), utf8String('x')));

  it('REQ-19 reads a certificate of 16 KiB, and refuses a longer one before it reads anything', () => {
    const padded = (bytes: number): Overrides => ({
      extensions: [{ oid: '1.2.3', value: octetString(new Uint8Array(bytes)) }],
      signature: () => new Uint8Array(72),
    });
    const overhead = derOf('leaf', padded(16_000)).byteLength - 16_000;
    const longest = derOf('leaf', padded(16_384 - overhead));
    expect(parseCertificate(longest).der.byteLength).toBe(16_384);
    const error = refusal(padded(16_385 - overhead));
    expect([error.code, error.message]).toEqual([
      'cert_format',
      'certificate is 16385 bytes, at most 16384 are allowed',
    ]);
    expect(formatErrorOf(() => parseCertificate(new Uint8Array(16_385))).message).toBe(error.message);
    expect(parseCertificate(derOf('leaf', padded(17_000)), { maximumBytes: 20_000 }).version).toBe(3);
  });

  it('REQ-19 reads 16 key purposes, and refuses one more', () => {
    const purposes = (count: number) => Array.from({ length: count }, (_, index) => `1.2.3.${index}`);
    const read = (count: number) => {
      const { oid: id, value } = extendedKeyUsage(purposes(count));
      return parseExtendedKeyUsage({ oid: id, critical: false, value });
    };
    expect(read(16)).toEqual(purposes(16));
    expect(formatErrorOf(() => read(17)).code).toBe('cert_format');
    expect(formatErrorOf(() => read(10_000)).code).toBe('cert_format');
  });

  it('reads 64 attributes, and 64 extensions', () => {
    const subject = sequence(...attributes(64).map((attribute) => set(attribute)));
    const read = certificate('leaf', { subject, extensions: extensions(64) });
    expect(hexOf(read.subject.der)).toBe(hexOf(subject));
    expect(read.extensions).toHaveLength(64);
  });

  it.each([
    ['65 attributes', sequence(...attributes(65).map((attribute) => set(attribute)))],
    ['65 attributes in one relative name', sequence(set(...attributes(65)))],
    ['invalid UTF-8', nameOf([[ATTRIBUTE.commonName, der(0x0c, bytes('c328'))]])],
    ['a PrintableString with an underscore', nameOf([[ATTRIBUTE.commonName, printableString('a_b')]])],
    ['an empty relative name', sequence(set())],
    ['an attribute without value', sequence(set(sequence(oid(ATTRIBUTE.commonName))))],
    [
      'an attribute with two values',
      sequence(set(sequence(oid(ATTRIBUTE.commonName), utf8String('a'), utf8String('b')))),
    ],
    ['an attribute that is not a sequence', sequence(set(utf8String('a')))],
    ['an attribute type of 2^32', nameOf([['2.5.4294967296', 'a']])],
  ])('CRT-06 refuses %s', (_what, value) => {
    expect(refusal({ subject: value }).code).toBe('cert_format');
  });

  it('reads a relative name of two attributes', () => {
    const both = set(
      sequence(oid(ATTRIBUTE.commonName), utf8String('a')),
      sequence(oid(ATTRIBUTE.organizationName), utf8String('b')),
    );
    expect(certificate('leaf', { subject: sequence(both) }).subject.commonName).toBe('a');
  });
});

describe('public keys', () => {
  const P256 = oid('1.2.840.10045.3.1.7');
  const P384 = oid('1.3.132.0.34');
  const key = (spki: Uint8Array) => certificate('leaf', { spki }).publicKey;

  it('reads the size of an RSA key in bits', () => {
    expect(key(rsaSpki(2n ** 2047n + 1n, 65537))).toMatchObject({ kind: 'rsa', bits: 2048 });
    expect(key(rsaSpki(2n ** 2047n - 1n, 65537))).toMatchObject({ kind: 'rsa', bits: 2047 });
    expect(key(rsaSpki(1, 3))).toMatchObject({ kind: 'rsa', bits: 1 });
    expect(key(rsaSpki(0, 0))).toMatchObject({ kind: 'rsa', bits: 0 });
  });

  it('reads the point of a P-384 key', () => {
    const read = key(ecSpki(P384, point(48)));
    expect(read).toMatchObject({ kind: 'ec', curve: 'P-384' });
    expect(read.kind === 'ec' && [read.x.length, read.y.length]).toEqual([48, 48]);
  });

  it.each([
    ['P-224', ecSpki(oid('1.3.132.0.33'), point(28)), 'curve is not P-256 or P-384'],
    ['explicit parameters', ecSpki(sequence(integer(1)), point(32)), 'curve is not given by name'],
    ['parameters of the issuer', ecSpki(nullValue(), point(32)), 'curve is not given by name'],
    ['a compressed point', ecSpki(P256, bytes(`02${'11'.repeat(32)}`)), 'point is not in uncompressed form'],
    ['the point at infinity', ecSpki(P256, bytes('00')), 'point is not in uncompressed form'],
    ['no point', ecSpki(P256, new Uint8Array()), 'point is not in uncompressed form'],
    [
      'Ed25519',
      sequence(sequence(oid('1.3.101.112')), bitString(new Uint8Array(32))),
      'neither RSA nor elliptic curve',
    ],
    [
      'RSA bound to PSS',
      sequence(sequence(oid('1.2.840.113549.1.1.10')), bitString(bytes('3000'))),
      'neither RSA nor elliptic curve',
    ],
  ])('reads %s as a key that nothing uses', (_what, spki, detail) => {
    expect(key(spki)).toEqual({ kind: 'other', detail });
  });

  it.each([
    [
      'an RSA key without NULL',
      sequence(sequence(oid('1.2.840.113549.1.1.1')), bitString(sequence(integer(5), integer(3)))),
    ],
    [
      'an RSA key of one number',
      sequence(sequence(oid('1.2.840.113549.1.1.1'), nullValue()), bitString(sequence(integer(5)))),
    ],
    ['a negative modulus', rsaSpki(-5, 3)],
    ['a negative exponent', rsaSpki(5, -3)],
    ['a padded modulus', rsaSpki(bytes('0001'), 3)],
    [
      'an RSA key that is no DER',
      sequence(sequence(oid('1.2.840.113549.1.1.1'), nullValue()), bitString(bytes('ffff'))),
    ],
    ['a point that is too short', ecSpki(P256, point(31))],
    ['a point of another curve', ecSpki(P256, point(48))],
    ['a key of 7 bits', sequence(sequence(oid('1.2.840.10045.2.1'), P256), bitString(bytes('80'), 1))],
    ['two parameters', sequence(sequence(oid('1.2.840.10045.2.1'), P256, P256), bitString(point(32)))],
    [
      'an RSA key of three numbers',
      sequence(
        sequence(oid('1.2.840.113549.1.1.1'), nullValue()),
        bitString(sequence(integer(5), integer(3), integer(1))),
      ),
    ],
    ['an empty algorithm', sequence(sequence(), bitString(bytes('00')))],
    ['a third element', sequence(sequence(oid('1.3.101.112')), bitString(bytes('00')), nullValue())],
  ])('refuses %s', (_what, spki) => {
    expect(refusal({ spki }).code).toBe('cert_format');
  });
});

describe('signature algorithms', () => {
  const nameOfAlgorithm = (encoded: Uint8Array) =>
    certificate('leaf', { innerAlgorithm: encoded, outerAlgorithm: encoded }).outerAlgorithm.name;

  const known: readonly (readonly [string, LabAlgorithm])[] = [
    ['rsassa-pss-sha384', AMD_ALGORITHM],
    ['rsassa-pss-sha384', { ...AMD_ALGORITHM, trailerField: true }],
    ['rsassa-pkcs1-sha256', { scheme: 'pkcs1', hash: 'sha256' }],
    ['rsassa-pkcs1-sha384', { scheme: 'pkcs1', hash: 'sha384' }],
    ['rsassa-pkcs1-sha512', { scheme: 'pkcs1', hash: 'sha512' }],
    ['ecdsa-sha256', { scheme: 'ecdsa', hash: 'sha256' }],
  ];

  it.each(known)('recognises %s', (expected, algorithm) => {
    expect(nameOfAlgorithm(algorithmIdentifier(algorithm))).toBe(expected);
  });

  const SHA384 = sequence(oid('2.16.840.1.101.3.4.2.2'), nullValue());
  const MGF1 = sequence(oid('1.2.840.113549.1.1.8'), SHA384);
  const pss = (...parameters: readonly Uint8Array[]) => sequence(oid('1.2.840.113549.1.1.10'), sequence(...parameters));

  it.each([
    ['PSS with salt 20', algorithmIdentifier({ ...AMD_ALGORITHM, saltLength: 20 })],
    ['PSS with salt 47', algorithmIdentifier({ ...AMD_ALGORITHM, saltLength: 47 })],
    ['PSS with SHA-256', algorithmIdentifier({ ...AMD_ALGORITHM, hash: 'sha256' })],
    ['PSS with MGF1-SHA-1', algorithmIdentifier({ ...AMD_ALGORITHM, mgfHash: 'sha1' })],
    ['PSS with the defaults, which are SHA-1', pss()],
    ['PSS without parameters', sequence(oid('1.2.840.113549.1.1.10'))],
    ['PSS with NULL parameters', sequence(oid('1.2.840.113549.1.1.10'), nullValue())],
    ['PSS without salt length, which is 20', pss(tagged(0, SHA384), tagged(1, MGF1))],
    [
      'PSS with trailer field 2',
      pss(tagged(0, SHA384), tagged(1, MGF1), tagged(2, integer(48)), tagged(3, integer(2))),
    ],
    [
      'PSS with a fifth parameter',
      pss(tagged(0, SHA384), tagged(1, MGF1), tagged(2, integer(48)), tagged(4, integer(1))),
    ],
    ['PKCS#1 with SHA-1', algorithmIdentifier({ scheme: 'pkcs1', hash: 'sha1' })],
    ['PKCS#1 with MD5', algorithmIdentifier({ scheme: 'pkcs1', hash: 'md5' })],
    ['PKCS#1 without NULL', sequence(oid('1.2.840.113549.1.1.11'))],
    ['ECDSA with SHA-1', algorithmIdentifier({ scheme: 'ecdsa', hash: 'sha1' })],
    ['ECDSA with parameters', sequence(oid('1.2.840.10045.4.3.2'), nullValue())],
    ['the hash alone', SHA384],
  ])('CRT-05 recognises no algorithm in %s', (_what, encoded) => {
    expect(nameOfAlgorithm(encoded)).toBeNull();
  });

  it('refuses an algorithm that is no sequence', () => {
    expect(refusal({ innerAlgorithm: oid('1.2.840.10045.4.3.2') }).code).toBe('cert_format');
  });
});

describe('robustness', () => {
  const encoded = derOf('leaf', { notBefore: NOT_BEFORE, notAfter: NOT_AFTER, signer: KEYS.root });

  function parsesOrIsMalformed(value: Uint8Array): void {
    try {
      parseCertificate(value);
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).code).toBe('cert_format');
    }
  }

  it('refuses every truncation', () => {
    for (let length = 0; length < encoded.length; length += 1) {
      expect(formatErrorOf(() => parseCertificate(encoded.subarray(0, length))).code).toBe('cert_format');
    }
  });

  it('reads or refuses every flipped bit, and throws nothing else', () => {
    for (let bit = 0; bit < encoded.length * 8; bit += 1) {
      const flipped = Uint8Array.from(encoded);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      parsesOrIsMalformed(flipped);
    }
    expect.hasAssertions();
  });

  it('reads or refuses any bytes, and throws nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: encoded.length - 1 }), (noise, at) => {
        parsesOrIsMalformed(noise);
        parsesOrIsMalformed(Buffer.concat([encoded.subarray(0, at), noise, encoded.subarray(at)]));
        const spliced = Uint8Array.from(encoded);
        spliced.set(noise.subarray(0, encoded.length - at), at);
        parsesOrIsMalformed(spliced);
      }),
      { numRuns: 500 },
    );
    expect.hasAssertions();
  });
});
