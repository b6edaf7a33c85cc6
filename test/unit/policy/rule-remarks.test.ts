import { describe, expect, it } from 'vitest';
import { ruleRemarks } from '../../../src/policy/rule-use.js';
import { policy } from './fixture.js';

const BOTH = ['az-snp-vtpm', 'az-tdx-vtpm'];

function remarksOn(cel: string, accepts: readonly string[] = BOTH) {
  return ruleRemarks(policy({ accepts: [...accepts], minimums: 'any', rules: [{ id: 'one', cel }] })).map(
    ({ code, severity, message }) => `${severity} ${code}: ${message}`,
  );
}

describe('remarks on rules', () => {
  it('has none on a rule that evidence decides', () => {
    expect(remarksOn("snp.vmpl == 0 && snp.product in ['Milan', 'Genoa']", ['az-snp-vtpm'])).toEqual([]);
  });

  it('names the types of evidence that a rule never lets pass', () => {
    expect(remarksOn('snp.vmpl == 0')).toEqual(['warning rule_never: is met by no evidence of type az-tdx-vtpm']);
    expect(remarksOn("evidence.type == 'az-tdx-vtpm' && tpm.clock.safe")).toEqual([
      'warning rule_never: is met by no evidence of type az-snp-vtpm',
    ]);
    expect(remarksOn("evidence.type == 'az-snp-vtpm' ? snp.vmpl == 0 : tpm.clock.safe")).toEqual([]);
  });

  it('DEC-15 says that a rule which asks for absence is never met', () => {
    expect(remarksOn('!has(snp.cspId)', ['az-snp-vtpm'])).toEqual([
      'warning rule_never: is met by no evidence of type az-snp-vtpm',
    ]);
  });

  it('names a rule that the accepted types meet by themselves', () => {
    expect(remarksOn("evidence.type in ['az-snp-vtpm', 'az-tdx-vtpm']")).toEqual([
      'warning rule_always: is met by every evidence that the policy accepts',
    ]);
  });

  it.each([
    [`snp.measurement == '${'AA'.repeat(48)}'`, 'rule_never', 'snp.measurement is 96 hex digits in lower case'],
    ["snp.measurement != '0xab'", 'rule_always', 'snp.measurement is 96 hex digits in lower case, and never "0xab"'],
    ["snp.product in ['Milan', 'Rome']", 'rule_never', 'snp.product is one of Milan, Genoa, Turin, and never "Rome"'],
    ["'ab' in tpm.eventLog.applications", 'rule_never', 'an item of tpm.eventLog.applications is 64 hex digits'],
    ["tpm.eventLog.applications.all(a, a == 'ab')", 'rule_never', 'a is 64 hex digits in lower case, and never "ab"'],
  ])('DEC-03 names a text that a claim can never be: %s', (cel, code, says) => {
    const [first, ...more] = remarksOn(cel, ['az-snp-vtpm']);
    expect(more).toEqual([]);
    expect(first).toContain(`warning ${code}: `);
    expect(first).toContain(says);
  });

  it('names such a text once for each thing that it makes of a comparison', () => {
    const cel = "snp.product == 'Rome' || snp.product == 'Rome' || snp.product != 'Rome'";
    const says = 'snp.product is one of Milan, Genoa, Turin, and never "Rome"';
    expect(remarksOn(cel, ['az-snp-vtpm'])).toEqual([`warning rule_never: ${says}`, `warning rule_always: ${says}`]);
  });
});
