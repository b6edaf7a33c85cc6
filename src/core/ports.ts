/** External dependencies that several rooms share. */

export interface Clock {
  /** The service's own time. A guest's clock is never an input. */
  now(): Date;
  /** Milliseconds that only ever grow, for measuring. */
  monotonicMs(): number;
}

/** Structured log. Fields are data; messages are lower case and constant. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}
