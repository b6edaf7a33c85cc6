import { describe, expect, it } from 'vitest';
import { LiveInquiry, NO_KEY } from '../../../src/judge/inquiry.js';
import { MeasuredWaits } from '../../../src/judge/waits.js';
import { CountedSlot } from './fakes.js';

function measured() {
  const done: string[] = [];
  const slot = new CountedSlot();
  const waits = new MeasuredWaits((stage, seconds) => {
    expect(seconds).toBeGreaterThanOrEqual(0);
    done.push(stage);
  }).within(slot);
  return { waits, done, freed: () => slot.waits };
}

describe('stages of a request', () => {
  it('are measured once they are over, and free the slot while they wait for somebody else', async () => {
    const { waits, done, freed } = measured();
    expect(await waits.timed('judge', async () => 'decision')).toBe('decision');
    expect([done, freed()]).toEqual([['judge'], 0]);
    expect(await waits.elsewhere('sign', async () => 'receipt')).toBe('receipt');
    expect([done, freed()]).toEqual([['judge', 'sign'], 1]);
    expect(await waits.elsewhere(null, async () => 'released')).toBe('released');
    expect([done, freed()]).toEqual([['judge', 'sign'], 2]);
  });

  it('are measured where they fail, too', async () => {
    const { waits, done } = measured();
    await expect(waits.timed('judge', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(done).toEqual(['judge']);
  });

  it('are of the questions that are asked: the nonce and endorsements are measured, all others only wait', async () => {
    const { waits, done, freed } = measured();
    const inquiry = new LiveInquiry(waits);
    await inquiry.ask('nonce', NO_KEY, async () => ({ origin: 'none' }));
    await inquiry.ask('endorsements', NO_KEY, async () => ({ snp: null }));
    await inquiry.ask('token', NO_KEY, async () => ({ refused: 'no' }));
    await inquiry.ask('remembered', NO_KEY, async () => ({ state: 'none' }));
    await inquiry.ask('advanced', NO_KEY, async () => null);
    inquiry.look('clock', NO_KEY, () => null);
    expect([done, freed()]).toEqual([['challenge', 'endorsements'], 5]);
  });
});
