import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StopSignals } from '../../../../src/app/reload/stop-signals.js';
import type { RunningService } from '../../../../src/app/service.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

const SIGNALS = ['SIGHUP', 'SIGTERM', 'SIGINT'] as const;

let log: RecordingLog;
let done: string[];
let signals: StopSignals;
/** Those of the test runner. */
let others: Map<(typeof SIGNALS)[number], readonly NodeJS.SignalsListener[]>;

const service: Pick<RunningService, 'reload' | 'close'> = {
  reload: async () => void done.push('reload'),
  close: async () => void done.push('close'),
};

beforeEach(() => {
  log = new RecordingLog();
  done = [];
  others = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal) as NodeJS.SignalsListener[]]));
  signals = new StopSignals();
});

afterEach(() => {
  for (const signal of SIGNALS) {
    const own = process.listeners(signal).filter((listener) => !others.get(signal)?.includes(listener as never));
    for (const listener of own) process.removeListener(signal, listener);
  }
});

/** Tells the listeners of this object alone. */
function send(signal: (typeof SIGNALS)[number]): void {
  for (const listener of process.listeners(signal)) {
    if (!others.get(signal)?.includes(listener as never)) (listener as NodeJS.SignalsListener)(signal);
  }
}

describe('StopSignals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops by a %s that came before the service was up', async (signal) => {
    send(signal);
    expect(done).toEqual([]);
    await signals.serve(service, log);
    expect(done).toEqual(['close']);
    expect(log.of(/^stopping$/)).toEqual([{ signal }]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    'ends a start that hangs by a second signal, %s with %i, and no service that is up',
    async (signal, code) => {
      const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
      try {
        send('SIGTERM');
        expect(exit).not.toHaveBeenCalled();
        send(signal);
        expect(exit.mock.calls).toEqual([[code]]);
        await signals.serve(service, log);
        expect(log.of(/^stopping$/)).toEqual([{ signal: 'SIGTERM' }]);
        send(signal);
        expect(exit).toHaveBeenCalledTimes(1);
      } finally {
        exit.mockRestore();
      }
    },
  );

  it('says so where reading again fails, and goes on', async () => {
    const stopped = signals.serve({ ...service, reload: () => Promise.reject(new Error('no')) }, log);
    send('SIGHUP');
    send('SIGTERM');
    await stopped;
    expect(log.of(/^reload failed$/)).toEqual([{ err: new Error('no') }]);
    expect(done).toEqual(['close']);
  });

  it('reads again, once, after a SIGHUP that came before the service was up', async () => {
    send('SIGHUP');
    send('SIGHUP');
    const stopped = signals.serve(service, log);
    expect(done).toEqual(['reload']);
    send('SIGTERM');
    await stopped;
    expect(done).toEqual(['reload', 'close']);
  });

  it('reads again at each SIGHUP, stops once, and does nothing more while it drains', async () => {
    const stopped = signals.serve(service, log);
    for (const signal of ['SIGHUP', 'SIGHUP', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const) send(signal);
    await stopped;
    expect(done).toEqual(['reload', 'reload', 'close']);
    expect(log.of(/^stopping$/)).toEqual([{ signal: 'SIGINT' }]);
  });
});
