import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../../../src/formats/x509-certificate.js';
import { parseVekExtensions } from '../../../../../src/tee/snp/amd/vek-extensions.js';
import { ia5String, integer, octetString, utf8String } from '../../../../lab/der-writer.js';
import type { LabExtension } from '../../../../lab/pki.js';
import { haveVectors, readVector, vectors } from '../../../../vectors.js';
import { certificate, formatErrorOf } from '../../../small-pki.js';

const ARC = '1.3.6.1.4.1.3704.1';
const CHIP_ID = Uint8Array.from({ length: 64 }, (_, index) => index + 1);
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (value: Uint8Array | null) => value && Buffer.from(value).toString('hex');

const GENUINE: readonly (readonly [suffix: string, value: Uint8Array])[] = [
  ['1', integer(0)],
  ['2', ia5String('Milan-B0')],
  ['3.1', integer(4)],
  ['3.2', integer(1)],
  ['3.3', integer(24)],
  ['3.8', bytes('020200db')],
  ['4', CHIP_ID],
];

const toExtension = ([suffix, value]: readonly [string, Uint8Array]): LabExtension => ({
  oid: `${ARC}.${suffix}`,
  value,
});
const read = (values: readonly (readonly [string, Uint8Array])[]) =>
  parseVekExtensions(certificate('leaf', { extensions: values.map(toExtension) }));
/** The genuine extensions with one of them changed. */
const changed = (suffix: string, value: Uint8Array) =>
  read(GENUINE.map((entry) => (entry[0] === suffix ? [suffix, value] : entry)));
const without = (suffix: string) => read(GENUINE.filter((entry) => entry[0] !== suffix));

const TCB_EXTENSIONS = [
  ['3.1', 'bootloader'],
  ['3.2', 'tee'],
  ['3.3', 'snp'],
  ['3.8', 'microcode'],
] as const;

