/** Intel's words for the TCB status of a TD (Intel PCS v4, TDX TCB Info), except `Revoked`, which is never accepted. */
export const TDX_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'TDRelaunchAdvised',
  'TDRelaunchAdvisedConfigurationNeeded',
] as const;
export type TdxStatus = (typeof TDX_STATUSES)[number];

export const UP_TO_DATE: TdxStatus = 'UpToDate';

/** Whether a text is one of these words, letter for letter. */
export function isTdxStatus(word: unknown): word is TdxStatus {
  return TDX_STATUSES.some((status) => status === word);
}
