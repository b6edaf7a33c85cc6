/** Gaps of the tests of a row. */
export interface ThreatGap {
  /** False: the row is about a capability that is not there. */
  readonly isBuilt: boolean;
  /** One sentence on what is missing. */
  readonly missing: string;
  /** Codes of the row that no test asserts, because of that. */
  readonly codes?: readonly string[];
}

/** Rows of the threat list that are not covered, or not whole. A row leaves this table once its tests show all of it. */
export const THREAT_GAPS: ReadonlyMap<string, ThreatGap> = new Map();
