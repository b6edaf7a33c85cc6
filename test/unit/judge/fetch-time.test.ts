import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FetchTime } from '../../../src/judge/fetch-time.js';

describe('time for fetching', () => {
  it('is one signal, open until the request is over', () => {
    const time = new FetchTime(60_000);
    const { signal } = time;
    expect(time.signal).toBe(signal);
    expect(signal.aborted).toBe(false);
    time.end();
    expect(signal.aborted).toBe(true);
  });

  it('has passed for whoever asks after the request is over', () => {
    const time = new FetchTime(60_000);
    time.end();
    expect(time.signal.aborted).toBe(true);
  });

  it('counts from the beginning of the request, not from the first fetch', async () => {
    const time = new FetchTime(10);
    await sleep(20);
    const { signal } = time;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    expect(signal.aborted).toBe(true);
    time.end();
  });
});
