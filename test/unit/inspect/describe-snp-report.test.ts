import { describe, expect, it } from 'vitest';
import { describeSnpReport } from '../../../src/inspect/describe-snp-report.js';
import { azureReportFields, buildSnpReport, SNP_PROCESSORS, type SnpReportFields } from '../../lab/index.js';

const TURIN_TCB = Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 71);

function fieldsOf(fields: Partial<SnpReportFields> = {}) {
  const described = describeSnpReport(buildSnpReport({ ...azureReportFields(), ...fields }), '/report');
  return new Map(described.fields.map((field) => [field.name, field]));
}

const meaning = (name: string, fields: Partial<SnpReportFields>) => fieldsOf(fields).get(name)?.meaning;

describe('description of an SEV-SNP report', () => {
  it('names structure, place and length, and has every field at its place in the bytes', () => {
    const report = buildSnpReport({ ...azureReportFields(), measurement: new Uint8Array(48).fill(0xab) });
    const described = describeSnpReport(report, '/report');
    expect(described).toMatchObject({ name: 'ATTESTATION_REPORT', about: '/report', length: 1184 });
    const measurement = described.fields.find(({ name }) => name === 'MEASUREMENT');
    expect(measurement).toMatchObject({
      offset: 0x90,
      length: 48,
      value: 'ab'.repeat(48),
      meaning: 'launch digest of the guest',
    });
    const ends = described.fields.map(({ offset, length }) => (offset ?? 0) + (length ?? 0));
    expect(Math.max(...ends)).toBeLessThanOrEqual(1184);
  });

  it('says whether the host may debug the guest, and whether there is a migration agent', () => {
    expect(meaning('POLICY', {})).toBe('debugging is not allowed');
    expect(meaning('POLICY', { policy: 0xb001fn })).toBe('the host may debug the guest');
    expect(meaning('REPORT_ID_MA', {})).toBe('no migration agent');
    expect(meaning('REPORT_ID_MA', { reportIdMa: new Uint8Array(32) })).toBe('a migration agent is present');
  });

  it('says whether an author key stands behind its digest', () => {
    const keyInfo = { authorKeyEn: true, maskChipKey: false, signingKey: 0 };
    expect(meaning('AUTHOR_KEY_DIGEST', {})).toBe('no author key');
    expect(meaning('AUTHOR_KEY_DIGEST', { keyInfo })).toBeNull();
  });

  it.each([
    [0, 'requested at the most privileged level: where there is a paravisor, by the paravisor'],
    [1, 'requested at a less privileged level of the guest'],
    [0xffffffff, 'requested by the host'],
  ])('says who asked for a report of VMPL %i', (vmpl, expected) => {
    expect(meaning('VMPL', { vmpl })).toBe(expected);
  });

  it('names line and part of the processor, known or not', () => {
    expect(meaning('CPUID', {})).toBe('Milan, part Milan');
    expect(meaning('CPUID', { cpuid: { family: 0x1a, model: 0x50, stepping: 0 } })).toBe(
      'unknown product line, part unknown',
    );
    expect(fieldsOf({ version: 2, cpuid: null }).has('CPUID')).toBe(false);
  });

  it('has the mitigation vectors where the report has them', () => {
    const fields = fieldsOf({ version: 5, mitigation: { launch: 1n, current: 0x13n } });
    expect(fields.get('LAUNCH_MIT_VECTOR')?.value).toBe('0x1');
    expect(fields.get('CURRENT_MIT_VECTOR')?.value).toBe('0x13');
    expect(fieldsOf().has('CURRENT_MIT_VECTOR')).toBe(false);
  });

  it('reads a TCB by the layout of the line', () => {
    expect(fieldsOf().get('REPORTED_TCB')?.value).toEqual({ bootloader: 4, tee: 0, snp: 24, microcode: 219 });
    const { cpuid } = SNP_PROCESSORS.Turin;
    expect(fieldsOf({ cpuid, reportedTcb: TURIN_TCB }).get('REPORTED_TCB')?.value).toEqual({
      fmc: 1,
      bootloader: 2,
      tee: 3,
      snp: 4,
      microcode: 71,
    });
  });

  it('leaves a TCB in hex where the report does not tell the layout, and reads it where all candidates share one', () => {
    const unknown = { cpuid: { family: 0x1a, model: 0x50, stepping: 0 } };
    expect(fieldsOf({ ...unknown, reportedTcb: TURIN_TCB }).get('REPORTED_TCB')?.value).toBe('0102030400000047');
    const version2 = { version: 2, cpuid: null };
    expect(fieldsOf({ ...version2, chipId: new Uint8Array(64) }).get('REPORTED_TCB')?.value).toBe('04000000000018db');
    const long = { ...version2, chipId: new Uint8Array(64).fill(7) };
    expect(fieldsOf(long).get('REPORTED_TCB')?.value).toMatchObject({ snp: 24 });
    const short = { ...version2, chipId: new Uint8Array(64).fill(7, 0, 8), reportedTcb: TURIN_TCB };
    expect(fieldsOf(short).get('REPORTED_TCB')?.value).toMatchObject({ fmc: 1, snp: 4 });
  });
});
