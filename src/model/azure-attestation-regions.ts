/**
 * Regions whose shared providers of Azure Attestation are known (maa.md, Shared providers). Test slots are none: their
 * tokens are signed alike and say what a test wants.
 */
export const SHARED_REGIONS = [
  'eus',
  'eus2',
  'scus',
  'ncus',
  'cus',
  'cuse',
  'eus2e',
  'cae',
  'cac',
  'wus',
  'neu',
  'weu',
  'sasia',
  'easia',
  'uks',
  'ukw',
  'eau',
  'sau',
  'jpe',
  'jpw',
  'san',
  'swn',
  'sbr',
  'uaen',
  'itn',
  'cin',
] as const;

/** Issuer of the shared provider of a region. */
export function sharedProvider(region: string): string {
  return `https://shared${region}.${region}.attest.azure.net`;
}
