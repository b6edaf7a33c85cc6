import { describe, expect, it } from 'vitest';
import { spkiDigest } from '../../../src/crypto/key-cache.js';
import { completePath } from '../../../src/crypto/path-building.js';
import { RSA_PKCS1_PROFILE } from '../../../src/crypto/path-profile.js';
import { parseCertificate, type X509Certificate } from '../../../src/formats/x509-certificate.js';
import { basicConstraints, createAzureAkPki, extendedKeyUsage, keyUsage, VirtualTpm } from '../../lab/index.js';

const AT = new Date('2026-06-01T12:00:00Z');
const PKI = createAzureAkPki({ at: AT });
const FOREIGN = createAzureAkPki({ at: AT, keys: 'foreign-azure-vtpm' });
const KEY = (await VirtualTpm.create()).publicJwk;
const DAY = 24 * 60 * 60_000;

const read = ({ der }: { readonly der: Uint8Array }) => parseCertificate(der);
const leaf = parseCertificate(PKI.issueLeaf({ key: KEY }));
const ca24 = read(PKI.authority('ca24'));
const ca2025 = read(PKI.authority('ca2025'));
const root = read(PKI.authority('root'));
const lookAlikes = (['ca24', 'ca2025', 'root'] as const).map((which) => read(FOREIGN.authority(which)));
/** The same key and name as CA - 24, and no right to issue. */
const noAuthority = read(
  PKI.issueAuthority('ca24', { extensions: [basicConstraints({ ca: false }), keyUsage(['digitalSignature'])] }),
);
const ended = read(PKI.issueAuthority('ca24', { notAfter: new Date(AT.getTime() - DAY) }));
/** CA - 24 and CA 2025, each issued by the other: a way that leads back. */
const crossed = read(
  PKI.issueAuthority('ca2025', {
    signer: PKI.authority('ca24').key,
    issuer: PKI.authority('ca24').name,
    extensions: [basicConstraints(), extendedKeyUsage(['2.23.133.8.3']), keyUsage(['keyCertSign'])],
  }),
);

function completed(sent: readonly X509Certificate[], ...atHand: readonly X509Certificate[]) {
  return completedTo(PKI.pins, sent, ...atHand);
}

function completedTo(
  anchors: ReadonlySet<string>,
  sent: readonly X509Certificate[],
  ...atHand: readonly X509Certificate[]
) {
  return completePath(sent, { atHand, profile: { ...RSA_PKCS1_PROFILE, anchors }, at: AT });
}

describe('a path that is completed', () => {
  it('ends at the pinned key, whatever order the certificates at hand have', () => {
    const whole = [leaf, ca24, ca2025, root];
    expect(completed([leaf], ca24, ca2025, root)).toEqual(whole);
    expect(completed([leaf], root, ca2025, ca24)).toEqual(whole);
    expect(completed([leaf, ca24], root, ca2025)).toEqual(whole);
    expect(completed([leaf, ca24, ca2025], root)).toEqual(whole);
  });

  it('is what was sent where that ends at the pinned key, right or wrong', () => {
    for (const sent of [
      [leaf, ca24, ca2025, root],
      [leaf, root],
      [leaf, ca2025, ca24, root],
    ]) {
      expect(completed(sent, ca24, ca2025, root)).toEqual(sent);
    }
  });

  it('gets as far as there are issuers', () => {
    expect(completed([leaf])).toEqual([leaf]);
    expect(completed([leaf], root)).toEqual([leaf]);
    expect(completed([leaf], ca24, root)).toEqual([leaf, ca24]);
    expect(completed([leaf], ca24, ca2025)).toEqual([leaf, ca24, ca2025]);
  });

  it('goes no further than a pinned key that has an issuer', () => {
    const pins = new Set([spkiDigest(ca2025)]);
    expect(completedTo(pins, [leaf], ca24, ca2025, root)).toEqual([leaf, ca24, ca2025]);
    expect(completedTo(pins, [leaf, ca24, ca2025], root)).toEqual([leaf, ca24, ca2025]);
  });

  it('is the longest one where none ends at a pinned key', () => {
    const longest = [leaf, ca24, ca2025, root];
    expect(completedTo(new Set(), [leaf], ca24, crossed, ca2025, root)).toEqual(longest);
    expect(completedTo(new Set(), [leaf], ca24, ca2025, crossed, root)).toEqual(longest);
  });

  it('takes no issuer of the same name with another key', () => {
    expect(completed([leaf], ...lookAlikes)).toEqual([leaf]);
    expect(completed([leaf], ...lookAlikes, ca24, ca2025, root)).toEqual([leaf, ca24, ca2025, root]);
    expect(completed([leaf, ca24, ca2025], ...lookAlikes)).toEqual([leaf, ca24, ca2025]);
  });

  it('takes the one that verifies, and is valid, of several that signed', () => {
    const whole = [leaf, ca24, ca2025, root];
    expect(completed([leaf], ended, noAuthority, ca24, ca2025, root)).toEqual(whole);
    expect(completed([leaf], ca24, noAuthority, ended, ca2025, root)).toEqual(whole);
    expect(completed([leaf], noAuthority, ended, ca2025, root)).toEqual([leaf, ended, ca2025, root]);
    expect(completed([leaf], noAuthority, ca2025, root)).toEqual([leaf, noAuthority, ca2025, root]);
  });

  it('comes to an end where issuers go round in a circle', () => {
    expect(completed([leaf], ca24, crossed)).toEqual([leaf, ca24, crossed]);
    expect(completed([leaf], crossed, ca24, ca2025, root)).toEqual([leaf, ca24, ca2025, root]);
    expect(completed([leaf, ca24, ca24], crossed, ca2025, root).length).toBeLessThanOrEqual(5);
  });

  it('has no more than five certificates, and stops trying signatures', () => {
    expect(completed([leaf, ca24, ca24, ca24, ca24], ca2025, root)).toHaveLength(5);
    // Each has the name that is sought, so that its signature has to be tried.
    const crowd = Array.from({ length: 64 }, () => lookAlikes[0] ?? ca24);
    expect(completed([leaf], ...crowd, ca24, ca2025, root)).toEqual([leaf]);
    expect(completed([leaf], ...crowd.slice(3), ca24, ca2025, root)).toEqual([leaf, ca24, ca2025, root]);
  });

  it('is nothing where nothing was sent', () => {
    expect(completed([], ca24)).toEqual([]);
  });
});
