import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { Decision } from '../../../src/core/decision.js';
import { StoreUnavailableError } from '../../../src/core/decision-log.js';
import { FormatError, RefusedError } from '../../../src/core/errors.js';
import type { HeldKey, ReleasedValue } from '../../../src/core/held-key.js';
import { ReleaseRefusedError, ReleaseUnavailableError } from '../../../src/core/key-release.js';
import type { Caller } from '../../../src/core/request.js';
import { NO_TRACER, type Tracer } from '../../../src/core/traces.js';
import { ReleaseKey, type ReleaseKeyParts } from '../../../src/judge/release-key.js';
import { NO_SLOT } from '../../../src/judge/verification-slots.js';
import { MeasuredWaits } from '../../../src/judge/waits.js';
import { ALLOW, DENY, INDETERMINATE } from '../../integration/http/fake-service.js';
import { KeptTraces } from '../../integration/http/kept-traces.js';
import { judged, KeptLog } from '../log/recorded.js';
import { CountedSlot } from './fakes.js';

const CALLER: Caller = {
  principal: 'gate',
  tenant: 'default',
  roles: new Set(['release']),
  policies: new Set(['another']),
  audiences: new Set(),
  keys: new Set(['disk', 'foreign', 'gone']),
};

const VALUE: ReleasedValue = { value: 'wrapped', keyVersion: '1' };

/** Allows, with the one attempt that a challenge makes. */
const ALLOWED: Decision = { ...ALLOW, repeatable: false };

interface Given {
  readonly decision?: Decision;
  readonly release?: HeldKey['release'];
  readonly requireFit?: HeldKey['requireFit'];
  readonly attempt?: () => Promise<void>;
  readonly result?: () => Promise<void>;
  readonly recorder?: null;
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
  readonly tracer?: Tracer;
}

function releasing(given: Given = {}) {
  const { decision = ALLOWED, timeoutMs = 60_000, deadlineMs = 60_000 } = given;
  const steps: string[] = [];
  const step = <A extends unknown[], T>(name: string, work: (...args: A) => T) =>
    vi.fn((...args: A): T => {
      steps.push(name);
      return work(...args);
    });
  const key: HeldKey = {
    kind: 'local',
    policy: 'keys',
    tenant: 'default',
    anyMachine: false,
    requireFit: step('fit', given.requireFit ?? (() => undefined)),
    describe: () => ({ type: 'local' }),
    release: step('release', given.release ?? (async () => VALUE)),
  };
  const verifyEvidence = { execute: step('judge', async () => decision) };
  const recorder = {
    releaseAttempt: step('attempt', given.attempt ?? (async () => undefined)),
    releaseResult: step('result', given.result ?? (async () => undefined)),
  };
  const log = new KeptLog();
  const keys = new Map([
    ['disk', key],
    ['foreign', { ...key, tenant: 'other' }],
    ['unlisted', key],
  ]);
  const parts: ReleaseKeyParts = {
    keys,
    verifyEvidence,
    recorder: given.recorder === null ? null : recorder,
    deadlineMs,
    waits: new MeasuredWaits(() => undefined),
    log,
    timeoutMs,
    tracer: given.tracer ?? NO_TRACER,
  };
  const useCase = new ReleaseKey(parts);
  const ask = (dryRun = false, keyId = 'disk') =>
    useCase.execute(
      { ...judged().request, release: { keyId, kind: 'local', anyMachine: false, dryRun } },
      CALLER,
      NO_SLOT,
    );
  return { useCase, ask, steps, log, key, recorder, verifyEvidence };
}

const lastCheck = ({ checks }: Decision) => checks.at(-1);
const outOfReach = async () => {
  throw new StoreUnavailableError('the disk is full');
};

describe('a key that a caller asks for', () => {
  it('is known with its policy', () => {
    expect(releasing().useCase.wanted('disk', CALLER)).toMatchObject({ kind: 'local', policy: 'keys' });
  });

  it.each(['unlisted', 'unknown', 'foreign', 'gone', 'toString'])(
    'REL-04 %s is forbidden, whether there is such a key or not',
    (keyId) => {
      const { useCase } = releasing();
      // The one of another tenant is not told, also where the caller lists it.
      const told = `this caller may not release the key "${keyId}"; allowed: disk`;
      expect(() => useCase.wanted(keyId, CALLER)).toThrow(new RefusedError('forbidden', told, { pointer: '/keyId' }));
    },
  );
});

