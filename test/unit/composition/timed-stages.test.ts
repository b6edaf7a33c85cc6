import { describe, expect, it, vi } from 'vitest';
import { TimedStages } from '../../../src/composition/timed-stages.js';
import type { WorldParts } from '../../../src/service/witness.js';

function timed() {
  const done: string[] = [];
  const stages = new TimedStages({
    stageDone: (stage, seconds) => {
      expect(seconds).toBeGreaterThanOrEqual(0);
      done.push(stage);
    },
  });
  return { stages, done };
}

/** What is called with what; anything else of it would throw. */
const fake = <T>(members: object) => members as T;

describe('stages that are measured', () => {
  it('give and take what they did, and are told of once they are over', async () => {
    const { stages, done } = timed();
    const standing = vi.fn(async () => 'standing');
    const fetch = vi.fn(async () => 'set');
    const tenants = () => 'tenant';
    const world = stages.world(fake<WorldParts>({ tenants, nonces: { standing }, endorsements: { fetch } }));
    expect(await Reflect.apply(world.nonces.standing, undefined, ['nonce', 'scope', 'use'])).toBe('standing');
    expect(await Reflect.apply(world.endorsements.fetch, undefined, ['requests', 'context'])).toBe('set');
    expect([standing.mock.calls, fetch.mock.calls]).toEqual([[['nonce', 'scope', 'use']], [['requests', 'context']]]);
    expect(world.tenants).toBe(tenants);
    const execute = vi.fn(async () => 'decision');
    expect(await Reflect.apply(stages.judging(fake({ execute })).execute, undefined, ['request', 'caller'])).toBe(
      'decision',
    );
    const issue = vi.fn(async () => 'receipt');
    expect(await Reflect.apply(stages.signing(fake({ issue })).issue, undefined, ['a', 'b', 'c'])).toBe('receipt');
    expect([execute.mock.calls, issue.mock.calls]).toEqual([[['request', 'caller']], [['a', 'b', 'c']]]);
    expect(done).toEqual(['challenge', 'endorsements', 'judge', 'sign']);
  });

  it('are told of where they fail, too, and fail as they did', async () => {
    const { stages, done } = timed();
    const execute = () => Promise.reject(new Error('broken'));
    await expect(Reflect.apply(stages.judging(fake({ execute })).execute, undefined, [])).rejects.toThrow('broken');
    expect(done).toEqual(['judge']);
  });

  it('of recording are decisions alone; the rest goes through', async () => {
    const { stages, done } = timed();
    const called: string[] = [];
    const names = ['record', 'releaseAttempt', 'releaseResult', 'withdraw', 'leavesUnrecorded'] as const;
    const recorder = stages.recording(
      fake(
        Object.fromEntries(names.map((name) => [name, (...given: unknown[]) => void called.push(`${name} ${given}`)])),
      ),
    );
    for (const name of names)
      await Reflect.apply(recorder[name], undefined, name === 'withdraw' ? ['id', 'late'] : ['it']);
    expect(called).toEqual([
      'record it',
      'releaseAttempt it',
      'releaseResult it',
      'withdraw id,late',
      'leavesUnrecorded it',
    ]);
    expect(done).toEqual(['record']);
  });
});
