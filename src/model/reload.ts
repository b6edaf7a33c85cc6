/** What came of reading a part of what the configuration names again. */
export interface PartOutcome {
  /** Its name, for people, and as a label of metrics. */
  readonly name: string;
  /** Whether what was read can be used. Where not, the log says why. */
  readonly isFit: boolean;
}

/** A part that was read again, and is not in force yet. */
export interface PreparedPart extends PartOutcome {
  /**
   * Puts it in force, at once. Where it is not fit, what was in force stays.
   * @throws {Error} where it cannot be put there; nothing has changed then
   */
  readonly commit: () => void;
  /** Drops it: what was in force stays. */
  discard?(): Promise<void>;
}

/** A part that could not be read, or not be used. */
export function unfitPart(name: string): PreparedPart {
  return { name, isFit: false, commit: () => {} };
}
