import { describe, expect, it } from 'vitest';
import type { Structure } from '../../../src/tee/format/structure-kind.js';
import { refuseForeignStructure } from '../../../src/wire/encoded-members.js';
import { formatErrorOf } from '../../format-error-of.js';
import { haveVectors, readVector, vectors } from '../../vectors.js';
import { HCL_REPORT, SNP_REPORT, TD_QUOTE, TPM_MESSAGE } from './sample-bodies.js';

const SAMPLES: readonly (readonly [Structure, Uint8Array])[] = [
  ['SNP report', SNP_REPORT],
  ['HCL report', HCL_REPORT],
  ['TD quote', TD_QUOTE],
  ['TPM quote', TPM_MESSAGE],
];

describe('refuseForeignStructure', () => {
  it('REQ-12 tells each structure from each other one', () => {
    for (const [expected] of SAMPLES) {
      for (const [found, bytes] of SAMPLES) {
        const call = () => refuseForeignStructure(bytes, expected, '/a');
        if (found === expected) expect(call).not.toThrow();
        else expect(formatErrorOf(call)).toEqual({ code: 'type_mismatch', pointer: '/a' });
      }
    }
  });

  it('takes an SNP report of version 4 and guest SVN 0x81 for no TD quote', () => {
    const report = Buffer.from(SNP_REPORT);
    report.writeUInt32LE(4, 0);
    report.writeUInt32LE(0x81, 4);
    expect(() => refuseForeignStructure(report, 'SNP report', '')).not.toThrow();
  });

  it.each([0, 7, 8, 100, 1183, 1185])('says nothing about %i bytes of zeros', (length) => {
    expect(() => refuseForeignStructure(new Uint8Array(length), 'SNP report', '')).not.toThrow();
  });

  it('looks at the bytes of its view only', () => {
    const view = Buffer.concat([Buffer.from('HCLA1234'), SNP_REPORT]).subarray(8);
    expect(() => refuseForeignStructure(view, 'SNP report', '')).not.toThrow();
  });
});

describe.skipIf(!haveVectors)('refuseForeignStructure over real evidence', () => {
  const file = (ending: string, ...families: string[]) =>
    vectors(...families).flatMap(({ files }) => files.filter((name) => name.endsWith(ending)));

  it.each<[Structure, readonly string[]]>([
    ['SNP report', haveVectors ? file('.report.bin', 'snp') : []],
    ['HCL report', haveVectors ? file('.hcl-report.bin', 'az-snp-vtpm', 'az-tdx-vtpm') : []],
    ['TD quote', haveVectors ? file('.td-quote.bin', 'az-tdx-vtpm') : []],
    ['TPM quote', haveVectors ? file('.quote.msg', 'az-snp-vtpm', 'az-tdx-vtpm') : []],
  ])('REQ-12 knows every %s and takes it for nothing else', (structure, names) => {
    expect(names.length).toBeGreaterThan(1);
    const other = structure === 'SNP report' ? 'HCL report' : 'SNP report';
    for (const name of names) {
      expect(() => refuseForeignStructure(readVector(name), structure, '')).not.toThrow();
      expect(formatErrorOf(() => refuseForeignStructure(readVector(name), other, '')).code).toBe('type_mismatch');
    }
  });
});
