import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { createAzureAkPki } from '../../lab/index.js';
import { haveVectors, readVector } from '../../vectors.js';

const AT = new Date('2026-06-10T12:00:00Z');
const pki = createAzureAkPki({ at: AT });
const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const { kty = '', n = '', e = '' } = publicKey.export({ format: 'jwk' });
const JWK = { kty, n, e };
const hexOf = (value: Uint8Array) => Buffer.from(value).toString('hex');
const certificatesOf = (pem: string) =>
  (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map((block) => new X509Certificate(block));

describe('AzureAkPki', () => {
  it.each(['2026', '2025'] as const)(
    'issues a leaf of the shape of %s that the runtime verifies up to the root',
    (shape) => {
      const path = [new X509Certificate(pki.issueLeaf({ key: JWK, shape })), ...certificatesOf(pki.chainPem(shape))];
      const root = path.at(-1);
      for (const [index, certificate] of path.entries()) {
        const issuer = path[index + 1] ?? certificate;
        expect([certificate.verify(issuer.publicKey), certificate.issuer]).toEqual([true, issuer.subject]);
      }
      expect(path[0]?.publicKey.equals(publicKey)).toBe(true);
      expect(path[0]?.keyUsage).toEqual(['1.3.6.1.4.1.311.10.3.12', '2.23.133.8.3']);
      const spki = root?.publicKey.export({ type: 'spki', format: 'der' }) ?? Buffer.alloc(0);
      expect([...pki.pins]).toEqual([createHash('sha256').update(spki).digest('hex')]);
    },
  );

  it('names a confidential VM, a VM with Trusted Launch, or whatever is asked for', () => {
    const subject = (options: object) => new X509Certificate(pki.issueLeaf({ key: JWK, ...options })).subject;
    expect(subject({})).toBe('CN=2ede2d532aaf.ConfidentialVM.Azure.windows.net');
    expect(subject({ vm: 'TrustedVM' })).toBe('CN=2ede2d532aaf.TrustedVM.Azure.windows.net');
    expect(subject({ commonName: 'x' })).toBe('CN=x');
  });

  it('sends leaves as they are read: whole, filled, as PEM, without a chain', () => {
    const sent = (options: object) => pki.certificate({ key: JWK, ...options });
    const leaf = pki.issueLeaf({ key: JWK });
    expect(sent({})).toEqual({ certificate: { der: leaf }, chain: pki.chainPem() });
    const { certificate } = sent({ shape: '2025' });
    if (!('der' in certificate)) throw new TypeError('sent as PEM');
    const { length } = pki.issueLeaf({ key: JWK, shape: '2025' });
    expect([certificate.der.length, certificate.der.subarray(length).some((byte) => byte !== 0)]).toEqual([
      4096,
      false,
    ]);
    expect(sent({ chain: null, pem: true })).toEqual({
      certificate: { pem: expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n/) },
      chain: null,
    });
  });

  it('issues for any key, and with any purposes', () => {
    const spki = Uint8Array.from(createPublicKey({ key: JWK, format: 'jwk' }).export({ type: 'spki', format: 'der' }));
    const leaf = new X509Certificate(pki.issueLeaf({ key: spki, extendedKeyUsages: ['1.3.6.1.5.5.7.3.1'] }));
    expect([leaf.publicKey.equals(publicKey), leaf.keyUsage]).toEqual([true, ['1.3.6.1.5.5.7.3.1']]);
  });

  it.skipIf(!haveVectors)('issues leaf, CAs and root of the same shape as real ones', () => {
    const read = (file: string) => readVector(file);
    const intermediates = Buffer.from(read('az-tdx-vtpm/az-tdx-v4-akchain-2026.ak-intermediates.pem')).toString();
    const root = Buffer.from(read('roots/azure-virtual-tpm-root-2023.pem')).toString();
    const real = [
      read('az-tdx-vtpm/az-tdx-v4-akchain-2026.ak-cert.der'),
      ...certificatesOf(intermediates + root).map(({ raw }) => raw),
    ];
    const mine = [pki.issueLeaf({ key: JWK }), ...certificatesOf(pki.chainPem()).map(({ raw }) => raw)];
    const realShapes = [...new Map(real.map((der) => [hexOf(shapeOf(der).subject), shapeOf(der)])).values()];
    const mineShapes = mine.map(shapeOf);
    for (const [index, shape] of realShapes.entries()) {
      expect({ ...mineShapes[index], subject: null }).toEqual({ ...shape, subject: null });
      expect(mineShapes[index]?.subject.byteLength).toBe(shape.subject.byteLength);
    }
  });
});

function shapeOf(der: Uint8Array) {
  const { version, innerAlgorithm, subject, publicKey, extensions } = parseCertificate(Uint8Array.from(der));
  // addresses are not those of the real ones
  const ids = extensions.map(({ oid, critical }) => `${oid} ${critical}`).toSorted();
  return { version, algorithm: innerAlgorithm.name, kind: publicKey.kind, ids, subject: subject.der };
}
