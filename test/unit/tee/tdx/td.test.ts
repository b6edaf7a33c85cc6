import { describe, expect, it } from 'vitest';
import { TD_ATTRIBUTE, type TdBodyFields } from '../../../lab/td-body-builder.js';
import { expectFailed, expectVerified, platformOf, verify } from './fixture.js';

const withFields = (fields: Partial<TdBodyFields>, version: 4 | 5 = 4) => verify({ quote: { version, fields } });
const bit = (position: number) => 1n << BigInt(position);
const XFAM = 0xe7n;
const hexOf = (byte: number, length = 48) => Buffer.alloc(length, byte).toString('hex');

const NAMED: ReadonlyMap<bigint, string> = new Map([
  [TD_ATTRIBUTE.icssd, 'icssd'],
  [TD_ATTRIBUTE.lass, 'lass'],
  [TD_ATTRIBUTE.septVeDisable, 'septVeDisable'],
  [TD_ATTRIBUTE.migratable, 'migratable'],
  [TD_ATTRIBUTE.pks, 'pks'],
  [TD_ATTRIBUTE.keyLocker, 'keyLocker'],
  [TD_ATTRIBUTE.tpa, 'tpa'],
  [TD_ATTRIBUTE.perfmon, 'perfmon'],
]);
/** SERVTD_EXT goes with a body of its own. */
const FOREIGN = Array.from({ length: 63 }, (_, index) => index + 1).filter(
  (position) => !NAMED.has(bit(position)) && bit(position) !== TD_ATTRIBUTE.serviceTdExt,
);

describe('attributes of a TD', () => {
  it('TDX-15 denies debug, and claims it', async () => {
    const found = await withFields({ tdAttributes: TD_ATTRIBUTE.debug });
    expectFailed(found, 'tdx_debug');
    expect(found.claims?.tdAttributes.debug).toBe(true);
  });

  it.each([[FOREIGN.slice(0, 7)], [FOREIGN.slice(7)]])(
    'TDX-15 denies every other TUD and reserved bit: %j',
    async (bits) => {
      for (const position of bits) {
        const found = await withFields({ tdAttributes: bit(position) });
        expectFailed(found, 'tdx_attributes');
        expect(found.checks.find(({ id }) => id === 'tdx_attributes')?.actual).toBe(`0x${bit(position).toString(16)}`);
      }
      expect(bits.length).toBeGreaterThan(5);
    },
  );

  it.each([...NAMED])('TDX-15 leaves bit %i to policies, as the claim %s', async (tdAttributes, name) => {
    const found = await withFields({ tdAttributes });
    expectVerified(found);
    const claims = Object.entries(found.claims?.tdAttributes ?? {}).filter(([, value]) => value);
    expect(claims).toEqual([[name, true]]);
  });

  it('TDX-15 leaves a TD without SEPT_VE_DISABLE to policies', async () => {
    const found = await withFields({ tdAttributes: 0n });
    expectVerified(found);
    expect(found.claims?.tdAttributes.septVeDisable).toBe(false);
  });
});

describe('XFAM and SEAM attributes', () => {
  it.each([0xe6n, 0xe5n, 0n])('TDX-17 denies XFAM %i without x87 or SSE', async (xfam) => {
    expectFailed(await withFields({ xfam }), 'tdx_xfam');
  });

  it('TDX-17 denies every reserved bit of XFAM', async () => {
    const reserved = Array.from({ length: 64 }, (_, index) => index).filter((index) => (0x6dbe7n & bit(index)) === 0n);
    for (const position of reserved) expectFailed(await withFields({ xfam: XFAM | bit(position) }), 'tdx_xfam');
    expect(reserved).toHaveLength(64 - 14);
  });

  it('TDX-17 takes every bit of XFAM that TDX defines, and claims the value as it stands', async () => {
    const found = await withFields({ xfam: 0x6dbe7n });
    expectVerified(found);
    expect(found.claims?.xfam).toBe('e7db060000000000');
  });

  it('TDX-17 denies SEAM attributes, also where the identity of the module has no mask for them', async () => {
    const modules = [{ id: 'TDX_01', attributesMask: new Uint8Array(8), levels: [{ isvSvn: 6 }] }];
    const quote = { fields: { seamAttributes: 1n } };
    expectFailed(await verify({ quote, collateral: { tcbInfo: { modules } } }), 'tdx_seam_attributes');
    expectFailed(await verify({ quote }), 'tdx_seam_attributes', 'tdx_module');
  });
});

