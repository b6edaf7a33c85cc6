import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../src/outgoing/retry-budget.js';

describe('RetryBudget', () => {
  it('allows at most 100 retries for 1 000 calls that all want to retry', () => {
    const budget = new RetryBudget();
    let retries = 0;
    for (let call = 0; call < 1_000; call += 1) {
      budget.earn();
      while (budget.spend()) retries += 1;
    }
    expect(retries).toBeLessThanOrEqual(100);
    expect(retries).toBeGreaterThanOrEqual(95);
  });

  it('lets a service that seldom asks retry', () => {
    const budget = new RetryBudget();
    budget.earn();
    expect(budget.spend()).toBe(true);
  });

  it('does not save up more than its reserve in quiet times', () => {
    const budget = new RetryBudget();
    for (let call = 0; call < 10_000; call += 1) budget.earn();
    let retries = 0;
    while (budget.spend()) retries += 1;
    expect(retries).toBe(10);
  });
});
