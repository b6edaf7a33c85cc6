/** What became of a file or folder that was read again. */
export interface ReloadOutcome {
  /** What to call it, for people. */
  readonly name: string;
  /** Whether what it holds now is in force. Where not, what it held before is, and the log says why. */
  readonly isTaken: boolean;
}
