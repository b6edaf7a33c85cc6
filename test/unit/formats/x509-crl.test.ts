import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/core/errors.js';
import { countCrlEntries, parseCrl, parseCrlFrame, readCrlEntries } from '../../../src/formats/x509-crl.js';
import {
  bitString,
  generalizedTime,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  tagged,
  utcTime,
} from '../../lab/der-writer.js';
import { buildCrl, type CrlOptions, crlNumber, type LabExtension } from '../../lab/pki.js';
import { AT, ECDSA_SHA256, formatErrorOf, KEYS, NOT_AFTER, name } from '../small-pki.js';

const hexOf = (value: Uint8Array) => Buffer.from(value).toString('hex');

const crl = (overrides: Partial<CrlOptions> = {}) =>
  buildCrl({
    signer: KEYS.root,
    algorithm: ECDSA_SHA256,
    issuer: name('Root'),
    thisUpdate: AT,
    nextUpdate: NOT_AFTER,
    revoked: [],
    extensions: [crlNumber(7)],
    ...overrides,
  });

/** That many extensions, each with an id of its own. */
const extensions = (count: number): readonly LabExtension[] =>
  Array.from({ length: count }, (_, index) => ({ oid: `1.2.3.${index}`, value: Buffer.from('0500', 'hex') }));

const ONE_EXTENSION = sequence(sequence(oid('2.5.29.21'), octetString(Buffer.from('0a0101', 'hex'))));

function withFourth(encoded: Uint8Array): Uint8Array {
  const { tbs, outerAlgorithm, signature } = parseCrl(encoded);
  return sequence(tbs, outerAlgorithm.bytes, bitString(signature), nullValue());
}

