/** Ports to the world that more than one room needs. */

export interface Clock {
  /** The service's own time. A guest's clock is never an input. */
  now(): Date;
  /** Milliseconds that only ever grow, for measuring. */
  monotonicMs(): number;
}

/** What a process of the service knows of the time: both in milliseconds since 1970. */
export interface HeldTime {
  /** What wall time should be now. */
  readonly expected: number;
  /** The highest that held. */
  readonly highest: number;
}

/** Structured log. Fields are data; messages are lower case and constant. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}