describe('measurements', () => {
  it('TDX-18 claims what the TD measures, as it stands', async () => {
    const rtmr = (byte: number) => new Uint8Array(48).fill(byte);
    const found = await withFields({
      mrTd: rtmr(1),
      mrConfigId: rtmr(2),
      mrOwner: rtmr(3),
      mrOwnerConfig: rtmr(4),
      rtmrs: [rtmr(5), rtmr(6), rtmr(7), rtmr(8)],
      mrSeam: rtmr(9),
      reportData: new Uint8Array(64).fill(10),
    });
    expectVerified(found);
    expect(found.claims).toMatchObject({
      quoteVersion: 4,
      mrtd: hexOf(1),
      mrConfigId: hexOf(2),
      mrOwner: hexOf(3),
      mrOwnerConfig: hexOf(4),
      rtmr: [hexOf(5), hexOf(6), hexOf(7), hexOf(8)],
      mrSeam: hexOf(9),
      mrSignerSeam: hexOf(0),
      reportData: hexOf(10, 64),
      teeTcbSvn: '06010800000000000000000000000000',
      fmspc: '00806f050000',
      pceId: '0000',
    });
    expect(found.claims).not.toHaveProperty('mrServiceTd');
  });

  it('TDX-16 claims MRSERVICETD of a TD 1.5 body, for a policy to judge', async () => {
    const none = await withFields({}, 5);
    expectVerified(none);
    expect(none.claims).toMatchObject({ quoteVersion: 5, mrServiceTd: hexOf(0) });
    const bound = await withFields({ mrServiceTd: new Uint8Array(48).fill(0x38) }, 5);
    expectVerified(bound);
    expect(bound.claims?.mrServiceTd).toBe(hexOf(0x38));
  });

  it('TDX-40 claims the service TDs of an extended TD 1.5 body, for a policy to judge', async () => {
    const extension = {
      initHash: new Uint8Array(48).fill(1),
      initAttributes: new Uint8Array(8).fill(2),
      initCpuSvn: new Uint8Array(16).fill(3),
      initTcbSvn: new Uint8Array(16).fill(4),
      initModel: new Uint8Array(12).fill(5),
      currentHash: new Uint8Array(48).fill(6),
      currentAttributes: new Uint8Array(8).fill(7),
    };
    const found = await verify({
      quote: { version: 5, body: 'td15Extended', fields: { tdAttributes: TD_ATTRIBUTE.serviceTdExt, extension } },
    });
    expectVerified(found);
    expect(found.claims).toMatchObject({
      mrServiceTd: hexOf(0),
      tdAttributes: { serviceTdExt: true },
      serviceTd: {
        initHash: hexOf(1),
        initAttributes: hexOf(2, 8),
        initCpuSvn: hexOf(3, 16),
        initTcbSvn: hexOf(4, 16),
        initModel: hexOf(5, 12),
        currentHash: hexOf(6),
        currentAttributes: hexOf(7, 8),
      },
    });
    expect((await withFields({}, 5)).claims).not.toHaveProperty('serviceTd');
  });

  it.each([54 + 648, 54 + 649, 54 + 681])(
    'TDX-40 denies an extended TD 1.5 body that was changed after signing, byte %d: tdx_signature',
    async (offset) => {
      const signedPart = (bytes: Uint8Array) => bytes.map((byte, index) => (index === offset ? byte ^ 1 : byte));
      expectFailed(await verify({ quote: { version: 5, body: 'td15Extended', signedPart } }), 'tdx_signature');
    },
  );

  it.each([54 + 584, 54 + 600])(
    'TDX-16 denies a TD 1.5 body that was changed after signing, byte %d',
    async (offset) => {
      const signedPart = (bytes: Uint8Array) => bytes.map((byte, index) => (index === offset ? byte ^ 1 : byte));
      expectFailed(await verify({ quote: { version: 5, signedPart } }), 'tdx_signature');
    },
  );

  it('claims FMSPC, PCEID and PPID of the certificate', async () => {
    const ppid = Uint8Array.from({ length: 16 }, (_, index) => index);
    const found = await verify({ platform: platformOf({ fmspc: 'b0c06f000000', pceId: '0100', ppid }) });
    expectVerified(found);
    const claimed = { fmspc: 'b0c06f000000', pceId: '0100', ppid: '000102030405060708090a0b0c0d0e0f' };
    expect(found.claims).toMatchObject(claimed);
  });
});
