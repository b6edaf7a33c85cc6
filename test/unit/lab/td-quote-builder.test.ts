import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  buildQeReport,
  buildQuoteHeader,
  buildTdBody,
  createIntelPki,
  flipBit,
  type TdBodyFields,
  type TdQuoteMaking,
  TdxPlatform,
  tdQuoteLayout,
} from '../../lab/index.js';
import { haveVectors, readVector, vectors } from '../../vectors.js';

const platform = new TdxPlatform({ pki: createIntelPki({ at: new Date('2026-06-01T12:00:00Z') }) });
const PCK = createPublicKey(platform.pck.key.privateKey);

const isSigned = (key: KeyObject, bytes: Uint8Array, signature: Uint8Array) =>
  verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature);

/** The three bindings of a quote, as they stand in its bytes. */
function bindingsOf(quote: Uint8Array) {
  const at = tdQuoteLayout(quote);
  const part = (start: number, length: number) => quote.subarray(start, start + length);
  const raw = Buffer.from(part(at.attestationKey, 64));
  const [x, y] = [raw.subarray(0, 32).toString('base64url'), raw.subarray(32).toString('base64url')];
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  const authData = quote.subarray(at.qeAuthData, at.innerType);
  const vouched = createHash('sha256').update(raw).update(authData).digest();
  const qeReport = part(at.qeReport, 384);
  return {
    quote: isSigned(key, quote.subarray(0, at.authDataLength), part(at.signature, 64)),
    qeReport: isSigned(PCK, qeReport, part(at.qeReportSignature, 64)),
    qeReportData: Buffer.concat([vouched, new Uint8Array(32)]).equals(qeReport.subarray(320)),
  };
}

const MADE: readonly (readonly [string, TdQuoteMaking, number])[] = [
  ['version 4', {}, 632],
  ['version 5 with TD 1.5', { version: 5 }, 702],
  ['version 5 with TD 1.0', { version: 5, body: 'td10' }, 638],
];

describe('quotes of the lab', () => {
  it.each(MADE)('are signed throughout: %s', (_, making, signedLength) => {
    const quote = platform.quote(making);
    expect(bindingsOf(quote)).toEqual({ quote: true, qeReport: true, qeReportData: true });
    expect(tdQuoteLayout(quote)).toMatchObject({ authDataLength: signedLength, end: quote.byteLength });
  });

  it('have their fields where Intel has them', () => {
    const filled = (byte: number, length = 48) => new Uint8Array(length).fill(byte);
    const fields: TdBodyFields = {
      teeTcbSvn: filled(1, 16),
      mrSeam: filled(2),
      mrSignerSeam: filled(3),
      seamAttributes: 4n,
      tdAttributes: 5n,
      xfam: 6n,
      mrTd: filled(7),
      mrConfigId: filled(8),
      mrOwner: filled(9),
      mrOwnerConfig: filled(10),
      rtmrs: [filled(11), filled(12), filled(13), filled(14)],
      reportData: filled(15, 64),
      teeTcbSvn2: filled(16, 16),
      mrServiceTd: filled(17),
    };
    const offsets = [0, 16, 64, 112, 120, 128, 136, 184, 232, 280, 328, 376, 424, 472, 520, 584, 600];
    const body = buildTdBody(fields, 'td15');
    expect(offsets.map((offset) => body[offset])).toEqual(offsets.map((_, index) => index + 1));
    expect([body.byteLength, buildTdBody(fields, 'td10').byteLength]).toEqual([648, 584]);
    const v5 = platform.quote({ version: 5, fields });
    expect(Buffer.from(v5.subarray(0, 8)).toString('hex')).toBe('0500020081000000');
    expect(Buffer.from(v5.subarray(48, 54)).toString('hex')).toBe('030088020000');
    expect(Buffer.from(v5.subarray(54, 702)).equals(body)).toBe(true);
  });

  it('carry the certification data of both types, the chain innermost', () => {
    const quote = platform.quote();
    const view = new DataView(quote.buffer);
    const { outerType, innerType, certificationData, end } = tdQuoteLayout(quote);
    expect([view.getUint16(outerType, true), view.getUint32(outerType + 2, true)]).toEqual([6, end - outerType - 6]);
    expect([view.getUint16(innerType, true), view.getUint32(innerType + 2, true)]).toEqual([5, end - innerType - 6]);
    expect(Buffer.from(quote.subarray(certificationData)).toString('latin1')).toBe(platform.pck.chainPem);
  });

  it.each<readonly [string, TdQuoteMaking, string]>([
    ['the signed part', { signedPart: (bytes) => flipBit(bytes, 600) }, 'quote'],
    ['the signature', { signature: (bytes) => flipBit(bytes, 0) }, 'quote'],
    ['the signer', { quoteSigner: platform.pck.key.privateKey }, 'quote'],
    ['the QE report', { signedQeReport: (bytes) => flipBit(bytes, 16) }, 'qeReport'],
    ['the key of the QE report', { pckKey: platform.attestationKey.privateKey }, 'qeReport'],
    ['the signature of the QE report', { qeReportSignature: (bytes) => flipBit(bytes, 40) }, 'qeReport'],
    ['the report data of the QE', { qeReport: { reportData: new Uint8Array(64) } }, 'qeReportData'],
    ['the QE auth data', { qeAuthDataInQuote: new Uint8Array(32) }, 'qeReportData'],
  ])('break in one place where told to: %s', (_, making, broken) => {
    const genuine = { quote: true, qeReport: true, qeReportData: true };
    expect(bindingsOf(platform.quote(making))).toEqual({ ...genuine, [broken]: false });
  });

  it('stay whole where a change comes before the signature', () => {
    const making: TdQuoteMaking = {
      beforeSigning: (bytes) => flipBit(bytes, 48),
      qeReportBytes: (bytes) => flipBit(bytes, 16),
      qeAuthData: new Uint8Array(5),
    };
    expect(bindingsOf(platform.quote(making))).toEqual({ quote: true, qeReport: true, qeReportData: true });
  });

  it('say wrong lengths and types where told to, and end as told to', () => {
    const genuine = platform.quote();
    const at = tdQuoteLayout(genuine);
    const odd = platform.quote({
      authDataLength: 7,
      outer: { type: 1 },
      inner: { length: 9, data: (pem) => pem.subarray(0, 20) },
      qeAuthDataLength: 1,
      trailing: Uint8Array.of(1, 2),
    });
    const view = new DataView(odd.buffer);
    expect(view.getUint32(at.authDataLength, true)).toBe(7);
    expect(view.getUint16(at.outerType, true)).toBe(1);
    expect(view.getUint16(at.qeAuthDataLength, true)).toBe(1);
    expect(view.getUint32(at.innerType + 2, true)).toBe(9);
    expect(odd.byteLength).toBe(at.certificationData + 20 + 2);
    expect(platform.quote({ afterSigning: (quote) => quote.subarray(0, 10) })).toHaveLength(10);
  });
});

