import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerTo, exampleFiles, readExample, withLabService } from '../../scripts/inspector-examples.js';
import type { JsonObject } from '../../src/core/json.js';

const EXAMPLES = exampleFiles().map((file) => ({ file, ...readExample(file) }));

describe('the examples of the inspector', () => {
  const today = new Map<string, JsonObject>();

  beforeAll(async () => {
    await withLabService(async (service) => {
      for (const { file, body } of EXAMPLES) today.set(file, await answerTo(service, body));
    });
  });

  afterAll(() => today.clear());

  it.each(EXAMPLES)('have the answer that the service gives today: $title', ({ file, answer }) => {
    expect(today.get(file)).toEqual(answer);
  });

  it('show an allow of each TEE, a deny for each thing that people meet, and what cannot be decided', () => {
    const shown = EXAMPLES.map(({ body, answer }) => [
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
    expect(new Set(EXAMPLES.map(({ title }) => title)).size).toBe(EXAMPLES.length);
    for (const { shows, body, answer } of EXAMPLES) {
      expect(shows).toMatch(/\.$/);
      expect(body).not.toHaveProperty('audience');
      expect(answer['receipt']).toBeNull();
    }
  });
});
