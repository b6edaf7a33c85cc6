import { expect, it } from 'vitest';
import { refuseLate } from '../../../src/http/load-limits.js';

it('refuses where the event loop was measured to be late', () => {
  expect(() => refuseLate(1_001)).toThrow(expect.objectContaining({ code: 'overloaded', retryAfterSeconds: 1 }));
});

it('does not refuse where the delay could not be measured', () => {
  expect(() => refuseLate(Number.POSITIVE_INFINITY)).not.toThrow();
});
