/** The result of reloading a part of the configuration. */
export interface PartOutcome {
  /** Its name, for people, and as a label of metrics. */
  readonly name: string;
  /** Whether what was read is in force. Where not, what was before is, and the log says why. */
  readonly isTaken: boolean;
}
