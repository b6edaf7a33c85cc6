import { describe, expect, it } from 'vitest';
import { untilSignal } from '../../../../src/app/commands/until-signal.js';

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

const listeners = () => SIGNALS.map((name) => process.listenerCount(name));

/** A receiver that must not be called. */
const nobody = (signal: string) => {
  throw new Error(signal);
};

describe('work that a signal ends', () => {
  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is aborted by %s, and has its exit code once it has put back what it had', async (name, code) => {
    const before = listeners();
    const done: string[] = [];
    const work = async (signal: AbortSignal) => {
      try {
        process.emit(name, name);
        signal.throwIfAborted();
        return 0;
      } finally {
        done.push('put back');
      }
    };
    expect(await untilSignal(work, (told) => done.push(told))).toBe(code);
    expect([done, listeners()]).toEqual([['put back', name], before]);
  });

  it('has its own exit code where no signal comes, or where it ends in spite of one', async () => {
    const before = listeners();
    expect(await untilSignal(async () => 2, nobody)).toBe(2);
    const deaf = async () => {
      process.emit('SIGTERM', 'SIGTERM');
      return 3;
    };
    expect(await untilSignal(deaf, nobody)).toBe(3);
    expect(listeners()).toEqual(before);
  });

  it('fails with its own fault where no signal came', async () => {
    const before = listeners();
    const fault = new Error('a fault');
    await expect(untilSignal(() => Promise.reject(fault), nobody)).rejects.toBe(fault);
    expect(listeners()).toEqual(before);
  });
});