describe('an allow', () => {
  it('is traced step by step, also where a step fails', async () => {
    const traces = new KeptTraces();
    await releasing({ tracer: traces }).ask();
    expect(traces.names).toEqual(['store release', 'release key', 'store release']);

    const failing = new KeptTraces();
    await releasing({ tracer: failing, attempt: outOfReach }).ask();
    expect(failing.spans).toMatchObject([{ name: 'store release', ended: true }]);
  });

  it('is judged, stored, attempted and its result stored, in this order, and then the key is handed out', async () => {
    const { ask, steps, recorder, verifyEvidence } = releasing();
    expect(await ask()).toEqual({ decision: ALLOWED, release: VALUE, state: 'released' });
    expect(steps).toEqual(['fit', 'judge', 'attempt', 'release', 'result']);
    const { decisionId } = ALLOWED;
    expect(recorder.releaseAttempt).toHaveBeenCalledWith({
      decisionId,
      keyId: 'disk',
      caller: CALLER,
      key: { type: 'local' },
    });
    expect(recorder.releaseResult).toHaveBeenCalledWith({
      decisionId,
      outcome: 'released',
      keyVersion: '1',
      valueSha256: createHash('sha256').update('wrapped').digest('hex'),
      code: null,
      detail: 'the key was released',
    });
    // The policy is the key's: what policies the caller may name is no matter.
    expect(verifyEvidence.execute).toHaveBeenCalledWith(expect.anything(), { ...CALLER, policies: null }, NO_SLOT);
  });

  it('leaves its slot while it waits for the log and for the key, and gives it to the verification', async () => {
    const { useCase, verifyEvidence } = releasing();
    const slot = new CountedSlot();
    const release = { keyId: 'disk', kind: 'local', anyMachine: false, dryRun: false } as const;
    await useCase.execute({ ...judged().request, release }, CALLER, slot);
    // The attempt, the key, the result.
    expect(slot.waits).toBe(3);
    expect(verifyEvidence.execute).toHaveBeenCalledWith(expect.anything(), expect.anything(), slot);
  });

  it('of a dry run releases nothing, and stores no attempt', async () => {
    const { ask, steps } = releasing();
    expect(await ask(true)).toEqual({ decision: ALLOWED, release: null, state: 'not_attempted' });
    expect(steps).toEqual(['fit', 'judge']);
  });

  it('REL-03 alone leads to an attempt', async () => {
    for (const decision of [DENY, INDETERMINATE]) {
      const { ask, steps } = releasing({ decision });
      expect(await ask()).toEqual({ decision, release: null, state: 'not_attempted' });
      expect(steps).toEqual(['fit', 'judge']);
    }
  });

  it('REL-06 is not even judged for a bound key that nothing is encrypted to', async () => {
    const { ask, steps } = releasing({
      requireFit: () => {
        throw new FormatError('schema', 'has fewer than 2048 bits');
      },
    });
    await expect(ask()).rejects.toThrow('has fewer than 2048 bits');
    expect(steps).toEqual(['fit']);
  });

  it('of a key that is not there is a fault of the service', async () => {
    await expect(releasing().ask(false, 'absent')).rejects.toThrow('not configured');
  });
});

describe('an attempt that cannot be stored', () => {
  it('is not made', async () => {
    const { ask, steps, log } = releasing({ attempt: outOfReach });
    const { decision, release, state } = await ask();
    expect([decision.decision, decision.reasons, release, state]).toEqual([
      'indeterminate',
      ['audit_unavailable'],
      null,
      'not_attempted',
    ]);
    expect(decision.retryable).toBe(false);
    expect(steps).toEqual(['fit', 'judge', 'attempt']);
    expect(log.lines).toEqual([]);
  });

  it('is not made where there is no log', async () => {
    const { ask, key } = releasing({ recorder: null });
    expect((await ask()).decision.reasons).toEqual(['audit_unavailable']);
    expect(key.release).not.toHaveBeenCalled();
  });

  it('in time, nor later, is not made, and does no more harm', async () => {
    let refuse = () => {};
    const late = () =>
      new Promise<void>((_, reject) => {
        refuse = () => reject(new Error('a fault'));
      });
    const { ask, key, recorder } = releasing({ attempt: late, timeoutMs: 1 });
    expect((await ask()).decision.reasons).toEqual(['audit_unavailable']);
    // A promise that nobody handles would end the process; here it fails the run.
    refuse();
    await new Promise((resolve) => setImmediate(resolve));
    expect(recorder.releaseResult).not.toHaveBeenCalled();
    expect(key.release).not.toHaveBeenCalled();
  });

  it.each(['attempt', 'result'] as const)('since its %s cannot even be made hands nothing out', async (record) => {
    const unmade = () => {
      throw new Error('a fault');
    };
    const { ask } = releasing({ [record]: unmade });
    const { decision, release } = await ask();
    expect([decision.decision, decision.reasons, release]).toEqual(['indeterminate', ['audit_unavailable'], null]);
  });

  it('in time is not made, and its record gets a result once it is there', async () => {
    let store = () => {};
    const late = () =>
      new Promise<void>((resolve) => {
        store = resolve;
      });
    const { ask, key, recorder } = releasing({ attempt: late, timeoutMs: 1 });
    expect((await ask()).decision.reasons).toEqual(['audit_unavailable']);
    expect(recorder.releaseResult).not.toHaveBeenCalled();
    store();
    await vi.waitFor(() =>
      expect(recorder.releaseResult).toHaveBeenCalledWith({
        decisionId: ALLOWED.decisionId,
        outcome: 'unavailable',
        keyVersion: null,
        valueSha256: null,
        code: 'audit_unavailable',
        detail: 'the attempt was stored after the timeout, so the key was not requested',
      }),
    );
    expect(key.release).not.toHaveBeenCalled();
  });

  it('for another fault is in the log', async () => {
    const { ask, log } = releasing({
      attempt: async () => {
        throw new Error('a fault');
      },
    });
    expect((await ask()).decision.decision).toBe('indeterminate');
    expect(log.messages('error').join()).toContain('a release record was not stored');
  });
});

