import { describe, expect, it } from 'vitest';
import { configurationWarnings } from '../../../src/config/configuration-warnings.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';

function warningsOf(akCertificates: string): readonly string[] {
  const text = `azure: { paravisors: { akCertificates: ${akCertificates} } }`;
  return configurationWarnings(loadConfiguration({ text, environment: {} }));
}

describe('warnings about a configuration', () => {
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
