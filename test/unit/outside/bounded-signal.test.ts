import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { underBound } from '../../../src/outside/bounded-signal.js';

const untilAborted = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });

describe('underBound', () => {
  it('aborts after its time, also where garbage is collected meanwhile', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const outers = Array.from({ length: 50 }, () => new AbortController());
    const bounds = outers.map(({ signal }) => underBound(signal, 100, untilAborted));
    for (let turn = 0; turn < 5; turn++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(bounds);
    expect(outers.filter(({ signal }) => signal.aborted)).toEqual([]);
  });

  it('aborts with the other signal, for its reason', async () => {
    const outer = new AbortController();
    const bound = underBound(outer.signal, 60_000, untilAborted);
    outer.abort('over');
    expect(await bound).toBe('over');
    expect(await underBound(AbortSignal.abort('over already'), 60_000, untilAborted)).toBe('over already');
  });

  it('gives what was run, or its error, and leaves no listener', async () => {
    const outer = new AbortController();
    const signals: AbortSignal[] = [];
    const run = async (signal: AbortSignal) => {
      signals.push(signal);
      return 'done';
    };
    expect(await underBound(outer.signal, 60_000, run)).toBe('done');
    await expect(underBound(outer.signal, 60_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    outer.abort();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });
});
