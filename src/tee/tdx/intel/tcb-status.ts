const NOT_OUT_OF_DATE: ReadonlySet<string> = new Set([
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
]);
const OUT_OF_DATE: ReadonlySet<string> = new Set(['OutOfDate', 'OutOfDateConfigurationNeeded']);

/** Statuses of a platform level, and of a module or QE level. */
const PLATFORM_WORDS: ReadonlySet<string> = new Set([...NOT_OUT_OF_DATE, ...OUT_OF_DATE, 'Revoked']);
const PART_WORDS: ReadonlySet<string> = new Set(['UpToDate', 'OutOfDate', 'Revoked']);

const CONFIGURATION_NEEDED: ReadonlySet<string> = new Set([
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDateConfigurationNeeded',
]);

/** Statuses of the levels that a quote reaches, the input of the relaunch rule. */
export interface RelaunchStatuses {
  readonly platform: string;
  /** Null for a module without levels. */
  readonly module: string | null;
  readonly qe: string;
  /** The status of the highest level that the PCK certificate reaches, without the TDX components. */
  readonly sgx: string;
}

/**
 * The first status that Intel does not define for its place; null if all are defined. Also checks the status of the
 * SGX-only level, although only the relaunch rule uses it, because the effect of an undefined status is unknown.
 */
export function unknownWord({ platform, sgx, module, qe }: RelaunchStatuses): string | null {
  const ofPlatform = [platform, sgx].find((word) => !PLATFORM_WORDS.has(word));
  return ofPlatform ?? [module, qe].find((word) => word !== null && !PART_WORDS.has(word)) ?? null;
}

/** Merges the status of the platform with that of the module or the QE (Intel DCAP Quote Verification Library). */
export function merge(platform: string, part: string | null): string {
  if (part === 'Revoked') return 'Revoked';
  if (part !== 'OutOfDate') return platform;
  if (platform === 'UpToDate' || platform === 'SWHardeningNeeded') return 'OutOfDate';
  return CONFIGURATION_NEEDED.has(platform) ? 'OutOfDateConfigurationNeeded' : platform;
}

/**
 * Whether only the module at the launch of the TD is out of date (Intel DCAP Quote Verification Library, TD relaunch).
 */
export function isModuleAloneOutOfDate({ platform, module, qe, sgx }: RelaunchStatuses): boolean {
  const launched = merge(platform, module);
  return qe === 'UpToDate' && NOT_OUT_OF_DATE.has(sgx) && OUT_OF_DATE.has(launched) && module === 'OutOfDate';
}

/** The merged status of a TD that a relaunch would update. */
export function relaunchStatus({ platform, module, sgx }: RelaunchStatuses): string {
  const configuration = CONFIGURATION_NEEDED.has(sgx) || CONFIGURATION_NEEDED.has(merge(platform, module));
  return configuration ? 'TDRelaunchAdvisedConfigurationNeeded' : 'TDRelaunchAdvised';
}
