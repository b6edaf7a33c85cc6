import { describe, expect, it } from 'vitest';
import { unlessAborted } from '../../../src/outside/bounded-signal.js';
import { NO_ROOM } from '../../../src/outside/fetch-error.js';
import { KeptAttempts, SingleFlight } from '../../../src/outside/shared-attempts.js';

const never = () => new AbortController().signal;
const expired = () => new Error('expired');

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('SingleFlight', () => {
  it('lets callers of one key share one attempt, and of two keys not', async () => {
    const flights = new SingleFlight<string>();
    const started: string[] = [];
    const start = (key: string) => async () => {
      started.push(key);
      await Promise.resolve();
      return key;
    };
    const calls = ['a', 'b', 'a', 'a', 'b'].map((key) => flights.run(key, never(), start(key), expired));
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'a', 'a', 'b']);
    expect(started).toEqual(['a', 'b']);
  });

  it.each([
    ['no_time', AbortSignal.abort()],
    ['no_room', AbortSignal.abort(NO_ROOM)],
  ])('begins nothing where the signal has ended before: %s', async (fault, ended) => {
    let started = 0;
    const start = async () => String(++started);
    await expect(new SingleFlight().run('a', ended, start, expired)).rejects.toMatchObject({ fault });
    expect(started).toBe(0);
  });

  it('tells whether an attempt is under way', async () => {
    const flights = new SingleFlight<string>();
    const attempt = withResolvers<string>();
    const call = flights.run('a', never(), () => attempt.promise, expired);
    expect([flights.isUnderWay('a'), flights.isUnderWay('b')]).toEqual([true, false]);
    attempt.resolve('done');
    await call;
    expect(flights.isUnderWay('a')).toBe(false);
  });

  it('starts anew once an attempt has ended, also after a failure', async () => {
    const flights = new SingleFlight<string>();
    await expect(flights.run('a', never(), () => Promise.reject(new Error('down')), expired)).rejects.toThrow('down');
    expect(await flights.run('a', never(), async () => 'up', expired)).toBe('up');
  });

  it('lets one caller leave at its own deadline while the others go on waiting', async () => {
    const flights = new SingleFlight<string>();
    const attempt = withResolvers<string>();
    const seen: AbortSignal[] = [];
    const start = (signal: AbortSignal) => {
      seen.push(signal);
      return attempt.promise;
    };
    const hurried = new AbortController();
    const leaving = flights.run('a', hurried.signal, start, expired);
    const staying = flights.run('a', never(), start, expired);
    hurried.abort();
    await expect(leaving).rejects.toThrow('expired');
    expect(seen.map((signal) => signal.aborted)).toEqual([false]);
    attempt.resolve('late');
    expect(await staying).toBe('late');
  });

  it('ends the attempt when the last caller has left', async () => {
    const flights = new SingleFlight<string>();
    const seen: AbortSignal[] = [];
    const start = (signal: AbortSignal) => {
      seen.push(signal);
      return new Promise<string>(() => {});
    };
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [first, second].map(({ signal }) => flights.run('a', signal, start, expired));
    first.abort();
    await expect(calls[0]).rejects.toThrow('expired');
    expect(seen[0]?.aborted).toBe(false);
    second.abort();
    await expect(calls[1]).rejects.toThrow('expired');
    expect(seen[0]?.aborted).toBe(true);
  });
});

describe('KeptAttempts', () => {
  const WANTED = { signal: new AbortController().signal };
  const open = (limitMs = 20_000) => new KeptAttempts<string>(limitMs);

  it('goes on when all who wait have left, and gives its result to who comes then', async () => {
    const attempts = open();
    const leaving = new AbortController();
    let started = 0;
    let end: (result: string) => void = () => {};
    const start = () => {
      started += 1;
      return new Promise<string>((resolve) => {
        end = resolve;
      });
    };
    const left = attempts.run('key', { signal: leaving.signal }, start);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ fault: 'aborted' });
    const next = attempts.run('key', WANTED, start);
    end('result');
    expect(await next).toBe('result');
    expect(started).toBe(1);
  });

  it('has Node warn of no leak where many are under way', async () => {
    const warnings: Error[] = [];
    const hear = (warning: Error) => warnings.push(warning);
    process.on('warning', hear);
    const attempts = open();
    const all = Array.from({ length: 64 }, (_, index) =>
      attempts.run(`${index}`, { signal: new AbortController().signal }, (signal) =>
        unlessAborted(new Promise<string>(() => {}), signal),
      ),
    );
    await new Promise(setImmediate);
    process.off('warning', hear);
    await Promise.all([attempts.close(), Promise.allSettled(all)]);
    expect(warnings).toEqual([]);
  });

  it('begins anew after one has ended, also where it failed', async () => {
    const attempts = open();
    await expect(attempts.run('key', WANTED, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await attempts.run('key', WANTED, async () => 'result')).toBe('result');
  });

  it.each([
    ['its time is over', async () => open(1)],
    [
      'all are closed',
      async () => {
        const attempts = open();
        setImmediate(() => void attempts.close());
        return attempts;
      },
    ],
  ])('ends an attempt when %s', async (_when, opened) => {
    const attempts = await opened();
    const start = (signal: AbortSignal) =>
      new Promise<string>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('ended')));
      });
    await expect(attempts.run('key', WANTED, start)).rejects.toThrow('ended');
  });

  it('begins nothing for who has no time left', async () => {
    const start = () => Promise.reject(new Error('begun'));
    const late = open().run('key', { ...WANTED, signal: AbortSignal.abort() }, start);
    await expect(late).rejects.toMatchObject({ fault: 'no_time' });
  });
});
