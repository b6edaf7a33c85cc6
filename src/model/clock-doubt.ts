import { RefusedError } from './errors.js';

/** Why the clock cannot be relied on now. */
export interface ClockDoubt {
  /** One sentence for people. */
  readonly detail: string;
  readonly retryAfterSeconds: number;
}

/** The clock that credentials are held against. */
export interface CredentialClock {
  /** The highest time that held; while the clock can be relied on, no earlier than now. What had ended by then stays ended. */
  highest(): Date;
  /** Null: the clock can be relied on. */
  doubt(): ClockDoubt | null;
}

/** @throws {RefusedError} `clock` while the clock cannot be relied on */
export function requireReliable(clock: Pick<CredentialClock, 'doubt'>): void {
  const doubt = clock.doubt();
  if (doubt !== null) throw new RefusedError('clock', doubt.detail, { retryAfterSeconds: doubt.retryAfterSeconds });
}
