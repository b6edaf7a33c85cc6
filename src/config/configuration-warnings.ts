import { isKnownRegion, sharedProvider, unknownRegionOf } from '../model/azure-attestation-regions.js';
import type { Configuration, ItaConfiguration, ItaIssuerConfiguration, MaaConfiguration } from './configuration.js';

/** The day of the fix of CVE-2025-49707 in the paravisor. It was rolled out later. */
const AK_CERTIFICATION_FIXED = '2025-08-13';

/** What a configuration asks for that is allowed, and that an operator should have a second look at. */
export function configurationWarnings({ azure, maa, ita }: Configuration): readonly string[] {
  return [...certificationWarnings(azure.paravisors), ...regionWarnings(maa), ...pinWarnings(ita)];
}

function certificationWarnings({ akCertificates }: Configuration['azure']['paravisors']): readonly string[] {
  if (akCertificates === 'off' || akCertificates >= AK_CERTIFICATION_FIXED) return [];
  return [
    `azure.paravisors.akCertificates: ${akCertificates} is before ${AK_CERTIFICATION_FIXED}; until then the owner of a VM could have Azure certify a key of his own (CVE-2025-49707), so such certificates may vouch for an invented paravisor`,
  ];
}

/** Whoever has the keys of a service chooses the name that is in its tokens. */
function pinWarnings({ issuers }: ItaConfiguration): readonly string[] {
  const pinsOf = ({ roots, policyIds }: ItaIssuerConfiguration) => JSON.stringify([roots, policyIds.toSorted()]);
  return issuers.flatMap((entry, index) => {
    const other = issuers.slice(0, index).find(({ keys }) => keys === entry.keys);
    return other === undefined || pinsOf(other) === pinsOf(entry)
      ? []
      : [
          `ita.issuers: ${other.issuer} and ${entry.issuer} have the same keys but not the same policyIds and roots, so a token that one refuses may be accepted under the other name`,
        ];
  });
}

/** A slip of the pen would leave out the region that was meant, and nobody would notice before its tokens are refused. */
function regionWarnings({ shared, issuers }: MaaConfiguration): readonly string[] {
  const regions = typeof shared === 'boolean' ? [] : shared;
  return [
    ...regions.flatMap((region, index) =>
      isKnownRegion(region) ? [] : [unknownRegion(`maa.shared[${index}]`, region, sharedProvider(region))],
    ),
    // With a policyHash it is the policy that is trusted, whoever owns the instance.
    ...issuers.flatMap(({ issuer, policyHash }, index) => {
      const region = policyHash === null ? unknownRegionOf(issuer) : null;
      return region === null ? [] : [unknownRegion(`maa.issuers[${index}]`, region, issuer)];
    }),
  ];
}

function unknownRegion(place: string, region: string, provider: string): string {
  return `${place}: this version does not know the region ${region}; tokens of ${provider} are accepted all the same, so check that the provider is Microsoft's`;
}
