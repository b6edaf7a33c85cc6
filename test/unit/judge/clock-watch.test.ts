import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../../src/core/ports.js';
import { ClockWatch } from '../../../src/judge/clock-watch.js';
import { FakeLog } from './fakes.js';

const START = Date.parse('2026-06-01T00:00:00Z');
const HOUR = 3600;

/** Wall and monotonic time, in seconds since the start. */
let wall: number;
let monotonic: number;
let log: FakeLog;
let watch: ClockWatch;

const clock: Clock = { now: () => new Date(START + wall * 1000), monotonicMs: () => monotonic * 1000 };

beforeEach(() => {
  wall = 0;
  monotonic = 0;
  log = new FakeLog();
  watch = new ClockWatch(clock, log);
});

/** Time goes by for both, and is looked at each second: what a timer does. */
function run(seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    wall += 1;
    monotonic += 1;
    watch.doubt();
  }
}

/** The wall clock is set. */
function set(seconds: number): void {
  wall += seconds;
}

async function state(): Promise<{ readonly judges: boolean; readonly ready: boolean; readonly live: boolean }> {
  const judges = watch.doubt() === null;
  return { judges, ready: (await watch.check()) === null, live: (await watch.liveness.execute()).live };
}

const SOUND = { judges: true, ready: true, live: true };
const DOUBTED = { judges: false, ready: false, live: true };
const DEAD = { judges: false, ready: false, live: false };

describe('the highest time that held', () => {
  it('CLK-10 is the latest of an even clock, and that of before a jump', () => {
    const highest = () => (watch.highest().getTime() - START) / 1000;
    run(100);
    expect(highest()).toBe(100);
    set(-30);
    expect([highest(), watch.doubt()]).toEqual([100, null]);
    run(40);
    expect(highest()).toBe(110);
    set(-3 * 24 * HOUR);
    expect([highest(), watch.doubt() === null]).toEqual([110, false]);
    set(6 * 24 * HOUR);
    expect([highest(), watch.doubt() === null]).toEqual([110, false]);
  });
});

describe('a clock that runs evenly', () => {
  it('is relied on', async () => {
    run(2 * HOUR);
    expect(await state()).toEqual(SOUND);
    expect(log.lines).toEqual([]);
  });

  it.each([60, -60])('is relied on where it was set by %i seconds', async (seconds) => {
    run(10);
    set(seconds);
    expect(await state()).toEqual(SOUND);
  });

  it('says the time of the clock that it watches', () => {
    run(7);
    expect([watch.now(), watch.monotonicMs()]).toEqual([new Date(START + 7_000), 7_000]);
  });
});

describe('a forward jump', () => {
  it('FRS-10 leaves nothing judged until both have run together for 60 seconds; then the new time holds', async () => {
    run(10);
    set(61);
    expect(await state()).toEqual(DOUBTED);
    run(59);
    expect(await state()).toEqual(DOUBTED);
    run(1);
    expect(await state()).toEqual(SOUND);
    run(HOUR);
    expect(await state()).toEqual(SOUND);
  });

  it('FRS-10 that nobody asked about meanwhile is over as soon', async () => {
    set(3 * HOUR);
    expect(await state()).toEqual(DOUBTED);
    wall += 60;
    monotonic += 60;
    expect(await state()).toEqual(SOUND);
  });

  it('begins anew where the clock jumps again', async () => {
    set(HOUR);
    run(50);
    set(HOUR);
    run(59);
    expect(await state()).toEqual(DOUBTED);
    run(2);
    expect(await state()).toEqual(SOUND);
  });

  it('that is taken back is not waited for: only time that held counts', async () => {
    run(10);
    set(365 * 24 * HOUR);
    run(5);
    set(-365 * 24 * HOUR);
    expect(await state()).toEqual(DOUBTED);
    run(61);
    expect(await state()).toEqual(SOUND);
  });

  it('never ends the process, however long it lasts', async () => {
    for (let round = 0; round < 40; round++) {
      set(HOUR);
      run(30);
    }
    expect(await state()).toEqual(DOUBTED);
  });

  it('is told with the time until it may be asked again', () => {
    set(HOUR);
    expect(watch.doubt()).toEqual({
      detail: 'the clock of the service jumped: verification resumes once it has been steady for a minute',
      retryAfterSeconds: 60,
    });
    run(45);
    expect(watch.doubt()).toMatchObject({ retryAfterSeconds: 15 });
  });
});

describe('a machine that was paused', () => {
  it('FRS-10 recovers by itself where monotonic time stood still', async () => {
    run(10);
    set(75);
    expect(await state()).toEqual(DOUBTED);
    run(61);
    expect(await state()).toEqual(SOUND);
  });

  it('FRS-10 is none that jumped where monotonic time went on', async () => {
    run(10);
    wall += 75;
    monotonic += 75;
    expect(await state()).toEqual(SOUND);
    expect(log.lines).toEqual([]);
  });

  it('recovers by itself where wall time stood still, once that passes the highest seen', async () => {
    run(10);
    monotonic += 75;
    expect(await state()).toEqual(DOUBTED);
    run(1);
    expect(await state()).toEqual(SOUND);
  });
});

