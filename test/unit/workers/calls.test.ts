import { describe, expect, it } from 'vitest';
import { PolicyFileError } from '../../../src/files/policy-file.js';
import { ConfigurationError, UnfitError } from '../../../src/model/errors.js';
import { fileProblem } from '../../../src/model/file-problem.js';
import { GateRefusal } from '../../../src/model/gate.js';
import { type Answers, CallEndedError, Calls, CallTooLongError, withinMs } from '../../../src/workers/calls.js';

/** Two ends whose messages are copied as between processes. */
function connected<Far extends Answers<Far>>(handlers: Far): Calls<Far, Record<never, never>> {
  const near: Calls<Far, Record<never, never>> = new Calls(
    (message) => queueMicrotask(() => far.receive(structuredClone(message))),
    {},
  );
  const far: Calls<Record<never, never>, Far> = new Calls(
    (message) => queueMicrotask(() => near.receive(structuredClone(message))),
    handlers,
  );
  return near;
}

describe('A call of another process', () => {
  it('gives what its handler gives, whichever ends first', async () => {
    const waits: (() => void)[] = [];
    const calls = connected({
      double: async (value: number) => {
        await new Promise<void>((resolve) => waits.push(resolve));
        return value * 2;
      },
    });
    const both = [calls.call('double', 1), calls.call('double', 2)];
    await expect.poll(() => waits.length).toBe(2);
    for (const end of waits.reverse()) end();
    expect(await Promise.all(both)).toEqual([2, 4]);
  });

  it.each([
    ['a configuration that is wrong', new ConfigurationError([{ path: ['listen', 'port'], what: 'is none' }])],
    ['a gate', new GateRefusal('dpop_replayed', 'the proof was used before')],
    ['a file that is none', new UnfitError('not a file')],
    ['a policy file', new PolicyFileError('is writable by everyone')],
  ])('throws what its handler threw: %s', async (_of, error) => {
    const failing = connected({ fail: async () => Promise.reject(error) }).call('fail');
    await expect(failing).rejects.toStrictEqual(error);
    await expect(failing).rejects.toBeInstanceOf(error.constructor);
  });

  it('throws what the system refused, so that it can be put in words', async () => {
    const error = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' });
    const thrown = await connected({ fail: async () => Promise.reject(error) })
      .call('fail')
      .catch((caught: unknown) => caught);
    expect(fileProblem(thrown)).toBe('there is no such file');
  });

  it('throws where nothing answers it', async () => {
    const calls = connected({} as { readonly sing: () => Promise<void> });
    await expect(calls.call('sing')).rejects.toThrow('nothing answers sing');
  });

  it('throws once the other process is gone, before and after', async () => {
    const calls = connected({ wait: () => new Promise(() => {}) });
    const waiting = calls.call('wait');
    calls.end('worker 1 has ended');
    await expect(waiting).rejects.toThrow(CallEndedError);
    await expect(calls.call('wait')).rejects.toThrow('worker 1 has ended');
  });

  it('throws where it takes too long', async () => {
    await expect(withinMs(1, 'the start', new Promise(() => {}))).rejects.toThrow(CallTooLongError);
    expect(await withinMs(60_000, 'the start', Promise.resolve(7))).toBe(7);
  });

  it('passes over messages that are none of its', () => {
    const calls = connected({});
    for (const message of [null, 7, 'text', {}, { answer: 99, value: 1 }]) calls.receive(message);
    expect(() => calls.end('over')).not.toThrow();
  });
});
