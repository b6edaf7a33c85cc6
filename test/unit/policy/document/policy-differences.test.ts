import { describe, expect, it } from 'vitest';
import { policyDifferences } from '../../../../src/policy/document/policy-differences.js';
import { parsePolicy } from '../../../../src/policy/document/policy-document.js';

const policyOf = (members: object) =>
  parsePolicy(
    JSON.stringify({ apiVersion: 'veritee/v1', id: 'a', version: 1, accepts: ['snp'], minimums: 'any', ...members }),
  );

const differences = (before: object, after: object) =>
  policyDifferences(policyOf({ freshness: 'none', ...before }), policyOf({ freshness: 'none', ...after }));

const AKV = {
  version: '1.0.0',
  anyOf: [{ authority: 'https://sharedeus.eus.attest.azure.net', allOf: [{ claim: 'x-ms-runtime.a', equals: 'b' }] }],
};

describe('differences between two policies', () => {
  it('are none where texts differ and members do not', () => {
    expect(differences({}, { rules: [] })).toEqual([]);
  });

  it('name members that the texts leave to defaults', () => {
    expect(differences({}, { allowDebug: true, revocation: 'best-effort' }).map(({ pointer }) => pointer)).toEqual([
      '/revocation',
      '/allowDebug',
    ]);
  });

  it('show rules as texts have them', () => {
    const rules = [{ id: 'r', cel: 'snp.vmpl == 0' }];
    expect(differences({ rules }, { rules: [{ id: 'r', cel: 'snp.vmpl == 1' }] })).toEqual([
      { pointer: '/rules/0/cel', before: 'snp.vmpl == 0', after: 'snp.vmpl == 1' },
    ]);
    const token = { accepts: ['maa-token'], routes: { hardware: 'off', maa: 'required' }, minimums: 'any' };
    const [rule] = differences(token, { ...token, rules: [{ id: 'r', akv: AKV }] });
    expect(rule).toMatchObject({ pointer: '/rules', before: [], after: [{ id: 'r', akv: {}, comparison: 'strict' }] });
  });
});
