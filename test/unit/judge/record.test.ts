import { describe, expect, it, vi } from 'vitest';
import type { Decision } from '../../../src/core/decision.js';
import { type DecisionRecorder, StoreUnavailableError } from '../../../src/core/decision-log.js';
import type { Caller } from '../../../src/core/request.js';
import { NO_TRACER } from '../../../src/core/traces.js';
import { recordOrWithhold } from '../../../src/judge/record.js';
import { NO_WAITS } from '../../../src/judge/waits.js';
import { ALLOW, DENY, INDETERMINATE } from '../../integration/http/fake-service.js';
import { judged, KeptLog } from '../log/recorded.js';

/** No key is released here. */
const RELEASES = { releaseAttempt: vi.fn(), releaseResult: vi.fn() };

const { request } = judged();
const CALLER: Caller = {
  principal: 'gate',
  tenant: 'default',
  roles: new Set(),
  policies: null,
  audiences: null,
  keys: new Set(),
};

function recording(decision: Decision, record: DecisionRecorder['record'], timeoutMs = 60_000) {
  const recorder = {
    record: vi.fn(record),
    withdraw: vi.fn(async () => undefined),
    answeredUnrecorded: vi.fn(),
    leavesUnrecorded: vi.fn(),
    ...RELEASES,
  };
  const log = new KeptLog();
  const parts = { recorder, log, recordTimeoutMs: timeoutMs, waits: NO_WAITS, tracer: NO_TRACER, keep: null };
  const answer = () => recordOrWithhold(parts, decision, request, CALLER, []);
  return { recorder, log, answer };
}

const outOfReach = async () => {
  throw new StoreUnavailableError('the disk is full');
};

const codes = ({ checks }: Decision) => checks.map(({ id, result }) => `${id} ${result}`);

describe('a decision that is stored', () => {
  it('leaves as it was decided, once its record is there', async () => {
    let store = () => {};
    const { recorder, answer } = recording(
      ALLOW,
      () =>
        new Promise((resolve) => {
          store = resolve;
        }),
    );
    const answered = vi.fn();
    const answering = answer().then(answered);
    await vi.waitFor(() => expect(recorder.record).toHaveBeenCalledWith({ decision: ALLOW, request, caller: CALLER }));
    expect(answered).not.toHaveBeenCalled();
    store();
    await answering;
    expect(answered).toHaveBeenCalledWith(ALLOW);
    expect(recorder.withdraw).not.toHaveBeenCalled();
  });
});

describe('LOG-02 a decision that cannot be stored', () => {
  it('is no allow, and has no receipt', async () => {
    const { recorder, answer } = recording({ ...ALLOW, receipt: 'eyJ.eyJ.sig' }, outOfReach);
    const decision = await answer();
    expect(decision).toMatchObject({
      decision: 'indeterminate',
      reasons: ['audit_unavailable'],
      retryable: true,
      receipt: null,
      trust: { status: 'none' },
    });
    expect(codes(decision)).toContain('audit_unavailable unavailable');
    expect(recorder.leavesUnrecorded).toHaveBeenCalledWith('indeterminate');
  });

  it('stays a deny, with its reasons', async () => {
    const { recorder, answer } = recording(DENY, outOfReach);
    const decision = await answer();
    expect(decision).toMatchObject({
      decision: 'deny',
      reasons: ['snp_signature', 'audit_unavailable'],
      retryable: false,
    });
    expect(recorder.leavesUnrecorded).toHaveBeenCalledWith('deny');
  });

  it('stays indeterminate, with its reasons', async () => {
    const { answer } = recording(INDETERMINATE, outOfReach);
    expect(await answer()).toMatchObject({
      decision: 'indeterminate',
      reasons: ['vcek_unavailable', 'audit_unavailable'],
      retryable: true,
    });
  });

  it('is not to be asked again where a challenge was used up', async () => {
    const { answer } = recording({ ...ALLOW, repeatable: false }, outOfReach);
    expect(await answer()).toMatchObject({ decision: 'indeterminate', retryable: false });
  });

  it('is one whose record cannot be made, and the log says why', async () => {
    const { log, answer } = recording(ALLOW, () => {
      throw new TypeError('text that is not Unicode has no canonical form');
    });
    expect(await answer()).toMatchObject({ decision: 'indeterminate', reasons: ['audit_unavailable'] });
    expect(log.messages('error')).toEqual(['a decision was not stored']);
  });
});

describe('STO-06 a decision that is stored too late', () => {
  it('is no allow, and is withdrawn once it is stored', async () => {
    let store = () => {};
    const { recorder, answer } = recording(
      ALLOW,
      () =>
        new Promise((resolve) => {
          store = resolve;
        }),
      5,
    );
    expect(await answer()).toMatchObject({ decision: 'indeterminate', reasons: ['audit_unavailable'] });
    expect(recorder.withdraw).not.toHaveBeenCalled();
    store();
    await vi.waitFor(() => expect(recorder.withdraw).toHaveBeenCalledWith(ALLOW.decisionId, 'late'));
    expect(recorder.answeredUnrecorded).toHaveBeenCalledWith(ALLOW.decisionId);
    expect(recorder.leavesUnrecorded).not.toHaveBeenCalled();
  });

  it('stays a deny, which is sent and withdrawn', async () => {
    const { recorder, answer } = recording(DENY, () => new Promise((resolve) => void setTimeout(resolve, 50)), 5);
    const { decision, reasons } = await answer();
    expect([decision, reasons.at(-1)]).toEqual(['deny', 'audit_unavailable']);
    await vi.waitFor(() => expect(recorder.withdraw).toHaveBeenCalledWith(DENY.decisionId, 'late'));
  });

  it('is one that takes more than a second', async () => {
    vi.useFakeTimers();
    try {
      const recorder = {
        record: () => new Promise<void>(() => {}),
        withdraw: vi.fn(),
        answeredUnrecorded: vi.fn(),
        leavesUnrecorded: vi.fn(),
        ...RELEASES,
      };
      const parts = { recorder, log: new KeptLog(), waits: NO_WAITS, tracer: NO_TRACER, keep: null };
      const answered = vi.fn();
      const recording = recordOrWithhold(parts, ALLOW, request, CALLER, []);
      const answering = recording.then(answered);
      await vi.advanceTimersByTimeAsync(999);
      expect(answered).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(2);
      await answering;
      expect(answered.mock.lastCall?.[0]).toMatchObject({ decision: 'indeterminate', reasons: ['audit_unavailable'] });
    } finally {
      vi.useRealTimers();
    }
  });

  it('counts as unrecorded where it is not stored in the end', async () => {
    let fail = () => {};
    const { recorder, answer } = recording(
      ALLOW,
      () =>
        new Promise((_, reject) => {
          fail = () => reject(new StoreUnavailableError('the disk is full'));
        }),
      5,
    );
    await answer();
    fail();
    await vi.waitFor(() => expect(recorder.leavesUnrecorded).toHaveBeenCalledWith('indeterminate'));
    expect(recorder.withdraw).not.toHaveBeenCalled();
  });
});
