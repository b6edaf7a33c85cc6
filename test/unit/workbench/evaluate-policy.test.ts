import { describe, expect, it, vi } from 'vitest';
import { AMD_LINES } from '../../../src/core/amd-lines.js';
import { EvaluatePolicy } from '../../../src/workbench/evaluate-policy.js';
import { ALLOW } from '../../integration/http/fake-service.js';
import { CALLER, CountedSlot } from '../judge/fakes.js';
import { judged } from '../log/recorded.js';

const POLICY = '{"apiVersion":"veritee/v1","id":"tried","version":1,"accepts":["snp"],"minimums":"any"}';
const RELEASE_POLICY =
  '{"version":"1.0.0","anyOf":[{"authority":"https://maa.example","allOf":[{"claim":"x-ms-ver","equals":"1.0"}]}]}';

describe('a policy that is evaluated on evidence', () => {
  it.each([POLICY, RELEASE_POLICY])('gives its slot to the verification: %s', async (text) => {
    const tryPolicy = vi.fn(async () => ALLOW);
    const useCase = new EvaluatePolicy({
      verifyEvidence: { tryPolicy },
      clock: { now: () => new Date(), monotonicMs: () => 0 },
      lines: AMD_LINES,
    });
    const slot = new CountedSlot();
    await useCase.execute({ on: 'evidence', text, request: judged().request, comparison: 'strict' }, CALLER, slot);
    expect(tryPolicy).toHaveBeenCalledExactlyOnceWith(expect.anything(), expect.anything(), CALLER, slot);
  });
});
