/** How often a TPM was reset, and how often it was restarted or resumed since (TPM 2.0 part 1, 36.3). */
export interface ResetCounts {
  readonly resetCount: number;
  readonly restartCount: number;
}

/** Whether counts are of an earlier moment. A reset clears `restartCount`, which therefore counts at one `resetCount` only. */
export function isBehind(counts: ResetCounts, other: ResetCounts): boolean {
  if (counts.resetCount !== other.resetCount) return counts.resetCount < other.resetCount;
  return counts.restartCount < other.restartCount;
}

/** The earlier counts of a vTPM when its quote is appraised. */
export type RememberedResets =
  /** No quote of this vTPM was allowed before, or it was forgotten. */
  | { readonly state: 'none' }
  | { readonly state: 'remembered'; readonly counts: ResetCounts }
  /** The verification time is in the past, and the memory has the counts of today. */
  | { readonly state: 'not consulted' }
  | { readonly state: 'unavailable'; readonly detail: string; readonly retryable: boolean };

/**
 * The highest counts that were allowed of each vTPM, by the thumbprint of its attestation key. They only grow.
 * Of what it throws, it has told the log.
 */
export interface ResetMemory {
  /**
   * Null where nothing is remembered.
   * @throws {UnfitError} where what is kept is damaged
   * @throws {Error} where it cannot be read
   */
  highest(akThumbprint: string): Promise<ResetCounts | null>;
  /**
   * Notes counts. Lower ones change nothing. Calls for one vTPM take effect one after the other.
   *
   * @returns the highest counts, these included, once they are kept
   * @throws {UnfitError} where what is kept is damaged; it stays as it is
   * @throws {Error} where it can neither be read nor written
   */
  advance(akThumbprint: string, counts: ResetCounts): Promise<ResetCounts>;
}

/** Where the detail of a check has the AK thumbprint that `namingVtpm` wrote. */
export const AK_IN_DETAIL = /\(AK thumbprint ([\w-]+)\)$/;

/** Names the vTPM as the memory does, so that the operator finds its file: not all evidence has claims of the key. */
export function namingVtpm(akThumbprint: string | undefined, detail: string): string {
  return akThumbprint === undefined ? detail : `${detail} (AK thumbprint ${akThumbprint})`;
}
