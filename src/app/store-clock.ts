import type { Clock, Log } from '../core/ports.js';
import type { ReadinessCheck } from '../judge/health.js';
import type { PostgresServer } from '../stores/postgres/connection.js';

/** Beyond this, lifetimes of challenges and times of records are not what operators think they are. */
const FARTHEST_MS = 5000;
const LOOK_EVERY_MS = 10_000;

/** Whether the clock of a database and that of this process agree. Looks again from time to time, also where nobody else asks. */
export function storeClockCheck(
  server: Pick<PostgresServer, 'measureClock' | 'clockOffsetMs'>,
  clock: Pick<Clock, 'monotonicMs'>,
  log: Log,
): ReadinessCheck {
  let [nextLook, isTold] = [Number.NEGATIVE_INFINITY, false];
  return async () => {
    if (clock.monotonicMs() >= nextLook) {
      nextLook = clock.monotonicMs() + LOOK_EVERY_MS;
      // Nobody waits for it. A database that does not answer is for the check of challenges.
      server.measureClock().catch(() => undefined);
    }
    const offsetMs = Math.round(server.clockOffsetMs);
    const isOff = Math.abs(offsetMs) > FARTHEST_MS;
    if (isOff && !isTold) log.warn({ offsetMs }, 'the clock of the database is more than 5 seconds off');
    if (!isOff && isTold) log.info({ offsetMs }, 'the clock of the database is right again');
    isTold = isOff;
    return isOff ? { code: 'clock', reason: 'the clock of the database is more than 5 seconds off' } : null;
  };
}
