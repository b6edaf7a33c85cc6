import { describe, expect, it } from 'vitest';
import { readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../../format-error-of.js';
import { base64url, bodyOf, extendedReport, type Json, SNP_REPORT, TD_QUOTE } from '../sample-bodies.js';

const read = (evidence: Json) => readVerifyRequest(bodyOf({ evidence })).evidence;
const NONE = { vek: null, chain: null, certificateTable: null, crls: [] };

describe('dialect extended-report', () => {
  it('parts report and certificate table', () => {
    const table = Buffer.alloc(4096, 6);
    expect(read(extendedReport(table))).toEqual({
      type: 'snp',
      report: SNP_REPORT,
      runtimeData: null,
      endorsements: { ...NONE, certificateTable: table },
    });
  });

  it('reads a report without table', () => {
    expect(read(extendedReport())).toEqual({ type: 'snp', report: SNP_REPORT, runtimeData: null, endorsements: NONE });
  });

  it('leaves a short report to its parser', () => {
    expect(read({ ...extendedReport(), value: 'AAAA' })).toMatchObject({ report: Buffer.alloc(3), endorsements: NONE });
  });

  it.each<[string, Json, string, string]>([
    ['REQ-04 an unknown member', { ...extendedReport(), report: '' }, 'unknown_property', '/evidence/report'],
    ['REQ-05 a value that is an object', { ...extendedReport(), value: {} }, 'schema', '/evidence/value'],
    ['REQ-10 bytes in no encoding', { ...extendedReport(), value: '*' }, 'encoding', '/evidence/value'],
    ['REQ-12 a TD quote', { ...extendedReport(), value: base64url(TD_QUOTE) }, 'type_mismatch', '/evidence/value'],
  ])('refuses: %s', (_, evidence, code, pointer) => {
    expect(formatErrorOf(() => read(evidence))).toEqual({ code, pointer });
  });
});
