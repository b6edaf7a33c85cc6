type Abbreviations = Readonly<Record<string, string>>;

/**
 * Abbreviations of the regions whose shared providers are accepted by default, by region names of Azure Resource
 * Manager. Microsoft's release policies for confidential VMs name these regions.
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
 * on 2026-11-26. They count only if the operator names them: a region may have no shared provider, so that its name is free.
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

/** The abbreviation of a region by its full name, such as `westeurope`; null for an unknown name. */
export function regionNamed(name: string): string | null {
  return Object.hasOwn(ABBREVIATIONS, name) ? (ABBREVIATIONS[name] ?? null) : null;
}

/** Test slots are no regions: their tokens have valid signatures, but contain test values. */
const TEST_SLOT = /^test/;
/** The form of Azure Attestation's abbreviations: `weu`, `eus2`, `eus2e`. Full names (`eastus`) are longer. */
const REGION = /^[a-z]{2,5}(?:\d[a-z]?)?$/;
/** Host of a shared provider, in the public cloud or a sovereign one. */
const SHARED_PROVIDER = /^https:\/\/shared([a-z0-9]+)\.\1\.attest\.azure\.(?:net|us|cn)$/;

const KNOWN_REGIONS: ReadonlySet<string> = new Set(Object.values(ABBREVIATIONS));

export function isKnownRegion(region: string): boolean {
  return KNOWN_REGIONS.has(region);
}

/** Whether a text has the form of a region's abbreviation. The region need not exist. */
export function isRegionShaped(region: string): boolean {
  return !TEST_SLOT.test(region) && REGION.test(region);
}

/** Issuer of the shared provider of a region of the public cloud. */
export function sharedProvider(region: string): string {
  return `https://shared${region}.${region}.attest.azure.net`;
}

/**
 * Returns the region of a shared provider in the public cloud, if that region is unknown; else
 * null. For sovereign clouds there is no list of regions.
 */
export function unknownRegionOf(issuer: string): string | null {
  const region = isNamedLikeSharedProvider(issuer) ? SHARED_PROVIDER.exec(issuer)?.[1] : undefined;
  if (region === undefined || issuer !== sharedProvider(region)) return null;
  return isKnownRegion(region) ? null : region;
}

/** Whether an issuer has the name of a shared provider of any cloud, in a known or unknown region. */
export function isNamedLikeSharedProvider(issuer: string): boolean {
  const region = SHARED_PROVIDER.exec(issuer)?.[1];
  return region !== undefined && isRegionShaped(region);
}
