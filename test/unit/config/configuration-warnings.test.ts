import { describe, expect, it } from 'vitest';
import { configurationWarnings } from '../../../src/config/configuration-warnings.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';

function warningsAbout(text: string): readonly string[] {
  return configurationWarnings(loadConfiguration({ text, environment: {} }));
}

function warningsOf(akCertificates: string): readonly string[] {
  return warningsAbout(`azure: { paravisors: { akCertificates: ${akCertificates} } }`);
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

  it.each(['true', 'false', '[]', '[weu, wus3]'])('are none about shared providers: %s', (shared) => {
    expect(warningsAbout(`maa: { shared: ${shared} }`)).toEqual([]);
  });

  it('name regions that this version does not know, which a slip of the pen can be', () => {
    expect(warningsAbout('maa: { shared: [weu, ewu] }')).toEqual([
      'maa.shared[1]: this version knows no region ewu; tokens of https://sharedewu.ewu.attest.azure.net count all the ' +
        "same, so look whether that provider is Microsoft's",
    ]);
  });
});