describe('parseCrl', () => {
  it('reads every field', () => {
    const reason = { oid: '2.5.29.21', value: Buffer.from('0a0101', 'hex') };
    const encoded = crl({ revoked: [{ serial: 0x1234 }, { serial: 2n ** 159n, extensions: [reason] }] });
    const read = parseCrl(encoded);
    expect(read.version).toBe(2);
    expect(read.issuer.commonName).toBe('Root');
    expect(read.thisUpdate).toEqual(AT);
    expect(read.nextUpdate).toEqual(NOT_AFTER);
    expect(read.crlNumber).toBe(7n);
    expect(read.entries.map(({ serial }) => hexOf(serial))).toEqual(['1234', `80${'00'.repeat(19)}`]);
    expect(read.entries.map(({ extensions }) => extensions.map(({ oid }) => oid))).toEqual([[], ['2.5.29.21']]);
    expect(read.outerAlgorithm.name).toBe('ecdsa-sha256');
    expect(hexOf(encoded)).toContain(hexOf(read.tbs));
    expect(hexOf(encoded).endsWith(hexOf(read.signature))).toBe(true);
  });

  it('reads a list without next update, without extensions, and of version 1', () => {
    const read = parseCrl(crl({ version: 1, nextUpdate: null, extensions: null }));
    expect([read.version, read.nextUpdate, read.crlNumber]).toEqual([1, null, null]);
    expect(read.extensions).toEqual([]);
  });

  it('takes a time in another form for no instant', () => {
    expect(parseCrl(crl({ thisUpdate: utcTime('2601010000Z'), revoked: [] })).thisUpdate).toBeNull();
    expect(parseCrl(crl({ nextUpdate: utcTime('260101000000+0100') })).nextUpdate).toBeNull();
  });

  it('reads a number of 20 octets, and takes none for the right one where there are two', () => {
    expect(parseCrl(crl({ extensions: [crlNumber(2n ** 160n - 1n)] })).crlNumber).toBe(2n ** 160n - 1n);
    expect(parseCrl(crl({ extensions: [crlNumber(1), crlNumber(2)] })).crlNumber).toBeNull();
  });

  it.each([
    ['version 1 written out', { beforeSigning: (tbs: Uint8Array) => sequence(integer(0), tbs.subarray(5)) }],
    ['version 3', { version: 3 }],
    ['no time', { thisUpdate: integer(1) }],
    ['an empty list of revoked certificates', { nextUpdate: sequence() }],
    ['an entry without date', { nextUpdate: sequence(sequence(integer(1))) }],
    [
      'an entry with a fourth element',
      { nextUpdate: sequence(sequence(integer(1), utcTime('260101000000Z'), ONE_EXTENSION, nullValue())) },
    ],
    ['an entry with an empty list of extensions', { revoked: [{ serial: 1, extensions: [] }] }],
    ['a negative serial number', { revoked: [{ serial: -1 }] }],
    ['a serial number of 21 octets', { revoked: [{ serial: 2n ** 160n }] }],
    ['a negative number of the list', { extensions: [crlNumber(-1)] }],
    ['a number of the list of 21 octets', { extensions: [crlNumber(2n ** 160n)] }],
    [
      'a number of the list that is no integer',
      { extensions: [{ oid: '2.5.29.20', value: octetString(new Uint8Array(1)) }] },
    ],
    ['an empty list of extensions', { extensions: [] }],
    ['65 extensions', { extensions: extensions(65) }],
    ['an entry with 65 extensions', { revoked: [{ serial: 1, extensions: extensions(65) }] }],
    ['an entry whose date is empty', { revoked: [{ serial: 1, at: utcTime('') }] }],
    ['an entry whose date has no seconds', { revoked: [{ serial: 1, at: utcTime('2601010000Z') }] }],
    ['an entry whose date has an offset', { revoked: [{ serial: 1, at: utcTime('260101000000+0100') }] }],
    ['an entry whose date does not exist', { revoked: [{ serial: 1, at: utcTime('260230000000Z') }] }],
    [
      'an entry whose date is in another form until 2049',
      { revoked: [{ serial: 1, at: generalizedTime('20260101000000Z') }] },
    ],
    ['an entry whose date has a fraction', { revoked: [{ serial: 1, at: generalizedTime('20500101000000.5Z') }] }],
    ['an element after the extensions', { extensions: null, nextUpdate: tagged(1, nullValue()) }],
  ] as readonly (readonly [string, Partial<CrlOptions>])[])('refuses %s', (_what, overrides) => {
    expect(formatErrorOf(() => parseCrl(crl(overrides))).code).toBe('cert_format');
  });

  it('reads 64 extensions, and dates up to 2049 and from 2050 on', () => {
    expect(parseCrl(crl({ extensions: extensions(64) })).extensions).toHaveLength(64);
    const dates = [utcTime('491231235959Z'), generalizedTime('20500101000000Z')];
    expect(parseCrl(crl({ revoked: dates.map((at) => ({ serial: 1, at })) })).entries).toHaveLength(2);
  });

  it.each([
    ['a byte after it', (value: Uint8Array) => Buffer.concat([value, Buffer.from([0])])],
    ['a byte less', (value: Uint8Array) => value.subarray(0, -1)],
    ['nothing', () => new Uint8Array()],
    ['an element after the signature', (value: Uint8Array) => withFourth(value)],
  ])('refuses %s', (_what, change) => {
    expect(formatErrorOf(() => parseCrl(change(crl()))).code).toBe('cert_format');
  });

  it('CRT-09 refuses a signature without any octet, and reads one without bits', () => {
    const withoutOctet = crl();
    const outer = parseCrl(withoutOctet);
    const replaced = (signature: Uint8Array) => sequence(outer.tbs, outer.outerAlgorithm.bytes, signature);
    expect(formatErrorOf(() => parseCrl(replaced(Buffer.from('0300', 'hex')))).code).toBe('cert_format');
    expect(parseCrl(replaced(bitString(new Uint8Array()))).signature).toHaveLength(0);
  });

  it('reads or refuses every flipped bit, and throws nothing else', () => {
    const encoded = crl({ revoked: [{ serial: 5 }] });
    for (let bit = 0; bit < encoded.length * 8; bit += 1) {
      const flipped = Uint8Array.from(encoded);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        parseCrl(flipped);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }
    expect.hasAssertions();
  });
});

describe('parseCrlFrame', () => {
  it('reads everything but the entries, which are read apart', () => {
    const encoded = crl({ revoked: [{ serial: 0x1234 }] });
    const frame = parseCrlFrame(encoded);
    expect(frame).not.toHaveProperty('entries');
    expect(readCrlEntries(frame)).toEqual(parseCrl(encoded));
  });

  it('gives no entries of a list without them', () => {
    const frame = parseCrlFrame(crl());
    expect(frame.revokedCertificates).toBeNull();
    expect(readCrlEntries(frame).entries).toEqual([]);
  });

  it('leaves entries unread, so that what is wrong in them is not found', () => {
    const frame = parseCrlFrame(crl({ revoked: [{ serial: 1 }, { serial: -1 }] }));
    expect(frame.crlNumber).toBe(7n);
    expect(formatErrorOf(() => readCrlEntries(frame)).code).toBe('cert_format');
  });

  it('refuses entries that are no DER', () => {
    const broken = crl({ revoked: [{ serial: Buffer.alloc(0) }] });
    expect(formatErrorOf(() => parseCrlFrame(broken)).code).toBe('cert_format');
  });
});

describe('countCrlEntries', () => {
  it('counts entries whatever is in them', () => {
    const revoked = [{ serial: 1 }, { serial: 2, at: Uint8Array.of(5, 0) }];
    expect(countCrlEntries(parseCrlFrame(crl({ revoked })))).toBe(2);
    expect(countCrlEntries(parseCrlFrame(crl({ revoked: [] })))).toBe(0);
  });
});
