import { describe, expect, it } from 'vitest';
import { crlUris } from '../../../src/formats/crl-distribution-points.js';
import { bitString, der, sequence, tagged } from '../../lab/der-writer.js';
import { crlDistributionPointAt } from '../../lab/pki.js';
import { certificate, formatErrorOf } from '../small-pki.js';

const uri = (text: string) => der(0x86, Buffer.from(text, 'latin1'));
const point = (...members: readonly Uint8Array[]) => sequence(...members);
const fullName = (...names: readonly Uint8Array[]) => tagged(0, tagged(0, ...names));
const A = 'https://a.example/ca.crl';
const B = 'http://b.example/ca.crl';

function urisOf(...values: readonly Uint8Array[]): readonly string[] {
  const extensions = values.map((value) => ({ oid: '2.5.29.31', value }));
  return crlUris(certificate('leaf', { extensions }));
}

describe('crlUris', () => {
  it('gives the URIs of every point, in order', () => {
    expect(urisOf(sequence(point(fullName(uri(A), uri(B))), point(fullName(uri(B)))))).toEqual([A, B, B]);
    expect(crlUris(certificate('leaf', { extensions: [crlDistributionPointAt(A)] }))).toEqual([A]);
  });

  it('gives none of a certificate without points, and of one with the extension twice', () => {
    expect(crlUris(certificate('leaf'))).toEqual([]);
    const one = sequence(point(fullName(uri(A))));
    expect(urisOf(one, one)).toEqual([]);
  });

  it.each([
    ['for some reasons only', point(fullName(uri(A)), der(0x81, bitString(Buffer.from([0x40])).subarray(2)))],
    ['of another issuer', point(fullName(uri(A)), tagged(2, der(0x82, Buffer.from('x'))))],
    ['named relative to the issuer', point(tagged(0, tagged(1)))],
    ['named by something else than a URI', point(fullName(der(0x82, Buffer.from('a.example'))))],
    ['without a name', point()],
  ])('leaves out a point %s', (_what, other) => {
    expect(urisOf(sequence(other, point(fullName(uri(B)))))).toEqual([B]);
  });

  it('refuses what is not a list of points', () => {
    expect(formatErrorOf(() => urisOf(uri(A))).code).toBe('cert_format');
    expect(formatErrorOf(() => urisOf(sequence(uri(A)))).code).toBe('cert_format');
  });
});
