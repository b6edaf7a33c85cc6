import { describe, expect, it } from 'vitest';
import { appraisalInput, appraise, decide, parsePolicy } from '../../../src/library/policy.js';
import { expectedBinding, open, verify } from '../../../src/library/verifier.js';
import { createAmdPki, createVirtualMachine } from '../../lab/index.js';

const AT = new Date('2026-01-15T12:00:00Z');
const NONCE = new Uint8Array(32).fill(5);
const OTHER_NONCE = new Uint8Array(32).fill(9);
const AMD = createAmdPki({ at: AT });
const VM = await createVirtualMachine({ pki: AMD });

const policyWith = (members: string) =>
  parsePolicy(
    `{ apiVersion: veritee/v1, id: own, version: 1, accepts: [az-snp-vtpm], minimums: any, paravisor: any, ${members} }`,
  );

/** A genuine VM, verified. */
function verified(context: Partial<Parameters<typeof verify>[1]> = {}) {
  const opened = open(VM.evidence({ nonce: NONCE }), { amdPins: AMD.pins() });
  return verify(opened, { at: AT, binding: expectedBinding(NONCE, null), ...context });
}

/** The decision about it under policies. */
async function decisionUnder(policies: readonly string[], given: Parameters<typeof appraisalInput>[1] = {}) {
  const input = appraisalInput(await verified(), given);
  return decide(policies.map((members) => appraise(policyWith(members), input)));
}

describe('the decision of the library', () => {
  it('is an allow where the policies are met', async () => {
    expect(await decisionUnder(['', 'freshness: none'])).toEqual({ decision: 'allow', reasons: [] });
  });

  it('rejects a verification without its time, at which no waiver would have expired', async () => {
    const read = JSON.parse(JSON.stringify(await verified()));
    for (const verification of [read, { ...read, at: undefined }, { ...read, at: new Date('soon') }]) {
      expect(() => appraisalInput(verification)).toThrow(new TypeError('at is not a valid date'));
    }
  });

  it('is about the evidence, time and binding that were verified, whatever else a caller names', async () => {
    const named = {
      evidenceType: 'snp',
      at: new Date('2020-01-01T00:00:00Z'),
      binding: expectedBinding(OTHER_NONCE, null),
    };
    const input = appraisalInput(await verified(), named as object);
    expect(input).toMatchObject({ evidenceType: 'az-snp-vtpm', at: AT });
    const policy = parsePolicy(
      '{ apiVersion: veritee/v1, id: bare, version: 1, accepts: [snp], minimums: any, paravisor: any }',
    );
    expect(decide([appraise(policy, input)])).toEqual({ decision: 'deny', reasons: ['policy_evidence_type'] });
    const without = appraisalInput(await verified({ binding: null }), named as object);
    expect(decide([appraise(policyWith(''), without)])).toEqual({ decision: 'deny', reasons: ['nonce_missing'] });
  });

  it('is a deny without a policy', async () => {
    expect(await decisionUnder([])).toEqual({ decision: 'deny', reasons: ['no_policy'] });
  });

  it('is a deny where the policy asks for a nonce, and there was none', async () => {
    const input = appraisalInput(await verified({ binding: null }));
    expect(decide([appraise(policyWith(''), input)])).toEqual({ decision: 'deny', reasons: ['nonce_missing'] });
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
