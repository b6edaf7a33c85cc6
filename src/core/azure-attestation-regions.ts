type Abbreviations = Readonly<Record<string, string>>;

/**
 * Abbreviations of the regions whose shared providers are accepted by default, by the names that Azure Resource Manager
 * has for regions: those that Microsoft's release policies for confidential VMs name.
 */
const SHARED: Abbreviations = {
  eastus: 'eus',
  eastus2: 'eus2',
  southcentralus: 'scus',
  northcentralus: 'ncus',
  centralus: 'cus',
  centraluseuap: 'cuse',
  eastus2euap: 'eus2e',
  canadaeast: 'cae',
  canadacentral: 'cac',
  westus: 'wus',
  northeurope: 'neu',
  westeurope: 'weu',
  southeastasia: 'sasia',
  eastasia: 'easia',
  uksouth: 'uks',
  ukwest: 'ukw',
  australiaeast: 'eau',
  australiasoutheast: 'sau',
  japaneast: 'jpe',
  japanwest: 'jpw',
  southafricanorth: 'san',
  switzerlandnorth: 'swn',
  brazilsouth: 'sbr',
  uaenorth: 'uaen',
  italynorth: 'itn',
  centralindia: 'cin',
};

export const SHARED_REGIONS = Object.values(SHARED);

/**
 * All abbreviations. The others come from the endpoint table of Microsoft's guest attestation SDK and another public list, both read
 * on 2026-11-26. They count where the operator names them: a region may have no shared provider, and then its name is free.
 */
const ABBREVIATIONS: Abbreviations = {
  ...SHARED,
  australiacentral: 'cau',
  brazilsoutheast: 'sebr',
  francecentral: 'frc',
  francesouth: 'frs',
  germanynorth: 'den',
  germanywestcentral: 'dewc',
  israelcentral: 'ilc',
  koreacentral: 'krc',
  koreasouth: 'krs',
  norwayeast: 'noe',
  norwaywest: 'now',
  polandcentral: 'plc',
  southafricawest: 'saw',
  southindia: 'sin',
  spaincentral: 'esc',
  swedencentral: 'sec',
  swedensouth: 'ses',
  switzerlandwest: 'sww',
  uaecentral: 'uaec',
  westcentralus: 'wcus',
  westindia: 'win',
  westus2: 'wus2',
  westus3: 'wus3',
};

/** The abbreviation of a region that is named in full, such as `westeurope`; null where no region has that name. */
export function regionNamed(name: string): string | null {
  return Object.hasOwn(ABBREVIATIONS, name) ? (ABBREVIATIONS[name] ?? null) : null;
}

/** Test slots are no regions: their tokens are signed alike and say what a test wants. */
const TEST_SLOT = /^test/;
/** How Azure Attestation abbreviates regions: `weu`, `eus2`, `eus2e`. Their names in full (`eastus`) are longer. */
const REGION = /^[a-z]{2,5}(?:\d[a-z]?)?$/;
/** Host of a shared provider, in the public cloud or a sovereign one. */
const SHARED_PROVIDER = /^https:\/\/shared([a-z0-9]+)\.\1\.attest\.azure\.(?:net|us|cn)$/;

const KNOWN_REGIONS: ReadonlySet<string> = new Set(Object.values(ABBREVIATIONS));

export function isKnownRegion(region: string): boolean {
  return KNOWN_REGIONS.has(region);
}

/** Whether a text has the shape of a region's abbreviation. There need not be such a region. */
export function isRegionShaped(region: string): boolean {
  return !TEST_SLOT.test(region) && REGION.test(region);
}

/** Issuer of the shared provider of a region of the public cloud. */
export function sharedProvider(region: string): string {
  return `https://shared${region}.${region}.attest.azure.net`;
}

/**
 * The region of which an issuer would be the shared provider in the public cloud, where that region is not known; else
 * null. Of sovereign clouds there is no list of regions to look in.
 */
export function unknownRegionOf(issuer: string): string | null {
  const region = isNamedLikeSharedProvider(issuer) ? SHARED_PROVIDER.exec(issuer)?.[1] : undefined;
  if (region === undefined || issuer !== sharedProvider(region)) return null;
  return isKnownRegion(region) ? null : region;
}

/** Whether an issuer is named like the shared provider of a region of any cloud, known or not. */
export function isNamedLikeSharedProvider(issuer: string): boolean {
  const region = SHARED_PROVIDER.exec(issuer)?.[1];
  return region !== undefined && isRegionShaped(region);
}
