import { describe, expect, it, vi } from 'vitest';
import { TimedStages } from '../../../src/app/timed-stages.js';
import type { AllowedRelease, HeldKey, ReleasedValue } from '../../../src/core/held-key.js';
import type { AttestationService, Submission, SubmissionResult } from '../../../src/core/verification.js';
import type { Tenant } from '../../../src/judge/tenants.js';
import type { WorldParts } from '../../../src/judge/witness.js';
import type { TrackedVtpm } from '../../../src/policy/appraise/vtpm-resets.js';

function timed() {
  const done: string[] = [];
  const stageDone = (stage: string, seconds: number) => {
    expect(seconds).toBeGreaterThanOrEqual(0);
    done.push(stage);
  };
  /** How often something was asked elsewhere. */
  const asked = { elsewhere: 0 };
  const elsewhere = <T>(work: () => Promise<T>) => {
    asked.elsewhere += 1;
    return work();
  };
  return { stages: new TimedStages({ stageDone }, { elsewhere }), done, asked };
}

/** What is called with what; anything else of it would throw. */
const fake = <T>(members: object) => members as T;

describe('stages that are measured', () => {
  it('give and take what they did, and are told of once they are over', async () => {
    const { stages, done, asked } = timed();
    const standing = vi.fn(async () => 'standing');
    const fetch = vi.fn(async () => 'set');
    const remembered = vi.fn(async () => 'remembered');
    const advance = vi.fn(async () => null);
    const tenants = (name: string) => fake<Tenant>({ defaultPolicy: name, resets: { remembered, advance } });
    const world = stages.world(
      fake<WorldParts>({ tenants, nonces: { standing }, endorsements: { fetch }, services: new Map() }),
    );
    expect(await Reflect.apply(world.nonces.standing, undefined, ['nonce', 'scope', 'use'])).toBe('standing');
    expect(await Reflect.apply(world.endorsements.fetch, undefined, ['requests', 'context'])).toBe('set');
    expect([standing.mock.calls, fetch.mock.calls]).toEqual([[['nonce', 'scope', 'use']], [['requests', 'context']]]);
    const tenant = world.tenants('red');
    expect(tenant.defaultPolicy).toBe('red');
    const vtpm = fake<TrackedVtpm>({});
    expect([await tenant.resets.remembered(vtpm), await tenant.resets.advance(vtpm)]).toEqual(['remembered', null]);
    expect([remembered.mock.calls, advance.mock.calls]).toEqual([[[vtpm]], [[vtpm]]]);
    const execute = vi.fn(async () => 'decision');
    expect(await Reflect.apply(stages.judging(fake({ execute })).execute, undefined, ['request', 'caller'])).toBe(
      'decision',
    );
    const issue = vi.fn(async () => 'receipt');
    expect(await Reflect.apply(stages.signing(fake({ issue })).issue, undefined, ['a', 'b', 'c'])).toBe('receipt');
    expect([execute.mock.calls, issue.mock.calls]).toEqual([[['request', 'caller']], [['a', 'b', 'c']]]);
    expect(done).toEqual(['challenge', 'endorsements', 'judge', 'sign']);
    // Judging itself is what this process does.
    expect(asked.elsewhere).toBe(5);
  });

  it('are told of where they fail, too, and fail as they did', async () => {
    const { stages, done } = timed();
    const execute = () => Promise.reject(new Error('broken'));
    await expect(Reflect.apply(stages.judging(fake({ execute })).execute, undefined, [])).rejects.toThrow('broken');
    expect(done).toEqual(['judge']);
  });

  it('of recording are decisions alone; the rest goes through', async () => {
    const { stages, done, asked } = timed();
    const called: string[] = [];
    const names = [
      'record',
      'releaseAttempt',
      'releaseResult',
      'withdraw',
      'answeredUnrecorded',
      'leavesUnrecorded',
    ] as const;
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
      'answeredUnrecorded it',
      'leavesUnrecorded it',
    ]);
    expect(done).toEqual(['record']);
    expect(asked.elsewhere).toBe(3);
  });

  it('have others begin while a verifier or a vault is asked, whose time is its own', async () => {
    const { stages, done, asked } = timed();
    const submission = fake<Submission>({});
    const signal = new AbortController().signal;
    const attest = vi.fn(async () => fake<SubmissionResult>({}));
    const service: AttestationService = {
      route: 'maa',
      issues: () => false,
      accepts: (given) => given === submission,
      attest,
    };
    const nothing = { nonces: {}, endorsements: {}, tenants: () => {} };
    const { services } = stages.world(fake<WorldParts>({ ...nothing, services: new Map([['maa', service]]) }));
    expect([services.get('maa')?.route, services.get('maa')?.accepts(submission)]).toEqual(['maa', true]);
    expect(asked.elsewhere).toBe(0);
    await services.get('maa')?.attest(submission, signal);
    expect([asked.elsewhere, attest.mock.calls]).toEqual([1, [[submission, signal]]]);
    const allowed = fake<AllowedRelease>({});
    const released = fake<ReleasedValue>({});
    const release = vi.fn(async () => released);
    const requireFit = vi.fn();
    const about = { kind: 'local', policy: 'p', tenant: 't' } as const;
    const disk = fake<HeldKey>({ ...about, requireFit, describe: () => 'described', release });
    const key = stages.releasing(new Map([['disk', disk]])).get('disk');
    expect(key).toMatchObject(about);
    key?.requireFit({ kty: 'EC' });
    expect(requireFit.mock.calls).toEqual([[{ kty: 'EC' }]]);
    expect(key?.describe(allowed)).toBe('described');
    expect(await key?.release(allowed, signal)).toBe(released);
    expect([asked.elsewhere, release.mock.calls, done]).toEqual([2, [[allowed, signal]], []]);
  });
});
