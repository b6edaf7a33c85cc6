import { describe, expect, it } from 'vitest';
import { SingleFlight } from '../../../src/outgoing/shared-attempts.js';

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

  it('starts nothing for a caller whose time is over', async () => {
    const flights = new SingleFlight<string>();
    let started = 0;
    const start = async () => String(++started);
    await expect(flights.run('a', AbortSignal.abort(), start, expired)).rejects.toThrow('expired');
    expect(started).toBe(0);
  });
});
