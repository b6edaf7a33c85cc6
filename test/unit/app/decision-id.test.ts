import { describe, expect, it } from 'vitest';
import { newDecisionId } from '../../../src/app/decision-id.js';

describe('the id of a decision', () => {
  it('is a UUID version 7 of the instant', () => {
    const id = newDecisionId(new Date(0x0123456789ab));
    expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('has random bytes that no other has, also of the same instant and past those that are drawn at once', () => {
    const at = new Date('2026-01-15T12:00:00Z');
    const tails = Array.from({ length: 1_000 }, () => newDecisionId(at).slice(-12));
    expect(new Set(tails).size).toBe(1_000);
  });
});
