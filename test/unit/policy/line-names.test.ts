import { describe, expect, it } from 'vitest';
import { servedLines } from '../../../src/app/amd-lines.js';
import { AMD_LINES, type AmdLines } from '../../../src/core/amd-lines.js';
import type { JsonObject } from '../../../src/core/json.js';
import { parsePolicy } from '../../../src/policy/document/policy-document.js';
import { PolicyError } from '../../../src/policy/document/policy-problem.js';
import { lintPolicy } from '../../../src/policy/lint/lint.js';
import { configurationWith, productsOf } from '../../configured-lines.js';
import { createAmdPki } from '../../lab/index.js';
import { policyText } from './fixture.js';

const LINES = servedLines(configurationWith(productsOf(createAmdPki(), 'Venice', 'Florence')));

const TERMS = { reason: 'r', approver: 'a', expires: '2030-01-01' };

/** Each problem as `pointer: what`. */
function problemsOf(members: JsonObject, lines: AmdLines | null): readonly string[] {
  try {
    parsePolicy(policyText(members), { lines });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.policyProblems.map(({ pointer, message }) => `${pointer}: ${message}`);
  }
  return [];
}

const minimums = (snp: JsonObject) => ({ minimums: { snp } });
const rule = (cel: string) => ({ rules: [{ id: 'one', cel }] });
const set = (product: string) => ({ referenceValues: [{ appliesTo: { product }, snp: { vmpl: [0] } }] });
const waiver = (part: string, floor: JsonObject) => ({
  minimums: { snp: { [part]: { snp: 9, fmc: 9 } } },
  waivers: [{ check: 'snp_tcb_low', value: { part, floor }, ...TERMS }],
});

const NAMING: readonly (readonly [string, JsonObject, readonly string[]])[] = [
  [
    'minimums',
    minimums({ Milan: { snp: 1 }, 'Venice-Dense': { fmc: 1 }, Florence: { snp: 1 } }),
    ['/minimums/snp/Venice-Dense', '/minimums/snp/Florence'],
  ],
  [
    'appliesTo',
    { ...set('Venice'), ...minimums({ Venice: { snp: 1 } }) },
    ['/minimums/snp/Venice', '/referenceValues/0/appliesTo/product'],
  ],
  ['a waiver', waiver('Venice', { fmc: 1 }), ['/minimums/snp/Venice', '/waivers/0/value']],
  ['a rule about the line', rule("snp.product == 'Venice'"), ['/rules/0/cel']],
  ['a rule about lines', rule("snp.product in ['Milan', 'Venice', 'Florence']"), ['/rules/0/cel', '/rules/0/cel']],
  ['a rule about another line', rule("snp.vmpl == 0 && !('Venice' != snp.product)"), ['/rules/0/cel']],
  ['a rule about the part', rule("snp.part == 'Venice-Dense' || snp.part == 'unknown'"), ['/rules/0/cel']],
  ['a choice in a rule', rule("snp.product == (snp.vmpl == 0 ? 'Venice' : 'Milan')"), ['/rules/0/cel']],
];

describe('a policy that names a product line of the configuration', () => {
  it.each(NAMING)('in %s loads where the line is configured', (_where, members) => {
    expect(problemsOf(members, LINES)).toEqual([]);
  });

  it.each(NAMING)('in %s loads whatever is configured, where nobody says what is', (_where, members) => {
    expect(problemsOf(members, null)).toEqual([]);
  });

  it.each(NAMING)('in %s does not load where the line is not configured', (_where, members, pointers) => {
    const problems = problemsOf(members, AMD_LINES);
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(':')))).toEqual(pointers);
    for (const problem of problems) {
      expect(problem).toMatch(/there is no (product line|part) \S+, neither built in nor in amd\.products/);
    }
  });

  it('is linted with a remedy that names the key of the configuration', () => {
    const paravisorKeys = new Set<string>();
    const facts = { at: new Date(), manyIssuers: [], knownAuthorities: () => true, paravisorKeys };
    const [problem] = lintPolicy(policyText(rule("snp.product == 'Venice'")), { ...facts, lines: AMD_LINES });
    expect(problem).toMatchObject({
      code: 'policy_schema',
      severity: 'error',
      remedy: 'Correct the name, or add the product line to amd.products of the configuration.',
    });
  });

  it('is told the name that is meant', () => {
    expect(problemsOf(set('Millan'), LINES)).toContain(
      '/referenceValues/0/appliesTo/product: there is no product line Millan, neither built in nor in amd.products; did you mean Milan?',
    );
    expect(problemsOf(minimums({ 'Venice-dense': { snp: 1 } }), LINES)).toEqual([
      '/minimums/snp/Venice-dense: there is no part Venice-dense, neither built in nor in amd.products; did you mean Venice-Dense?',
    ]);
  });

  it('SNP-17 does not load with a floor for FMC where the TCB of the line has none', () => {
    const problem = 'has a floor for fmc, and TCB versions of Florence have no such component';
    expect(problemsOf(minimums({ Florence: { fmc: 1 } }), LINES)).toEqual([`/minimums/snp/Florence: ${problem}`]);
    expect(problemsOf(waiver('Florence', { fmc: 1, snp: 1 }), LINES)).toContain(`/waivers/0/value: ${problem}`);
  });

  it('does not load with a set for the line where its minimums list built-in parts alone, or the other way round', () => {
    const unused = '/referenceValues: no evidence can match any of these sets, so none would pass';
    expect(problemsOf({ ...set('Venice'), ...minimums({ Milan: { snp: 1 } }) }, LINES)).toEqual([unused]);
    expect(problemsOf({ ...set('Milan'), ...minimums({ Venice: { snp: 1 } }) }, LINES)).toEqual([unused]);
  });

  it('says nothing of texts that are compared with other claims', () => {
    expect(problemsOf(rule("snp.cspId == 'Venice' || evidence.type == 'snp'"), AMD_LINES)).toEqual([]);
  });
});
