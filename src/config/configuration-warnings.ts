import type { Configuration } from './configuration.js';

/** The day of the fix of CVE-2025-49707 in the paravisor. It was rolled out later. */
const AK_CERTIFICATION_FIXED = '2025-08-13';

/** What a configuration asks for that is allowed, and that an operator should have a second look at. */
export function configurationWarnings({ azure }: Configuration): readonly string[] {
  const { akCertificates } = azure.paravisors;
  if (akCertificates === 'off' || akCertificates >= AK_CERTIFICATION_FIXED) return [];
  return [
    `azure.paravisors.akCertificates: ${akCertificates} is before ${AK_CERTIFICATION_FIXED}; until then the owner of a VM could have Azure certify a key of his own (CVE-2025-49707), so such certificates may vouch for an invented paravisor`,
  ];
}
