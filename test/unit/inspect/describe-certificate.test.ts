import { describe, expect, it } from 'vitest';
import { hex } from '../../../src/core/bytes.js';
import { oidText, parseDerSequence } from '../../../src/formats/der.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { parseCertificate } from '../../../src/formats/x509-certificate.js';
import { parseCrlFrame } from '../../../src/formats/x509-crl.js';
import { describeCertificate } from '../../../src/inspect/describe-certificate.js';
import { describeCrl } from '../../../src/inspect/describe-crl.js';
import { describeTdQuote } from '../../../src/inspect/describe-td-quote.js';
import type { StructureDescription } from '../../../src/inspect/field-description.js';
import { parseTdQuote } from '../../../src/tee/tdx/format/td-quote.js';
import { createAmdPki, createAzureAkPki, createIntelPki, SnpPlatform, TdxPlatform } from '../../lab/index.js';

const amd = createAmdPki();
const intel = createIntelPki();
const written = (structure: StructureDescription | undefined, der: Uint8Array) =>
  new Map(
    structure?.fields.map(({ name, offset, length }) => [
      name,
      offset === null || length === null ? null : Buffer.from(der.subarray(offset, offset + length)),
    ]),
  );

describe('the description of a certificate', () => {
  const { der } = new SnpPlatform({ pki: amd }).vek;
  const certificate = parseCertificate(der, { allowZeroSerial: true });
  const places = written(describeCertificate(certificate, 'certificate', '', 0), der);

  it.each([
    ['subject', certificate.subject.der],
    ['issuer', certificate.issuer.der],
    ['serial number', certificate.serial],
    ['key', certificate.spki],
    ['signature algorithm', certificate.outerAlgorithm.bytes],
    ['signature', certificate.signature],
  ])('places the %s in its DER', (name, part) => {
    expect(places.get(name)?.toString('hex')).toBe(hex(part));
  });

  it.each([
    ['not before', certificate.notBefore],
    ['not after', certificate.notAfter],
  ])('places the time %s in its DER', (name, instant) => {
    expect(timeIn(places.get(name))).toBe(digitsOf(instant));
  });

  it('places the extended key usage', () => {
    const leaf = createAzureAkPki().issueLeaf({ key: certificate.spki });
    const usage = written(describeCertificate(parseCertificate(leaf), 'certificate', '', 0), leaf);
    expect(oidText(parseDerSequence(usage.get('extended key usage') ?? leaf, 'usage').any('usage').content)).toBe(
      '1.3.6.1.4.1.311.10.3.12',
    );
  });

  it('places what a PCK certificate says of the platform', () => {
    const quote = new TdxPlatform({ pki: intel }).quote();
    const pck = describeTdQuote(quote, '').find(({ name }) => name === 'certificate of the quote');
    const chain = parsePemCertificates(parseTdQuote(quote).pckChain, 'cert_format');
    const leaf = chain[0] ?? new Uint8Array();
    for (const name of ['FMSPC', 'PCEID']) {
      expect(written(pck, leaf).get(name)?.toString('hex')).toBe(
        pck?.fields.find((field) => field.name === name)?.value,
      );
    }
  });
});

describe('the description of a CRL', () => {
  const revoked = [{ serial: Uint8Array.of(7) }];
  const der = amd.issueCrl({ product: 'Milan', number: 77, revoked });
  const list = parseCrlFrame(der);
  const places = written(describeCrl(der, '', 0), der);

  it.each([
    ['issuer', list.issuer.der],
    ['revoked certificates', list.revokedCertificates?.bytes],
    ['signature algorithm', list.outerAlgorithm.bytes],
    ['signature', list.signature],
    ['number', Uint8Array.of(0x02, 0x01, 77)],
  ])('places the %s in its DER', (name, part) => {
    expect(places.get(name)?.toString('hex')).toBe(hex(part ?? new Uint8Array()));
  });

  it.each([
    ['this update', list.thisUpdate],
    ['next update', list.nextUpdate],
  ])('places the time %s in its DER', (name, instant) => {
    expect(timeIn(places.get(name))).toBe(digitsOf(instant));
  });

  it('has no place for what it does not have', () => {
    const without = amd.issueCrl({
      product: 'Milan',
      extensions: (genuine) => genuine.slice(0, 1),
      overrides: { nextUpdate: null },
    });
    const absent = [...written(describeCrl(without, '', 0), without)].filter(([, bytes]) => bytes === null);
    expect(absent.map(([name]) => name)).toEqual(['next update', 'number', 'revoked certificates']);
  });
});

/** The last digits, to the second: a UTCTime has no century. */
const timeIn = (time: Buffer | null | undefined) => time?.toString('latin1').slice(-13);
const digitsOf = (instant: Date | null) => `${instant?.toISOString().replaceAll(/\D/g, '').slice(2, 14)}Z`;