describe('parseVekExtensions', () => {
  it('reads a VCEK of Milan, 219 as two octets', () => {
    expect(read(GENUINE)).toEqual({
      structVersion: 0,
      productName: 'Milan-B0',
      tcb: { fmc: null, bootloader: 4, tee: 1, snp: 24, microcode: 219 },
      hwId: CHIP_ID,
      cspId: null,
    });
  });

  it('reads a VLEK', () => {
    const vlek = read([...GENUINE.slice(0, -1), ['5', ia5String('CN=cloud.example')]]);
    expect([vlek.hwId, vlek.cspId]).toEqual([null, 'CN=cloud.example']);
  });

  it('reads fmcSPL of Turin', () => {
    expect(read([...GENUINE, ['3.9', integer(2)]]).tcb.fmc).toBe(2);
  });

  it.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [219, '020200db'],
    [255, '020200ff'],
  ])('SNP-14 reads the component %i as %s', (value, hex) => {
    expect(changed('3.8', bytes(hex)).tcb.microcode).toBe(value);
  });

  it.each(TCB_EXTENSIONS)('SNP-14 has null for a missing %s (%s)', (suffix, component) => {
    expect(without(suffix).tcb[component]).toBeNull();
  });

  it.each(TCB_EXTENSIONS)('SNP-14 takes neither of two %s (%s)', (suffix, component) => {
    expect(read([...GENUINE, [suffix, integer(255)]]).tcb[component]).toBeNull();
  });

  const NO_COMPONENT: readonly (readonly [string, string])[] = [
    ['-1', '0201ff'],
    ['219 in one octet, which is -37', '0201db'],
    ['256', '02020100'],
    ['2^32 + 4', '02050100000004'],
    ['4 in two octets', '02020004'],
    ['an empty integer', '0200'],
    ['bytes after the integer', '02010400'],
    ['an octet string', '040104'],
    ['an enumerated', '0a0104'],
    ['the bare number', '04'],
    ['nothing', ''],
  ];

  it.each(
    TCB_EXTENSIONS.flatMap(([suffix, component]) => NO_COMPONENT.map(([what, hex]) => [component, what, suffix, hex])),
  )('SNP-14 refuses for %s %s', (_component, _what, suffix, hex) => {
    expect(formatErrorOf(() => changed(suffix ?? '', bytes(hex ?? ''))).code).toBe('cert_format');
  });

  it('unwraps the hwID of newer certificates, and takes that of Turin as it is', () => {
    expect(hexOf(changed('4', octetString(CHIP_ID)).hwId)).toBe(hexOf(CHIP_ID));
    expect(hexOf(changed('4', CHIP_ID.subarray(0, 8)).hwId)).toBe('0102030405060708');
  });

  it('takes 64 bytes for the hwID also where they look like a wrapper', () => {
    const looksWrapped = Uint8Array.from(CHIP_ID);
    looksWrapped.set([0x04, 0x3e]);
    expect(hexOf(changed('4', looksWrapped).hwId)).toBe(hexOf(looksWrapped));
  });

  it.each([
    ['63 bytes', CHIP_ID.subarray(1)],
    ['65 bytes', Buffer.concat([CHIP_ID, Buffer.from([0])])],
    ['63 bytes in a wrapper that says 64', Buffer.concat([bytes('0440'), CHIP_ID.subarray(1)])],
    ['65 bytes in a wrapper that says 64', Buffer.concat([bytes('0440'), CHIP_ID, bytes('00')])],
    ['64 bytes in another wrapper', Buffer.concat([bytes('0340'), CHIP_ID])],
    ['63 bytes in a wrapper', octetString(CHIP_ID.subarray(1))],
    ['65 bytes in a wrapper', octetString(Buffer.concat([CHIP_ID, Buffer.from([0])]))],
    ['a wrapper in a wrapper', octetString(octetString(CHIP_ID))],
    ['8 bytes in a wrapper', octetString(CHIP_ID.subarray(0, 8))],
    ['nothing', new Uint8Array()],
  ])('SNP-13 leaves an hwID of %s as it stands, so that it is no chip id', (_what, value) => {
    expect(hexOf(changed('4', value).hwId)).toBe(hexOf(value));
  });

  it('SNP-13 takes neither of two hwIDs', () => {
    expect(read([...GENUINE, ['4', CHIP_ID]]).hwId).toBeNull();
  });

  it('SNP-13 reads an hwID beside a cspID, which no AMD key has both of', () => {
    const both = read([...GENUINE, ['5', ia5String('x')]]);
    expect([both.hwId, both.cspId]).toEqual([CHIP_ID, 'x']);
  });

  it.each([
    ['a product name of another type', '2', utf8String('Milan-B0')],
    ['an empty product name', '2', ia5String('')],
    ['a product name with a line end', '2', ia5String('Milan\n')],
    ['a product name that is not ascii', '2', ia5String('Mil\u00e4n')],
    ['a struct version of 256', '1', integer(256)],
  ])('refuses %s', (_what, suffix, value) => {
    expect(formatErrorOf(() => changed(suffix, value)).code).toBe('cert_format');
  });

  it('does not read the reserved components', () => {
    expect(read([...GENUINE, ['3.4', bytes('ff')], ['3.7', integer(-1)]]).tcb.microcode).toBe(219);
  });
});

describe.skipIf(!haveVectors)('extensions of real certificates', () => {
  interface Facts {
    readonly structVersion: number;
    readonly productName: string;
    readonly fmc?: number;
    readonly bootloader: number;
    readonly tee: number;
    readonly snp: number;
    readonly microcode: number;
    readonly hwid?: string;
    readonly cspId?: string;
  }

  const all = haveVectors ? vectors('snp', 'roots', 'az-snp-vtpm') : [];
  const cases = all.flatMap(({ id, files, expect: { facts } }) => {
    const file = files.find((name) => /(vcek|vlek)[^/]*\.der$/.test(name));
    const extensions: Facts | undefined = facts.extensions ?? facts.cert?.extensions ?? facts.snp?.cert?.extensions;
    return file === undefined || extensions === undefined ? [] : [{ id, file, extensions }];
  });

  it('are there', () => {
    expect(cases.length).toBeGreaterThan(6);
  });

  it.each(cases)('$id has the extensions of its facts', ({ file, extensions }) => {
    const found = parseVekExtensions(parseCertificate(readVector(file), { allowZeroSerial: true }));
    expect({
      structVersion: found.structVersion,
      productName: found.productName,
      ...(found.tcb.fmc === null ? {} : { fmc: found.tcb.fmc }),
      bootloader: found.tcb.bootloader,
      tee: found.tcb.tee,
      snp: found.tcb.snp,
      microcode: found.tcb.microcode,
      ...(found.hwId === null ? {} : { hwid: hexOf(found.hwId) }),
      ...(found.cspId === null ? {} : { cspId: found.cspId }),
    }).toEqual(extensions);
  });
});
