import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../../src/core/errors.js';
import type { ResetMemory } from '../../../src/core/vtpm-resets.js';
import { ResetTracking } from '../../../src/judge/reset-tracking.js';
import { RecordingLog } from '../endorsements/recording-log.js';

const counts = { resetCount: 7, restartCount: 2 };
const VTPM = { akThumbprint: 'A'.repeat(43), counts };
const HIGHER = { resetCount: 8, restartCount: 0 };

function tracking(memory: Partial<ResetMemory>, timeoutMs?: number) {
  const log = new RecordingLog();
  const complete: ResetMemory = { highest: async () => null, advance: async () => counts, ...memory };
  return { log, tracker: new ResetTracking(complete, log, timeoutMs) };
}

const faults: readonly (readonly [string, () => Promise<never>, string, boolean])[] = [
  ['cannot be reached', () => Promise.reject(new Error('EIO')), 'the memory of vTPM resets cannot be', true],
  [
    'is damaged',
    () => Promise.reject(new UnfitError('spoilt')),
    'the stored reset counts of this vTPM are damaged',
    false,
  ],
  ['does not answer', () => new Promise(() => {}), 'the memory of vTPM resets cannot be', true],
];

/** The answer of the memory goes to the log. It has no way not to answer. */
function expectTold(log: RecordingLog, title: string): void {
  const late = { level: 'error', fields: { why: 'no answer within 5 ms' } };
  expect(log.entries).toMatchObject(title === 'does not answer' ? [late] : []);
}

describe('what is remembered', () => {
  it('TPM-10 is what the memory has', async () => {
    expect(await tracking({}).tracker.remembered(VTPM)).toEqual({ state: 'none' });
    const { tracker } = tracking({ highest: async () => HIGHER });
    expect(await tracker.remembered(VTPM)).toEqual({ state: 'remembered', counts: HIGHER });
  });

  it.each(faults)('TPM-10 is out of reach where the memory %s', async (title, highest, detail, retryable) => {
    const { tracker, log } = tracking({ highest }, 5);
    const found = await tracker.remembered(VTPM);
    expect(found).toMatchObject({ state: 'unavailable', detail: expect.stringContaining(detail), retryable });
    expectTold(log, title);
    expect(tracker.failures).toBe(1);
  });
});

describe('counts that were allowed', () => {
  it('TPM-10 twin: stay allowed where they are kept', async () => {
    expect(await tracking({}).tracker.advance(VTPM)).toBeNull();
  });

  it('TPM-10 do not where higher ones were noted meanwhile', async () => {
    const { tracker } = tracking({ advance: async () => HIGHER });
    expect(await tracker.advance(VTPM)).toEqual({ state: 'remembered', counts: HIGHER });
  });

  it.each(faults)('TPM-10 do not where the memory %s', async (title, advance, detail, retryable) => {
    const { tracker, log } = tracking({ advance }, 5);
    const found = await tracker.advance(VTPM);
    expect(found).toMatchObject({ state: 'unavailable', detail: expect.stringContaining(detail), retryable });
    expectTold(log, title);
    expect(tracker.failures).toBe(1);
  });
});

describe('a memory that does not answer', () => {
  it('TPM-10 is in the log once for each action, and once when it answers again', async () => {
    let hangs = true;
    const answer = <T>(value: T) => (hangs ? new Promise<T>(() => {}) : Promise.resolve(value));
    const { tracker, log } = tracking({ highest: () => answer(null), advance: () => answer(counts) }, 5);
    const use = async () => {
      for (const method of ['remembered', 'remembered', 'advance', 'advance'] as const) await tracker[method](VTPM);
    };
    await use();
    expect([log.of(/does not answer/).length, log.of(/answers again/).length, tracker.failures]).toEqual([2, 0, 4]);
    hangs = false;
    await use();
    expect([log.of(/does not answer/).length, log.of(/answers again/).length, tracker.failures]).toEqual([2, 2, 4]);
  });

  it('TPM-10 answers again where it says what is wrong', async () => {
    const answers: (() => Promise<never>)[] = [() => new Promise(() => {}), () => Promise.reject(new Error('EIO'))];
    const { tracker, log } = tracking({ highest: () => answers.shift()?.() ?? Promise.resolve(null) }, 5);
    await tracker.remembered(VTPM);
    await tracker.remembered(VTPM);
    expect(log.entries.map(({ level }) => level)).toEqual(['error', 'info']);
  });
});