describe('a result that cannot be stored', () => {
  it('keeps the key back, which no record says was handed out', async () => {
    const { ask } = releasing({ result: outOfReach });
    const { decision, release, state } = await ask();
    expect([decision.decision, decision.reasons, release, state]).toEqual([
      'indeterminate',
      ['audit_unavailable'],
      null,
      'unavailable',
    ]);
  });

  it('of a refusal changes nothing', async () => {
    const { ask } = releasing({
      result: outOfReach,
      release: async () => {
        throw new ReleaseRefusedError('the vault said no', { remedy: 'Look there.' });
      },
    });
    expect((await ask()).decision.reasons).toEqual(['release_refused']);
  });
});

describe('REL-02 a vault that does not release', () => {
  it('and says no, denies, with what can be done, and the log says why', async () => {
    const { ask, recorder, log } = releasing({
      release: async () => {
        throw new ReleaseRefusedError('the vault said no', { remedy: 'The operator should look there.' });
      },
    });
    const { decision, release, state } = await ask();
    expect(log.lines.map(({ level, fields }) => [level, fields])).toMatchObject([
      ['error', { keyId: 'disk', decisionId: ALLOWED.decisionId, reason: 'the vault said no' }],
    ]);
    expect([decision.decision, decision.reasons, decision.trust.status, release, state]).toEqual([
      'deny',
      ['release_refused'],
      'none',
      null,
      'refused',
    ]);
    expect(lastCheck(decision)).toMatchObject({
      id: 'release_refused',
      result: 'fail',
      detail: 'the vault said no',
      remedy: 'The operator should look there.',
    });
    expect(recorder.releaseResult).toHaveBeenCalledWith({
      decisionId: ALLOWED.decisionId,
      outcome: 'refused',
      keyVersion: null,
      valueSha256: null,
      code: 'release_refused',
      detail: 'the vault said no',
    });
  });

  it('and is out of reach, leaves it open, with when to come back', async () => {
    const { ask, recorder } = releasing({
      release: async () => {
        throw new ReleaseUnavailableError('the vault is busy', { remedy: 'Wait.', retryAfterSeconds: 7 });
      },
    });
    const { decision, release, state } = await ask();
    expect([decision.decision, decision.reasons, decision.retryAfterSeconds, release, state]).toEqual([
      'indeterminate',
      ['release_unavailable'],
      7,
      null,
      'unavailable',
    ]);
    // The challenge is used up: the same request is never judged otherwise.
    expect(decision.retryable).toBe(false);
    expect(lastCheck(decision)).toMatchObject({
      id: 'release_unavailable',
      detail: 'the vault is busy',
      remedy: 'Wait.',
    });
    expect(recorder.releaseResult.mock.calls[0]).toMatchObject([
      { outcome: 'unavailable', code: 'release_unavailable' },
    ]);
  });

  it('for a fault of the service leaves it open, and says nothing of the fault', async () => {
    const { ask, log } = releasing({
      release: async () => {
        throw new Error('sesame');
      },
    });
    const { decision, release } = await ask();
    expect([decision.reasons, release]).toEqual([['release_unavailable'], null]);
    expect(JSON.stringify(decision.checks)).not.toContain('sesame');
    expect(log.messages('error').join()).toContain('a key was not released');
  });

  it('REL-08 is asked for by the principal of its caller', async () => {
    const asked: string[] = [];
    const { ask } = releasing({
      release: async ({ principal }) => {
        asked.push(principal);
        return VALUE;
      },
    });
    await ask();
    expect(asked).toEqual([CALLER.principal]);
  });

  it('in the time of the request has what is asked ended', async () => {
    const { ask } = releasing({
      deadlineMs: 1,
      release: (_allowed, signal) =>
        new Promise((_resolve, reject) => {
          const end = () => reject(new ReleaseUnavailableError('no answer in time', { remedy: 'Wait.' }));
          if (signal.aborted) end();
          else signal.addEventListener('abort', end);
        }),
    });
    expect((await ask()).decision.reasons).toEqual(['release_unavailable']);
  });
});
