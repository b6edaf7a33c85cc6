import { RefusedError } from './errors.js';

/** Why the clock is unreliable now. */
export interface ClockDoubt {
  /** One sentence as message. */
  readonly detail: string;
  readonly retryAfterSeconds: number;
}

/** The clock that expiry times of credentials are compared with. */
export interface CredentialClock {
  /** The latest reliable time, which is now while the clock is reliable. A credential that had expired by then stays expired. */
  highest(): Date;
  /** Null: the clock is reliable. */
  doubt(): ClockDoubt | null;
}

/** @throws {RefusedError} `clock` while the clock is unreliable */
export function requireReliable(clock: Pick<CredentialClock, 'doubt'>): void {
  const doubt = clock.doubt();
  if (doubt !== null) throw new RefusedError('clock', doubt.detail, { retryAfterSeconds: doubt.retryAfterSeconds });
}
