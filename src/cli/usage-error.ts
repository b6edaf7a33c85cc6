/** What somebody typed cannot be used, or a file that they named. The lines are for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options: { cause?: unknown } = {}) {
    super(lines.join('; '), options.cause === undefined ? undefined : { cause: options.cause });
    this.lines = lines;
  }
}
