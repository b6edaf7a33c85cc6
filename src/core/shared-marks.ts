/** Rollback marks that replicas share. A mark is its text: a number, a space and a time where it has one, and a line feed. */
export interface SharedMarks {
  /** Counts up when marks have to be asked for again, since the store did not answer or may lack some. */
  readonly changes: number;
  /**
   * Raises a mark to one of this process, unless a higher one is there. Of what goes wrong, it has told the log.
   *
   * @param name of the series, with the host of its source
   * @param text null: there is none, and only that of the store is asked for
   * @returns the mark that is there now; null where there is none, or the store is out of reach
   */
  raise(name: string, text: string | null): Promise<string | null>;
}
