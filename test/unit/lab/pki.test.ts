// @peculiar/x509 needs it.
import 'reflect-metadata';
import { createPublicKey, X509Certificate as NodeCertificate } from 'node:crypto';
import {
  BasicConstraintsExtension,
  X509Certificate as PeculiarCertificate,
  X509Crl as PeculiarCrl,
} from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import type { SnpProduct, SnpTcb } from '../../../src/core/claims.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { parseVekExtensions } from '../../../src/tee/snp/amd/vek-extensions.js';
import { createAmdPki } from '../../lab/amd-pki.js';
import { integer, oid, time } from '../../lab/der-writer.js';
import { namedRsaKey } from '../../lab/lab-keys.js';
import { haveVectors, readVector } from '../../vectors.js';

const AT = new Date('2026-01-15T12:00:00Z');
const TCB: SnpTcb = { fmc: 1, bootloader: 4, tee: 0, snp: 24, microcode: 219 };
const CHIP_ID = Uint8Array.from({ length: 64 }, (_, index) => index);
const pki = createAmdPki({ at: AT });
const hexOf = (value: Uint8Array) => Buffer.from(value).toString('hex');

describe('der writer', () => {
  it.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [-1, '0201ff'],
    [-128, '020180'],
    [-129, '0202ff7f'],
    [65537, '0203010001'],
  ])('writes the integer %i as short as it can be', (value, expected) => {
    expect(hexOf(integer(value))).toBe(expected);
  });

  it('writes object identifiers and times', () => {
    expect(hexOf(oid('1.3.6.1.4.1.3704.1.3.8'))).toBe('060a2b060104019c78010308');
    expect(hexOf(oid('2.999'))).toBe('06028837');
    expect(Buffer.from(time(new Date('2049-12-31T23:59:59Z')).subarray(2)).toString()).toBe('491231235959Z');
    expect(Buffer.from(time(new Date('2050-01-01T00:00:00Z')).subarray(2)).toString()).toBe('20500101000000Z');
  });
});

describe('AmdPki', () => {
  it('issues what the runtime verifies', () => {
    const vek = pki.issueVcek({ product: 'Milan', tcb: TCB, chipId: CHIP_ID });
    const [ask, ark] = pki.chainDer('Milan').map((der) => new NodeCertificate(der)) as [
      NodeCertificate,
      NodeCertificate,
    ];
    const leaf = new NodeCertificate(vek.der);
    expect(leaf.verify(ask.publicKey)).toBe(true);
    expect(ask.verify(ark.publicKey)).toBe(true);
    expect(ark.verify(ark.publicKey)).toBe(true);
    expect(leaf.publicKey.equals(createPublicKey(vek.key.privateKey))).toBe(true);
    expect(new NodeCertificate(vek.pem).raw.equals(vek.der)).toBe(true);
    expect(pki.chainPem('Milan')).toBe(pki.intermediate('Milan', 'vcek').pem + pki.ark('Milan').pem);
  });

  it('issues what another library reads', () => {
    const ask = new PeculiarCertificate(Uint8Array.from(pki.intermediate('Milan', 'vcek').der));
    const constraints = ask.getExtension(BasicConstraintsExtension);
    expect([constraints?.ca, constraints?.pathLength, constraints?.critical]).toEqual([true, 0, true]);
    expect(ask.serialNumber).toBe('010001');
    expect(ask.subject).toBe('OU=Engineering, C=US, L=Santa Clara, ST=CA, O=Advanced Micro Devices, CN=SEV-Milan');
    const crl = new PeculiarCrl(Uint8Array.from(pki.issueCrl({ product: 'Milan', revoked: [{ serial: 0x010001 }] })));
    expect(crl.issuer).toContain('CN=ARK-Milan');
    expect(crl.entries.map(({ serialNumber }) => serialNumber)).toEqual(['010001']);
    expect(crl.nextUpdate).toEqual(new Date('2027-01-15T12:00:00Z'));
  });

  it('writes what a VCEK says of its chip and firmware', () => {
    const read = (product: SnpProduct, wrapHwId = false) =>
      parseVekExtensions(
        parseCertificate(
          pki.issueVcek({ product, tcb: TCB, chipId: CHIP_ID, wrapHwId, issuer: pki.intermediate('Milan', 'vcek') })
            .der,
          {
            allowZeroSerial: true,
          },
        ),
      );
    const { fmc, ...milan } = TCB;
    expect(read('Milan')).toMatchObject({
      productName: 'Milan-B0',
      tcb: { ...milan, fmc: null },
      hwId: CHIP_ID,
      cspId: null,
    });
    expect(hexOf(read('Genoa', true).hwId ?? new Uint8Array())).toBe(hexOf(CHIP_ID));
    expect(read('Turin')).toMatchObject({ structVersion: 1, tcb: { ...TCB, fmc }, hwId: CHIP_ID.subarray(0, 8) });
  });

  it('gives two PKIs of one name the same keys, and one of another name others', () => {
    const pin = (from: ReturnType<typeof createAmdPki>) => [...from.pins(['Milan']).values()].map((pins) => [...pins]);
    expect(pin(createAmdPki())).toEqual(pin(pki));
    expect(pin(createAmdPki({ keys: 'impostor' }))).not.toEqual(pin(pki));
    expect(namedRsaKey('small-rsa', 2048)).toBe(namedRsaKey('small-rsa', 2048));
  });

  it.skipIf(!haveVectors).each([
    ['Milan', 'snp/snp-milan-v3-b0.vcek.der'],
    ['Turin', 'roots/vcek-turin-sample.der'],
  ] as const)('issues a VCEK of %s of the same shape as a real one', (product, file) => {
    const shapeOf = (der: Uint8Array) => {
      const { version, serial, innerAlgorithm, subject, publicKey, extensions } = parseCertificate(der, {
        allowZeroSerial: true,
      });
      const { kind } = publicKey;
      const ids = extensions.map(({ oid: id, critical }) => [id, critical]);
      return { version, serial: hexOf(serial), algorithm: innerAlgorithm.name, subject: hexOf(subject.der), kind, ids };
    };
    const issuer = pki.intermediate('Milan', 'vcek');
    const issued = pki.issueVcek({ product, tcb: TCB, chipId: CHIP_ID, issuer });
    expect(shapeOf(issued.der)).toEqual(shapeOf(readVector(file)));
  });
});
