import type { Clock, Log } from '../core/ports.js';
import type { ReadinessCheck } from '../judge/health.js';
import type { PostgresServer } from '../stores/postgres/connection.js';

/** Largest accepted clock difference. With a larger one, challenge lifetimes and record times mislead operators. */
const FARTHEST_MS = 5000;
const LOOK_EVERY_MS = 10_000;

/** Checks that the clocks of a database and of this process agree. Starts a new measurement at intervals. */
export function storeClockCheck(
  server: Pick<PostgresServer, 'measureClock' | 'clockOffsetMs'>,
  clock: Pick<Clock, 'monotonicMs'>,
  log: Log,
): ReadinessCheck {
  let [nextLook, isTold] = [Number.NEGATIVE_INFINITY, false];
  return async () => {
    if (clock.monotonicMs() >= nextLook) {
      nextLook = clock.monotonicMs() + LOOK_EVERY_MS;
      // Not awaited. The check of challenges reports a database that does not answer.
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
