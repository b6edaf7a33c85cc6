import { describe, expect, it } from 'vitest';
import type { Outcome, ShadowResult } from '../../../src/core/decision.js';
import { EarlyFlips } from '../../../src/judge/early-flips.js';
import { FakeLog } from './fakes.js';

const HOUR_MS = 60 * 60_000;
const BEGUN = 'allowed now, and denied by early TDX collateral';
const OVER = 'no longer denied by early TDX collateral';

/** The log lines, if machines of one kind have this outcome under one policy at these times. */
function told(...notes: readonly (readonly [ms: number, outcome: Outcome])[]): readonly string[] {
  const log = new FakeLog();
  let now = 0;
  const flips = new EarlyFlips({ monotonicMs: () => now }, log);
  for (const [ms, outcome] of notes) {
    now = ms;
    flips.note({ fmspc: '00806f050000', tenant: 'default' }, {
      id: 'current',
      outcome,
      reasons: [],
      expectedFrom: null,
    } as unknown as ShadowResult);
  }
  return log.lines.map(({ message }) => message);
}

describe('machines that early collateral denies', () => {
  it('are over where one is allowed an hour after the last that is denied, and not before', () => {
    expect(told([0, 'deny'], [HOUR_MS - 1, 'allow'])).toEqual([BEGUN]);
    expect(told([0, 'deny'], [HOUR_MS, 'allow'])).toEqual([BEGUN, OVER]);
  });

  it('are not over where one cannot be judged', () => {
    expect(told([0, 'deny'], [HOUR_MS, 'indeterminate'])).toEqual([BEGUN]);
    expect(told([0, 'deny'], [HOUR_MS, 'indeterminate'], [HOUR_MS, 'allow'])).toEqual([BEGUN, OVER]);
  });

  it('are told of once, the hour counting from the last', () => {
    expect(told([0, 'deny'], [HOUR_MS, 'deny'], [HOUR_MS + 1, 'allow'])).toEqual([BEGUN]);
  });

  it('are told of for each tenant, whose policies may have one id', () => {
    const log = new FakeLog();
    const flips = new EarlyFlips({ monotonicMs: () => 0 }, log);
    const result = { id: 'current', outcome: 'deny', reasons: [], expectedFrom: null } as unknown as ShadowResult;
    for (const tenant of ['a', 'b', 'a']) flips.note({ fmspc: '00806f050000', tenant }, result);
    expect(log.lines.map(({ message, fields }) => [message, fields])).toEqual(
      ['a', 'b'].map((tenant) => [BEGUN, expect.objectContaining({ tenant, policy: 'current' })]),
    );
  });
});