describe('a backward jump', () => {
  it('FRS-10 leaves nothing judged until wall time passes the highest seen', async () => {
    run(10);
    set(-6 * HOUR);
    expect(await state()).toEqual(DOUBTED);
    run(6 * HOUR);
    expect(watch.doubt()).not.toBeNull();
    run(1);
    expect(await state()).toEqual(SOUND);
  });

  it('FRS-10 ends the process after ten minutes of it', async () => {
    run(10);
    set(-6 * HOUR);
    expect(await state()).toEqual(DOUBTED);
    run(599);
    expect(await state()).toEqual(DOUBTED);
    run(1);
    expect(await state()).toEqual(DEAD);
    expect((await watch.liveness.execute()).problems).toEqual([
      { code: 'clock', reason: 'the clock was set back, and has not caught up for ten minutes' },
    ]);
  });

  it('is over at once where the clock is put right', async () => {
    run(10);
    set(-6 * HOUR);
    run(30);
    set(6 * HOUR);
    expect(await state()).toEqual(SOUND);
  });

  it('that ends in a forward jump is over when both have run together', async () => {
    run(10);
    set(-6 * HOUR);
    run(30);
    set(9 * HOUR);
    run(59);
    expect(await state()).toEqual(DOUBTED);
    run(2);
    expect(await state()).toEqual(SOUND);
  });

  it('after a forward one counts from the time that held since', async () => {
    set(HOUR);
    run(61);
    expect(await state()).toEqual(SOUND);
    set(-HOUR);
    expect(await state()).toEqual(DOUBTED);
    run(HOUR - 1);
    expect(watch.doubt()).not.toBeNull();
    run(2);
    expect(await state()).toEqual(SOUND);
  });

  it('is told with the time until it may be asked again, at most a minute', () => {
    run(10);
    set(-6 * HOUR);
    expect(watch.doubt()).toEqual({
      detail: 'the clock of the service was set back: nothing is judged until it passes the latest time seen',
      retryAfterSeconds: 60,
    });
    run(6 * HOUR - 20);
    expect(watch.doubt()).toMatchObject({ retryAfterSeconds: 21 });
  });
});

describe('time that holds', () => {
  it('FRS-10 is never more than a minute behind the latest that held, however the clock is set', () => {
    const step = fc.record({ runs: fc.integer({ min: 0, max: 90 }), set: fc.integer({ min: -130, max: 130 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const [wallBefore, monotonicBefore] = [wall, monotonic];
        const watched = new ClockWatch(clock, log);
        let latest = wall;
        for (const { runs, set: seconds } of steps) {
          wall += runs + seconds;
          monotonic += runs;
          if (watched.doubt() !== null) continue;
          expect(latest - wall).toBeLessThanOrEqual(60);
          latest = Math.max(latest, wall);
        }
        [wall, monotonic] = [wallBefore, monotonicBefore];
      }),
    );
  });

  it('FRS-10 does not go back by two minutes after a step forward that was not adopted yet', async () => {
    set(59);
    expect(await state()).toEqual(SOUND);
    set(-118);
    expect(await state()).toEqual(DOUBTED);
    run(120);
    expect(await state()).toEqual(SOUND);
  });

  it('FRS-10 is counted from the latest that held, whatever small steps back were looked at since', async () => {
    run(10);
    set(-50);
    expect(await state()).toEqual(SOUND);
    set(-50);
    expect(await state()).toEqual(DOUBTED);
    run(100);
    expect(await state()).toEqual(DOUBTED);
    run(1);
    expect(await state()).toEqual(SOUND);
  });
});

describe('small steps', () => {
  it('forward do not add up, where the clock runs evenly between them', async () => {
    for (let step = 0; step < 20; step++) {
      set(20);
      run(61);
    }
    expect(await state()).toEqual(SOUND);
  });

  it('forward add up where it does not', async () => {
    for (let step = 0; step < 4; step++) {
      set(20);
      run(5);
    }
    expect(await state()).toEqual(DOUBTED);
  });

  it('backward add up: a host cannot stop the clock by many of them', async () => {
    for (let step = 0; step < 3; step++) {
      run(61);
      set(-20);
    }
    expect(await state()).toEqual(SOUND);
    run(61);
    set(-20);
    expect(await state()).toEqual(DOUBTED);
  });
});

describe('the log', () => {
  it('says once when it begins and once when it ends, with the seconds', () => {
    run(10);
    set(-100);
    run(90);
    expect(log.lines).toEqual([
      {
        level: 'warn',
        fields: { jumpSeconds: -100 },
        message: 'the clock jumped: nothing is judged until it can be relied on again',
      },
    ]);
    run(30);
    expect(log.lines.slice(1)).toEqual([
      {
        level: 'warn',
        fields: { jumpSeconds: -100 },
        message: 'the clock is stable again: verification resumes',
      },
    ]);
  });

  it('says readiness what the jump is', async () => {
    set(-6 * HOUR);
    expect(await watch.check()).toEqual({ code: 'clock', reason: 'the clock has jumped by -21600 seconds' });
  });
});

describe('while nobody asks', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('FRS-10 the clock is looked at each second, until it is closed', async () => {
    watch.watch();
    set(HOUR);
    vi.advanceTimersByTime(1_000);
    expect(log.lines).toHaveLength(1);
    wall += 60;
    monotonic += 60;
    vi.advanceTimersByTime(1_000);
    expect(log.lines).toHaveLength(2);
    watch.close();
    set(HOUR);
    vi.advanceTimersByTime(60_000);
    expect(log.lines).toHaveLength(2);
  });
});
