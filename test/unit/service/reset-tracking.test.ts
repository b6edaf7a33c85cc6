import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../../src/model/errors.js';
import type { ResetMemory } from '../../../src/model/vtpm-resets.js';
import { ResetTracking } from '../../../src/service/reset-tracking.js';
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
  ['is damaged', () => Promise.reject(new UnfitError('spoilt')), 'what is remembered of this vTPM is damaged', false],
  ['does not answer', () => new Promise(() => {}), 'the memory of vTPM resets cannot be', true],
];

describe('what is remembered', () => {
  it('TPM-10 is what the memory has', async () => {
    expect(await tracking({}).tracker.remembered(VTPM)).toEqual({ state: 'none' });
    const { tracker } = tracking({ highest: async () => HIGHER });
    expect(await tracker.remembered(VTPM)).toEqual({ state: 'remembered', counts: HIGHER });
  });

  it.each(faults)('TPM-10 is out of reach where the memory %s', async (_title, highest, detail, retryable) => {
    const { tracker, log } = tracking({ highest }, 5);
    const found = await tracker.remembered(VTPM);
    expect(found).toMatchObject({ state: 'unavailable', detail: expect.stringContaining(detail), retryable });
    expect(log.entries).toMatchObject([{ level: 'error', fields: { err: expect.any(Error) } }]);
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

  it.each(faults)('TPM-10 do not where the memory %s', async (_title, advance, detail, retryable) => {
    const { tracker, log } = tracking({ advance }, 5);
    const found = await tracker.advance(VTPM);
    expect(found).toMatchObject({ state: 'unavailable', detail: expect.stringContaining(detail), retryable });
    expect(log.entries).toHaveLength(1);
  });
});
