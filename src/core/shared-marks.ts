/** Rollback marks that replicas share. A mark is a text: a number, optionally a space and a time, and a line feed. */
export interface SharedMarks {
  /** Increases when marks must be read again, since the store was unreachable or may lack some. */
  readonly changes: number;
  /**
   * Raises a mark to that of this process, unless a higher one is stored. Failures are logged.
   *
   * @param name of the series, with the host of its source
   * @param text null: this process has none, and only reads that of the store
   * @returns the stored mark; null if there is none, or the store is unreachable
   */
  raise(name: string, text: string | null): Promise<string | null>;
}
