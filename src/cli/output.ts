/** Where a command writes, and how. */
export interface Output {
  /** A table on a terminal; JSON otherwise, and with `--json`. */
  readonly asTable: boolean;
  write(text: string): void;
}