describe.skipIf(!haveVectors)('builders against real quotes', () => {
  const real = haveVectors ? vectors('tdx').filter(({ id }) => /^tdx-v[45]-/.test(id)) : [];

  it.each(real.map(({ id, files: [file = ''] }) => [id, file] as const))('write the bytes of %s again', (_, file) => {
    const quote = Uint8Array.from(readVector(file));
    const { body, bodyLength, qeReport } = tdQuoteLayout(quote);
    const header = quote.subarray(0, 48);
    const view = new DataView(quote.buffer);
    const written = buildQuoteHeader({
      version: view.getUint16(0, true),
      attestationKeyType: view.getUint16(2, true),
      teeType: view.getUint32(4, true),
      reserved: header.subarray(8, 12),
      qeVendorId: header.subarray(12, 28),
      userData: header.subarray(28),
    });
    expect(Buffer.from(written).equals(header)).toBe(true);
    const td = quote.subarray(body, body + bodyLength);
    expect(Buffer.from(rebuiltBody(td)).equals(td)).toBe(true);
    const report = quote.subarray(qeReport, qeReport + 384);
    expect(Buffer.from(rebuiltQeReport(report)).equals(report)).toBe(true);
  });
});

function rebuiltBody(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (start: number, length = 48) => bytes.subarray(start, start + length);
  const fields: TdBodyFields = {
    teeTcbSvn: field(0, 16),
    mrSeam: field(16),
    mrSignerSeam: field(64),
    seamAttributes: view.getBigUint64(112, true),
    tdAttributes: view.getBigUint64(120, true),
    xfam: view.getBigUint64(128, true),
    mrTd: field(136),
    mrConfigId: field(184),
    mrOwner: field(232),
    mrOwnerConfig: field(280),
    rtmrs: [field(328), field(376), field(424), field(472)],
    reportData: field(520, 64),
    teeTcbSvn2: field(584, 16),
    mrServiceTd: field(600),
  };
  return buildTdBody(fields, bytes.byteLength === 648 ? 'td15' : 'td10');
}

function rebuiltQeReport(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (start: number, length: number) => bytes.subarray(start, start + length);
  return buildQeReport({
    cpuSvn: field(0, 16),
    miscSelect: view.getUint32(16, true),
    attributes: field(48, 16),
    mrEnclave: field(64, 32),
    mrSigner: field(128, 32),
    isvProdId: view.getUint16(256, true),
    isvSvn: view.getUint16(258, true),
    reportData: field(320, 64),
  });
}
