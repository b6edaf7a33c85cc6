/** Number of resets of a TPM, and of restarts or resumes since (TPM 2.0 part 1, 36.3). */
export interface ResetCounts {
  readonly resetCount: number;
  readonly restartCount: number;
}

/** Whether counts are of an earlier moment. A reset clears `restartCount`, so it is only compared for equal `resetCount`. */
export function isBehind(counts: ResetCounts, other: ResetCounts): boolean {
  if (counts.resetCount !== other.resetCount) return counts.resetCount < other.resetCount;
  return counts.restartCount < other.restartCount;
}

/** The earlier counts of a vTPM when its quote is appraised. */
export type RememberedResets =
  /** No quote of this vTPM was allowed before, or it was forgotten. */
  | { readonly state: 'none' }
  | { readonly state: 'remembered'; readonly counts: ResetCounts }
  /** The verification time is in the past, but the memory has the current counts. */
  | { readonly state: 'not consulted' }
  | { readonly state: 'unavailable'; readonly detail: string; readonly retryable: boolean };

/**
 * The highest allowed counts of each vTPM, by the thumbprint of its attestation key. They never decrease.
 * It logs its errors before it throws them.
 */
export interface ResetMemory {
  /**
   * Returns null if there is no entry.
   * @throws {UnfitError} if the entry is damaged
   * @throws {Error} if it cannot be read
   */
  highest(akThumbprint: string): Promise<ResetCounts | null>;
  /**
   * Records counts. Lower counts change nothing. Calls for one vTPM run one after the other.
   *
   * @returns the highest counts, including these, once they are stored
   * @throws {UnfitError} if the entry is damaged; it stays unchanged
   * @throws {Error} if it can neither be read nor written
   */
  advance(akThumbprint: string, counts: ResetCounts): Promise<ResetCounts>;
}

/** Finds the AK thumbprint of `namingVtpm` in the detail of a check. */
export const AK_IN_DETAIL = /\(AK thumbprint ([\w-]+)\)$/;

/** Adds the name of the vTPM in the memory, so that the operator finds its file: not all evidence has claims of the key. */
export function namingVtpm(akThumbprint: string | undefined, detail: string): string {
  return akThumbprint === undefined ? detail : `${detail} (AK thumbprint ${akThumbprint})`;
}
