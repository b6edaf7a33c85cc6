import { beforeAll, describe, expect, it } from 'vitest';
import { type AnsweredExample, answeredExamples, withLabService } from '../../scripts/pages/examples.js';
import type { JsonObject } from '../../src/core/json.js';

describe('the examples of the inspector', () => {
  let examples: readonly AnsweredExample[] = [];

  beforeAll(async () => {
    examples = await withLabService(answeredExamples);
  });

  it('show an allow of each TEE, a deny for each thing that people meet, and what cannot be decided', () => {
    const shown = examples.map(({ body, answer }) => [
      (body['evidence'] as JsonObject)['type'],
      answer['decision'],
      answer['reasons'],
    ]);
    expect(shown).toEqual([
      ['az-snp-vtpm', 'allow', []],
      ['az-snp-vtpm', 'deny', ['snp_debug']],
      ['az-snp-vtpm', 'deny', ['snp_tcb_low']],
      ['az-snp-vtpm', 'deny', ['nonce_mismatch']],
      ['az-tdx-vtpm', 'allow', []],
      ['az-snp-vtpm', 'deny', ['eventlog_replay']],
      ['az-snp-vtpm', 'deny', ['disagreement']],
      ['az-snp-vtpm', 'indeterminate', ['vcek_unavailable']],
    ]);
  });

  it('have a title, and no receipt and no audience, which somebody could take for real', () => {
    expect(new Set(examples.map(({ title }) => title)).size).toBe(examples.length);
    for (const { shows, body, answer } of examples) {
      expect(shows).toMatch(/\.$/);
      expect(body).not.toHaveProperty('audience');
      expect(answer['receipt']).toBeNull();
    }
  });
});
