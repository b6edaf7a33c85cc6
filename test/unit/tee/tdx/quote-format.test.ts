import { describe, expect, it } from 'vitest';
import { parsePemCertificates } from '../../../../src/formats/pem.js';
import { parseTdQuote } from '../../../../src/tee/tdx/format/td-quote.js';
import { flipBit, joinBytes, littleEndian, patchBytes } from '../../../lab/byte-patch.js';
import { pemOf } from '../../../lab/pki.js';
import { TD_ATTRIBUTE, type TdExtensionFields } from '../../../lab/td-body-builder.js';
import type { TdQuoteMaking } from '../../../lab/td-quote-builder.js';
import { tdQuoteLayout } from '../../../lab/td-quote-layout.js';
import { buildTdReport } from '../../../lab/td-report-builder.js';
import { expectMalformed, expectVerified, PLATFORM, verify } from './fixture.js';

const V4 = PLATFORM.quote();
const V5 = PLATFORM.quote({ version: 5 });
const EXTENDED = PLATFORM.quote({ version: 5, body: 'td15Extended' });
const TD_REPORT = buildTdReport(PLATFORM.bodyFields());
const AT4 = tdQuoteLayout(V4);
const AT5 = tdQuoteLayout(V5);

const malformed = (quote: Uint8Array, code: 'tdx_format' | 'tdx_trailing' | 'type_mismatch' | 'tdx_not_a_quote') =>
  expectMalformed(verify({ quote }), code, '/evidence/quote');
const patched = (bytes: Uint8Array, offset: number, value: number, length: number) =>
  patchBytes(bytes, [{ offset, bytes: littleEndian(value, length) }]);

