import { describe, expect, it } from 'vitest';
import { appraisalInput, appraise, decide, parsePolicy } from '../../../src/library/policy.js';
import { expectedBinding, open, verify } from '../../../src/library/verifier.js';
import { createAmdPki, createVirtualMachine } from '../../lab/index.js';

const AT = new Date('2026-01-15T12:00:00Z');
const NONCE = new Uint8Array(32).fill(5);
const AMD = createAmdPki({ at: AT });
const VM = await createVirtualMachine({ pki: AMD });

const policyWith = (members: string) =>
  parsePolicy(
    `{ apiVersion: veritee/v1, id: own, version: 1, accepts: [az-snp-vtpm], minimums: any, paravisor: any, ${members} }`,
  );

/** The decision about a genuine VM under policies. */
async function decisionUnder(policies: readonly string[], given: Partial<Parameters<typeof appraisalInput>[1]> = {}) {
  const binding = expectedBinding(NONCE, null);
  const opened = open(VM.evidence({ nonce: NONCE }), { amdPins: AMD.pins() });
  const verification = await verify(opened, { at: AT, binding });
  const input = appraisalInput(verification, { evidenceType: 'az-snp-vtpm', at: AT, binding, ...given });
  return decide(policies.map((members) => appraise(policyWith(members), input)));
}

describe('the decision of the library', () => {
  it('is an allow where the policies are met', async () => {
    expect(await decisionUnder(['', 'freshness: none'])).toEqual({ decision: 'allow', reasons: [] });
  });

  it.each([
    ['not at all', undefined],
    ['an invalid date', new Date('soon')],
  ])('rejects %s as the verification time, at which no waiver would have expired', async (_, at) => {
    const deciding = decisionUnder([''], { at: at as Date });
    await expect(deciding).rejects.toThrow(new TypeError('at is not a valid date'));
  });

  it('is a deny without a policy', async () => {
    expect(await decisionUnder([])).toEqual({ decision: 'deny', reasons: ['no_policy'] });
  });

  it('is a deny where the policy asks for a nonce, and there was none', async () => {
    expect(await decisionUnder([''], { binding: null })).toMatchObject({ decision: 'deny' });
  });

  it('is a deny where the policy requires a bound key, and none was', async () => {
    const found = await decisionUnder(['binding: required']);
    expect(found).toEqual({ decision: 'deny', reasons: ['binding_missing'] });
  });

  it('is indeterminate where the policy tracks resets, and no counts were supplied', async () => {
    const tracks = ['require: { tpm: { trackResets: true } }'];
    expect(await decisionUnder(tracks)).toEqual({ decision: 'indeterminate', reasons: ['tpm_reset'] });
    expect(await decisionUnder(tracks, { resets: { state: 'none' } })).toEqual({ decision: 'allow', reasons: [] });
  });

  it('is a deny where the policy requires the token of another verifier', async () => {
    const found = await decisionUnder(['routes: { maa: required }']);
    expect(found).toEqual({ decision: 'deny', reasons: ['route_missing'] });
  });
});
