/** The result of reloading a part of the configuration. */
export interface PartOutcome {
  /** Its name, in messages and as a label of metrics. */
  readonly name: string;
  /** Whether the new content is in use. Otherwise the previous one stays, and the log has the reason. */
  readonly isTaken: boolean;
}