describe('form of a quote', () => {
  it.each([
    ['version 4', { version: 4 }],
    ['version 5 with a TD 1.5 body', { version: 5 }],
    ['version 5 with a TD 1.0 body', { version: 5, body: 'td10' }],
    ['version 5 with an extended TD 1.5 body', { version: 5, body: 'td15Extended' }],
  ] as const)('TDX-01 reads %s', async (_, quote) => {
    expectVerified(await verify({ quote }));
  });

  it.each([1, 2, 3, 6, 255])('TDX-01 refuses version %d', async (version) => {
    await malformed(patched(V4, 0, version, 2), 'tdx_format');
  });

  it.each([0, 1, 3, 255])('TDX-01 refuses attestation key type %d', async (type) => {
    await malformed(patched(V4, 2, type, 2), 'tdx_format');
  });

  it.each([3, 4, 5])('TDX-01 says of an SGX quote of version %d that it is of another type', async (version) => {
    await malformed(patched(patched(V4, 4, 0, 4), 0, version, 2), 'type_mismatch');
  });

  it('TDX-01 refuses another TEE type', async () => {
    await malformed(patched(V4, 4, 0x82, 4), 'tdx_format');
  });

  it.each([0, 1, 5, 0xffff])('TDX-01 refuses body type %d', async (type) => {
    const quote = patched(V5, 48, type, 2);
    await malformed(quote, 'tdx_format');
    expect(() => parseTdQuote(quote)).toThrow(
      `body type ${type} is not supported: 2 (TD 1.0), 3 (TD 1.5) and 4 (extended TD 1.5) are`,
    );
  });

  it('TDX-40 refuses an extended TD 1.5 body that is cut by one byte', async () => {
    const cut = joinBytes(EXTENDED.subarray(0, 54 + 884), EXTENDED.subarray(54 + 885));
    await malformed(cut, 'tdx_format');
    await malformed(patched(cut, 50, 884, 4), 'tdx_format');
  });

  it.each([0, 648, 884, 886])('TDX-40 refuses an extended TD 1.5 body that is said to be %d bytes', async (size) => {
    await malformed(patched(EXTENDED, 50, size, 4), 'tdx_format');
  });

  it('TDX-40 refuses the type of one TD 1.5 body over the other', async () => {
    await malformed(patched(EXTENDED, 48, 3, 2), 'tdx_format');
    await malformed(patched(V5, 48, 4, 2), 'tdx_format');
  });

  const filled = (length: number) => new Uint8Array(length).fill(0x38);

  it.each<[keyof TdExtensionFields, number]>([
    ['initHash', 48],
    ['initAttributes', 8],
    ['initCpuSvn', 16],
    ['initTcbSvn', 16],
    ['initModel', 12],
    ['currentHash', 48],
    ['currentAttributes', 8],
  ])('TDX-40 refuses %s without SERVTD_EXT: tdx_format', async (name, length) => {
    const extended = (tdAttributes: bigint) =>
      PLATFORM.quote({
        version: 5,
        body: 'td15Extended',
        fields: { tdAttributes, extension: { [name]: filled(length) } },
      });
    await malformed(extended(TD_ATTRIBUTE.septVeDisable), 'tdx_format');
    await malformed(extended(0n), 'tdx_format');
    expect(parseTdQuote(extended(TD_ATTRIBUTE.serviceTdExt)).body.extension?.serviceTd).toHaveProperty(name);
  });

  it.each<[string, TdQuoteMaking]>([
    ['version 4', { version: 4 }],
    ['version 5 with a TD 1.0 body', { version: 5, body: 'td10' }],
    ['version 5 with a TD 1.5 body', { version: 5 }],
  ])('TDX-40 refuses SERVTD_EXT in %s: tdx_format', async (_, making) => {
    await malformed(PLATFORM.quote({ ...making, fields: { tdAttributes: TD_ATTRIBUTE.serviceTdExt } }), 'tdx_format');
  });

  it('TDX-40 twin: reads what is no field of a service TD without SERVTD_EXT', async () => {
    const extension = { vmId: filled(1), tdId: filled(32), deviceInfo: filled(48) };
    const quote = PLATFORM.quote({ version: 5, body: 'td15Extended', fields: { extension } });
    expect(parseTdQuote(quote).body.extension).toMatchObject({
      vmId: 0x38,
      tdId: filled(32),
      deviceInfo: filled(48),
    });
    expectVerified(await verify({ quote }));
  });

  it.each([0, 584, 647, 649, 0xffff_ffff])('TDX-01 refuses a TD 1.5 body that is said to be %d bytes', async (size) => {
    await malformed(patched(V5, 50, size, 4), 'tdx_format');
  });

  it('TDX-01 refuses the header of one version over the body of the other', async () => {
    await malformed(patched(V4, 0, 5, 2), 'tdx_format');
    await malformed(patched(V5, 0, 4, 2), 'tdx_format');
  });

  it.each([
    ['version 4', V4],
    ['version 5', V5],
    ['version 5 with an extended TD 1.5 body', EXTENDED],
  ])('TDX-02, TDX-40 refuses every truncation of %s', (_, quote) => {
    const codes = new Set<string>();
    for (let length = 0; length < quote.byteLength; length++) codes.add(codeOf(quote.subarray(0, length)));
    expect([...codes]).toEqual(['tdx_format']);
  });

  it.each([
    ['authentication data', AT4.authDataLength, 4],
    ['certification data of type 6', AT4.outerType + 2, 4],
    ['QE authentication data', AT4.qeAuthDataLength, 2],
    ['certification data of type 5', AT4.innerType + 2, 4],
  ])('TDX-02 refuses a length of the %s that is short, long, or wraps', async (_, offset, size) => {
    const view = new DataView(V4.buffer, V4.byteOffset);
    const length = size === 4 ? view.getUint32(offset, true) : view.getUint16(offset, true);
    const lengths = [0, length - 1, length + 1, size === 4 ? 0xffff_ffff : 0xffff];
    for (const wrong of lengths) await malformed(patched(V4, offset, wrong, size), 'tdx_format');
  });

  it('TDX-02 reads QE authentication data of 1024 bytes, and refuses 1025', async () => {
    expectVerified(await verify({ quote: { qeAuthData: new Uint8Array(1024) } }));
    expectVerified(await verify({ quote: { qeAuthData: new Uint8Array() } }));
    await expectMalformed(verify({ quote: { qeAuthData: new Uint8Array(1025) } }), 'tdx_format');
  });

  it.each([1, 2, 3, 4, 5, 7])('refuses certification data of type %d outside, and says so', async (type) => {
    const found = verify({ quote: patched(V4, AT4.outerType, type, 2) });
    await expect(found).rejects.toThrow(`unsupported certification data: type ${type}, expected 6`);
  });

  it.each([1, 2, 3, 4, 6, 7])('refuses certification data of type %d inside, and says so', async (type) => {
    const found = verify({ quote: patched(V4, AT4.innerType, type, 2) });
    await expect(found).rejects.toThrow(`unsupported certification data: type ${type}, expected 5`);
  });

  it('TDX-03 drops zeros after the end, and refuses anything else there', async () => {
    expectVerified(await verify({ quote: { trailing: new Uint8Array(70) } }));
    for (const offset of [0, 69]) {
      const trailing = flipBit(new Uint8Array(70), offset);
      await expectMalformed(verify({ quote: { trailing } }), 'tdx_trailing', '/evidence/quote');
    }
  });

  it.each([
    ['NUL', '\0'],
    ['several NUL', '\0\0\0'],
    ['nothing', ''],
  ])('TDX-03 drops %s after the last PEM line', async (_, end) => {
    expectVerified(await verify({ quote: { pckChain: PLATFORM.pck.chainPem + end } }));
  });

  it.each([['text'], ['\0text'], ['\n'], ['\0\n'], ['# comment\n']])(
    'TDX-03 refuses %j after the last PEM line',
    async (end) => {
      const found = verify({ quote: { pckChain: PLATFORM.pck.chainPem + end } });
      await expectMalformed(found, 'tdx_trailing', '/evidence/quote');
    },
  );

  it('CRT-07 takes blank lines around the certificates, 76 columns and zeros after their DER', async () => {
    const { chainPem } = PLATFORM.pck;
    const spaced = `\r\n${chainPem.replaceAll('-----BEGIN', '\n-----BEGIN')}`;
    const filled = pemOf(...parsePemCertificates(chainPem, 'cert_chain').map((der) => Uint8Array.of(...der, 0, 0)));
    for (const pckChain of [spaced, filled]) expectVerified(await verify({ quote: { pckChain } }));
  });

  it('REQ-19 refuses certification data of more than 32 KiB, NUL behind it apart', async () => {
    const { chainPem } = PLATFORM.pck;
    expectVerified(await verify({ quote: { pckChain: chainPem + '\0'.repeat(100_000) } }));
    for (const pckChain of ['\n'.repeat(770_000), chainPem.repeat(12)]) {
      await expectMalformed(verify({ quote: { pckChain } }), 'cert_format', '/evidence/quote');
    }
  });

  it('refuses certification data that is no PEM', async () => {
    await expectMalformed(verify({ quote: { pckChain: 'DER' } }), 'tdx_format');
    await expectMalformed(verify({ quote: { pckChain: '-----BEGIN CERTIFICATE-----\nAAAA' } }), 'tdx_format');
  });

  it('TDX-22 says of a bare TDREPORT that it is no quote', async () => {
    await malformed(TD_REPORT, 'tdx_not_a_quote');
  });

  it('TDX-22 says the same of a TDREPORT with bytes behind it, such as the hardware area of an HCL report', async () => {
    for (const filling of [new Uint8Array(160), Uint8Array.of(1), V4]) {
      await malformed(joinBytes(TD_REPORT, filling), 'tdx_not_a_quote');
    }
  });

  it('TDX-22 says it of no less than a TDREPORT', async () => {
    await malformed(TD_REPORT.subarray(0, -1), 'tdx_format');
    await malformed(patched(TD_REPORT, 1, 1, 1), 'tdx_format');
  });

  it('reads the same from bytes that stand in the middle of others', () => {
    const around = new Uint8Array(V5.byteLength + 14);
    around.set(V5, 7);
    expect(parseTdQuote(around.subarray(7, 7 + V5.byteLength))).toEqual(parseTdQuote(V5));
    expect(AT5.bodyLength).toBe(648);
  });
});

function codeOf(bytes: Uint8Array): string {
  try {
    parseTdQuote(bytes);
    return 'read';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}
