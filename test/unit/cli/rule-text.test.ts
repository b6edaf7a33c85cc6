import { describe, expect, it } from 'vitest';
import { ruleLines } from '../../../src/cli/rule-text.js';
import type { ExplainedPart } from '../../../src/core/explanation.js';
import { evaluateReleasePolicy } from '../../../src/policy/akv/evaluate-release-policy.js';
import { readReleasePolicy } from '../../../src/policy/akv/release-policy.js';
import { explain } from '../../../src/policy/cel/explain.js';
import { parseRule } from '../../../src/policy/cel/parse-rule.js';

const SNP = { vmpl: 0, guestSvn: 4, product: 'Milan', version: 3, platformInfo: { unknownBits: [1, 4] } };

function explained(cel: string): ExplainedPart {
  return explain(parseRule(cel), new Map([['snp', SNP]]));
}

/** The lines of all parts of a rule, and of those that speak against it. */
const all = (cel: string) => ruleLines(explained(cel), 0, true);
const against = (cel: string) => ruleLines(explained(cel), 0, false);

describe('a rule for people', () => {
  it('has a line for each part, with its value, below what it is a part of', () => {
    expect(all("snp.guestSvn >= 5 && snp.product == 'Milan'")).toEqual([
      'snp.guestSvn >= 5 && snp.product == "Milan" is false',
      '  snp.guestSvn >= 5 is false',
      '    snp.guestSvn is 4',
      '  snp.product == "Milan" is true',
      '    snp.product is "Milan"',
    ]);
  });

  it('names what is absent in its first line, and again where it stands', () => {
    expect(all('size(tpm.eventLog.applications) == 2')).toEqual([
      'size(tpm.eventLog.applications) == 2 has no value: tpm.eventLog.applications is',
      '    absent',
      '  size(tpm.eventLog.applications) has no value',
      '    tpm.eventLog.applications is absent',
    ]);
  });

  it('says of a branch that it was not looked at', () => {
    expect(all('snp.vmpl == 0 ? snp.guestSvn > 1 : snp.version > 3')).toContain('  snp.version > 3 was not looked at');
  });

  it('leaves out, in short, what is true and no claim', () => {
    expect(against("snp.guestSvn >= 5 && snp.product == 'Milan'")).toEqual([
      'snp.guestSvn >= 5 && snp.product == "Milan" is false',
      '  snp.guestSvn >= 5 is false',
      '    snp.guestSvn is 4',
    ]);
  });

  it('shows what is true below what negates it', () => {
    expect(against('!(snp.vmpl == 0)')).toEqual([
      '!(snp.vmpl == 0) is false',
      '  snp.vmpl == 0 is true',
      '    snp.vmpl is 0',
    ]);
  });

  it('says which item of a list it is about', () => {
    const lines = all('snp.platformInfo.unknownBits.all(n, n != snp.guestSvn)');
    expect(lines.some((line) => line.includes('is false (n is 4)'))).toBe(true);
  });

  it('says why an authority of a release policy is not the issuer', () => {
    const document = {
      version: '1.0.0',
      anyOf: [
        { authority: 'https://a.weu.attest.azure.net/', allOf: [{ claim: 'secureboot', equals: true }] },
        { authority: 'https://a.weu.attest.azure.net', allOf: [{ claim: 'secureboot', equals: true }] },
      ],
    };
    const { policy } = readReleasePolicy(document, '');
    if (policy === null) throw new Error('no release policy');
    const token = { issuer: 'https://a.weu.attest.azure.net', claims: {} };
    const lines = ruleLines(evaluateReleasePolicy(policy, token, 'strict').explanation, 0, false);
    const text = lines.map((line) => line.trim()).join(' ');
    expect(text).toContain('was not looked at: the authority ends in a slash, the issuer does not');
    expect(text).toContain('secureboot equals true has no value secureboot has no value: secureboot is absent');
  });

  it('writes nothing that a terminal would obey', () => {
    const hostile = '\u001b[2J\u202e\r';
    const part = { text: `a${hostile}\n  b`, state: 'value', value: hostile, note: hostile, parts: [] } as const;
    const undefinedPart = { ...part, state: 'undefined', value: null } as const;
    const above = { ...undefinedPart, parts: [part, undefinedPart, { ...part, state: 'not reached' }] } as const;
    const text = ruleLines(above, 0, true).join('');
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('\\u001b[2J');
  });
});
