const NOT_OUT_OF_DATE: ReadonlySet<string> = new Set([
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
]);
const OUT_OF_DATE: ReadonlySet<string> = new Set(['OutOfDate', 'OutOfDateConfigurationNeeded']);

/** Words that a level of a platform may have, and those of module and QE. */
const PLATFORM_WORDS: ReadonlySet<string> = new Set([...NOT_OUT_OF_DATE, ...OUT_OF_DATE, 'Revoked']);
const PART_WORDS: ReadonlySet<string> = new Set(['UpToDate', 'OutOfDate', 'Revoked']);

const CONFIGURATION_NEEDED: ReadonlySet<string> = new Set([
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDateConfigurationNeeded',
]);

/** Statuses of the levels that a quote reached, which also decide whether a relaunch of the TD may do. */
export interface RelaunchStatuses {
  readonly platform: string;
  /** Null where modules have no levels. */
  readonly module: string | null;
  readonly qe: string;
  /** The status of the first level that the PCK certificate reaches, regardless of the TDX components. */
  readonly sgx: string;
}

/**
 * The first status that Intel does not define for its place; null where all are defined. The status of the SGX-only level
 * is also checked, although only the relaunch rule uses it: the effect of an undefined status is unknown.
 */
export function unknownWord({ platform, sgx, module, qe }: RelaunchStatuses): string | null {
  const ofPlatform = [platform, sgx].find((word) => !PLATFORM_WORDS.has(word));
  return ofPlatform ?? [module, qe].find((word) => word !== null && !PART_WORDS.has(word)) ?? null;
}

/** A platform's status with that of the module or the QE (Intel DCAP Quote Verification Library). */
export function merge(platform: string, part: string | null): string {
  if (part === 'Revoked') return 'Revoked';
  if (part !== 'OutOfDate') return platform;
  if (platform === 'UpToDate' || platform === 'SWHardeningNeeded') return 'OutOfDate';
  return CONFIGURATION_NEEDED.has(platform) ? 'OutOfDateConfigurationNeeded' : platform;
}

/**
 * Whether nothing but the module that the TD was launched under is out of date (Intel DCAP Quote Verification Library,
 * TD relaunch).
 */
export function isModuleAloneOutOfDate({ platform, module, qe, sgx }: RelaunchStatuses): boolean {
  const launched = merge(platform, module);
  return qe === 'UpToDate' && NOT_OUT_OF_DATE.has(sgx) && OUT_OF_DATE.has(launched) && module === 'OutOfDate';
}

/** The merged status of a TD whose relaunch would make it current. */
export function relaunchStatus({ platform, module, sgx }: RelaunchStatuses): string {
  const configuration = CONFIGURATION_NEEDED.has(sgx) || CONFIGURATION_NEEDED.has(merge(platform, module));
  return configuration ? 'TDRelaunchAdvisedConfigurationNeeded' : 'TDRelaunchAdvised';
}
