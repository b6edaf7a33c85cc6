import { expect, it } from 'vitest';
import { storeClockCheck } from '../../../src/app/store-clock.js';
import { RecordingLog } from '../endorsements/recording-log.js';

it('a clock of the database that is off is in the log once when that begins, and once when it ends', async () => {
  const log = new RecordingLog();
  const server = { clockOffsetMs: 0, measureClock: async () => server.clockOffsetMs };
  const check = storeClockCheck(server, { monotonicMs: () => 0 }, log);
  const codes: (string | undefined)[] = [];
  for (const offset of [5000, -5001, -6000, 0.4, 0]) {
    server.clockOffsetMs = offset;
    codes.push((await check())?.code);
  }
  expect(codes).toEqual([undefined, 'clock', 'clock', undefined, undefined]);
  expect(log.entries).toEqual([
    { level: 'warn', message: 'the clock of the database is more than 5 seconds off', fields: { offsetMs: -5001 } },
    { level: 'info', message: 'the clock of the database is right again', fields: { offsetMs: 0 } },
  ]);
});
