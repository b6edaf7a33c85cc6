import { describe, expect, it } from 'vitest';
import { configurationWarnings } from '../../../src/config/configuration-warnings.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';

function warningsOf(akCertificates: string): readonly string[] {
  const text = `azure: { paravisors: { akCertificates: ${akCertificates} } }`;
  return configurationWarnings(loadConfiguration({ text, environment: {} }));
}

const warningsFor = (text: string) => configurationWarnings(loadConfiguration({ text, environment: {} }));

describe('warnings about a configuration', () => {
  it.each([
    ['limits: { batchBytes: 1048576 }', 'limits.batchBytes: this version takes no batches, so nothing reads this key'],
    [
      'decisions: { retentionDays: 30 }',
      'decisions.retentionDays: this version stores no decisions, so nothing reads this key',
    ],
    [
      'receipts: { issuer: "https://veritee.example" }',
      'receipts.issuer: this version issues no receipts, so nothing reads this key',
    ],
  ])('name a key that nothing reads: %s', (text, warning) => {
    expect(warningsFor(text)).toEqual([warning]);
  });

  it('are none about defaults, written or not', () => {
    expect(warningsFor('{}')).toEqual([]);
    const written = 'limits: { batchBytes: 16777216 }\ndecisions: { retentionDays: 365 }\nreceipts: { issuer: null }';
    expect(warningsFor(written)).toEqual([]);
  });

  it.each(['off', '2025-08-13', '2026-01-01'])('HCL-17 are none about AK certificates: %s', (value) => {
    expect(warningsOf(value)).toEqual([]);
  });

  it.each(['2025-08-12', '2024-12-31', '1970-01-01'])(
    'HCL-17 name AK certificates from before the fix: %s',
    (value) => {
      expect(warningsOf(value)).toEqual([
        expect.stringMatching(
          new RegExp(`^azure\\.paravisors\\.akCertificates: ${value} is before 2025-08-13; .*CVE-2025-49707`),
        ),
      ]);
    },
  );
});
