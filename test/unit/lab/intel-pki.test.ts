// @peculiar/x509 needs it.
import 'reflect-metadata';
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { X509Crl } from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { buildSgxExtension, createIntelPki, SGX_EXTENSION_OID } from '../../lab/index.js';
import { haveVectors, readVector } from '../../vectors.js';

const AT = new Date('2026-06-01T12:00:00Z');
const pki = createIntelPki({ at: AT });
const hexOf = (value: Uint8Array) => Buffer.from(value).toString('hex');
const certificatesOf = (pem: string) =>
  (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map((block) => new X509Certificate(block));

describe('IntelPki', () => {
  it.each(['platform', 'processor'] as const)('issues a PCK under the %s CA that the runtime verifies', (ca) => {
    const pck = pki.issuePck({ ca });
    const [leaf, intermediate, root] = certificatesOf(pck.chainPem);
    if (leaf === undefined || intermediate === undefined || root === undefined) throw new Error('chain is short');
    expect(leaf.verify(intermediate.publicKey)).toBe(true);
    expect(intermediate.verify(root.publicKey)).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
    expect(leaf.checkIssued(intermediate)).toBe(true);
    expect([leaf.ca, intermediate.ca, root.ca]).toEqual([false, true, true]);
    expect(leaf.publicKey.equals(createPublicKey(pck.key.privateKey))).toBe(true);
    expect(BigInt(`0x${leaf.serialNumber}`)).toBe(pck.serial);
    expect(leaf.subject).toContain('CN=Intel SGX PCK Certificate');
    expect(intermediate.subject).toContain(ca === 'platform' ? 'PCK Platform CA' : 'PCK Processor CA');
  });

  it('issues TCB signing below the root, not as a CA', () => {
    const [signing, root] = certificatesOf(pki.tcbIssuerChain());
    if (signing === undefined || root === undefined) throw new Error('chain is short');
    expect(signing.verify(root.publicKey)).toBe(true);
    expect([signing.ca, signing.subject]).toEqual([false, expect.stringContaining('CN=Intel SGX TCB Signing')]);
  });

  it('is pinned by the key of its root, and another PKI has another', () => {
    const spki = new X509Certificate(pki.root.der).publicKey.export({ type: 'spki', format: 'der' });
    expect([...pki.pins]).toEqual([createHash('sha256').update(spki).digest('hex')]);
    expect(createIntelPki({ at: AT }).pins).not.toEqual(pki.pins);
  });

  it('issues CRLs that name what is revoked', () => {
    const pck = pki.issuePck();
    const crl = new X509Crl(Uint8Array.from(pki.pckCrl('platform', { revoked: [{ serial: pck.serial }], number: 7 })));
    expect(crl.issuer).toContain('CN=Intel SGX PCK Platform CA');
    expect(crl.entries.map(({ serialNumber }) => BigInt(`0x${serialNumber}`))).toEqual([pck.serial]);
    expect([crl.thisUpdate, crl.nextUpdate]).toEqual([
      new Date('2026-05-31T12:00:00Z'),
      new Date('2026-06-30T12:00:00Z'),
    ]);
    const root = new X509Crl(Uint8Array.from(pki.rootCrl({ at: new Date('2026-08-01T12:00:00Z') })));
    expect([root.issuer, root.entries.length]).toEqual([expect.stringContaining('CN=Intel SGX Root CA'), 0]);
    expect(root.thisUpdate).toEqual(new Date('2026-07-31T12:00:00Z'));
  });

  it('says where the list of the root is', () => {
    const own = createIntelPki({ at: AT, rootCrlUri: 'https://localhost:4433/root.der' });
    for (const { der } of [own.root, own.pckCa('processor'), own.tcbSigning]) {
      expect(Buffer.from(der).toString('latin1')).toContain('https://localhost:4433/root.der');
    }
  });

  it('lets the caller change certificate, extensions and items', () => {
    const twice = pki.issuePck({ extensions: (genuine) => [...genuine, ...genuine.slice(-1)] });
    expect(Buffer.from(twice.der).toString('hex').split(PPID_ENTRY).length - 1).toBe(2);
    const short = pki.issuePck({ items: ([, ...others]) => others, tcbItems: (items) => items.slice(0, 17) });
    const full = pki.issuePck();
    expect(full.der.byteLength - short.der.byteLength).toBeGreaterThan(50);
    const notAfter = new Date('2026-05-31T00:00:00Z');
    const expired = new X509Certificate(pki.issuePck({ overrides: { notAfter } }).der);
    expect(new Date(expired.validTo)).toEqual(notAfter);
  });

  it.skipIf(!haveVectors)('issues certificates of the same shape as real ones', () => {
    const quote = Buffer.from(readVector('tdx/tdx-v4-gcp-2026.quote.bin'));
    const real = certificatesOf(quote.subarray(quote.indexOf('-----BEGIN')).toString('latin1'));
    const mine = certificatesOf(pki.issuePck().chainPem);
    expect(mine.map(({ raw }) => shapeOf(raw))).toEqual(real.map(({ raw }) => shapeOf(raw)));
  });

  it.skipIf(!haveVectors)('writes the extension of a real PCK certificate again', () => {
    const quote = Buffer.from(readVector('tdx/tdx-v4-gcp-2026.quote.bin'));
    const [leaf] = certificatesOf(quote.subarray(quote.indexOf('-----BEGIN')).toString('latin1'));
    const real = parseCertificate(Uint8Array.from(leaf?.raw ?? [])).extensions.find(
      ({ oid }) => oid === SGX_EXTENSION_OID,
    );
    const bytes = Buffer.from(real?.value ?? []);
    // every entry ends with its value, and the lengths of these are fixed
    const octets = (arc: string, length: number) => {
      const at = bytes.indexOf(Buffer.from(`${OID_PREFIX}${arc}04${length.toString(16).padStart(2, '0')}`, 'hex'));
      return bytes.subarray(at + 14, at + 14 + length);
    };
    const cpuSvn = bytes.subarray(bytes.indexOf('02120410', 0, 'hex') + 4).subarray(0, 16);
    const written = buildSgxExtension({
      ppid: octets('01', 16),
      svns: [...cpuSvn],
      pceSvn: 11,
      cpuSvn,
      pceId: octets('03', 2),
      fmspc: octets('04', 6),
      sgxType: 1,
      platform: { instanceId: octets('06', 16), dynamic: true, cachedKeys: false, smt: true },
    });
    expect(hexOf(written.value)).toBe(hexOf(bytes));
  });
});

/** Identifier and length of the arc of the extension's entries, without its last octet. */
const OID_PREFIX = '060a2a864886f84d010d01';
/** The entry that every such extension has once. */
const PPID_ENTRY = `${OID_PREFIX}010410`;

function shapeOf(der: Uint8Array) {
  const { version, innerAlgorithm, subject, issuer, publicKey, extensions } = parseCertificate(Uint8Array.from(der));
  return {
    version,
    algorithm: innerAlgorithm.name,
    subject: hexOf(subject.der),
    issuer: hexOf(issuer.der),
    kind: publicKey.kind,
    // distribution points of a PCK have the same address; key identifiers differ by nature
    extensions: extensions.map(({ oid, critical, value }) => [
      oid,
      critical,
      ['2.5.29.14', '2.5.29.35', SGX_EXTENSION_OID].includes(oid) ? value.byteLength : hexOf(value),
    ]),
  };
}
