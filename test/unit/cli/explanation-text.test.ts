import { describe, expect, it } from 'vitest';
import { explainedDecision } from '../../../src/cli/decision-table.js';
import { explanationText } from '../../../src/cli/explanation-text.js';
import type { Check } from '../../../src/core/check.js';
import type { Decision } from '../../../src/core/decision.js';
import { explain } from '../../../src/policy/cel/explain.js';
import { parseRule } from '../../../src/policy/cel/parse-rule.js';
import { presentDecision } from '../../../src/wire/present-decision.js';
import { DECISION } from '../wire/sample-decision.js';

const BRIEF = { inColour: false, everything: false };
const ESCAPE = '\u001b[';

const treeOf = (decision: Decision) => {
  const { explanation } = presentDecision(decision, { allChecks: true, explain: true });
  if (explanation === undefined) throw new Error('no explanation');
  return explanation;
};
const brief = (decision: Decision) => explanationText(treeOf(decision), BRIEF);
const whole = (decision: Decision) => explanationText(treeOf(decision), { ...BRIEF, everything: true });

function check(id: Check['id'], result: Check['result'], more: Partial<Check> = {}): Check {
  return {
    id,
    result,
    about: '/evidence/report',
    expected: null,
    actual: null,
    detail: `${id} ${result}`,
    policy: null,
    ...more,
  };
}

const PASSING = [check('snp_signature', 'pass'), check('snp_vmpl', 'pass', { expected: [0], actual: 0 })];
const ALLOW: Decision = {
  ...DECISION,
  decision: 'allow',
  reasons: [],
  checks: PASSING,
  policies: [],
  endorsements: [],
};
const withCheck = (added: Check): Decision => ({
  ...ALLOW,
  decision: 'deny',
  reasons: [added.id],
  checks: [...PASSING, added],
});

describe('an explanation for people', () => {
  it('is one line for a group of checks that all pass', () => {
    expect(brief(ALLOW)).toBe('pass  AMD SEV-SNP  (2 pass)\n');
  });

  it('names rules that are met by their ids, beside one that is not', () => {
    const of = { policy: 'payments', about: '/evidence' };
    const rule = (expected: string, result: Check['result']) => check('rule_not_met', result, { ...of, expected });
    const checks = [
      rule('patched', 'fail'),
      rule('region', 'pass'),
      rule('host', 'pass'),
      check('nonce_missing', 'pass', of),
    ];
    const policies = [{ id: 'payments', version: 1, sha256: '', outcome: 'deny' as const, matched: [], unmatched: [] }];
    const lines = brief({ ...ALLOW, decision: 'deny', reasons: ['rule_not_met'], checks, policies }).split('\n');
    expect(lines.filter((line) => / {2}(pass|fail) /.test(line))).toEqual([
      '  fail  rule_not_met  at /evidence',
      '  pass  rule region, rule host, nonce_missing',
    ]);
  });

  it('lists each check, with compared values, where everything is asked for', () => {
    expect(whole(ALLOW)).toBe(
      [
        'pass  AMD SEV-SNP  (2 pass)',
        '  pass  snp_signature  at /evidence/report',
        '      snp_signature pass',
        '  pass  snp_vmpl  at /evidence/report',
        '      snp_vmpl pass',
        '      expected  [0]',
        '      actual    0',
        '',
      ].join('\n'),
    );
  });

  it('has place, sentence, both values and remedy of a check that fails, and names those that pass', () => {
    const fail = check('snp_chip_id', 'fail', { expected: { a: 1, b: ['x'] }, actual: 'y' });
    expect(brief(withCheck(fail))).toMatch(
      new RegExp(
        [
          '^fail  AMD SEV-SNP  \\(1 fail, 2 pass\\)',
          '  fail  snp_chip_id  at /evidence/report',
          '      snp_chip_id fail',
          '      expected  \\{"a":1, "b":\\["x"\\]\\}',
          '      actual    y',
          '      remedy    [A-Z][^]*',
          '  pass  snp_signature, snp_vmpl',
          '$',
        ].join('\n'),
      ),
    );
  });

  it('shows a value that was found where nothing in particular was expected, and null where something was', () => {
    expect(brief(withCheck(check('snp_chip_id', 'fail', { actual: 3 })))).toMatch(/^ {6}actual {4}3$/m);
    expect(brief(withCheck(check('snp_chip_id', 'fail', { actual: 3 })))).not.toContain('expected');
    expect(brief(withCheck(check('snp_chip_id', 'fail', { expected: 3 })))).toMatch(/^ {6}actual {4}null$/m);
  });

  it('has the worst first', () => {
    const lines = brief(DECISION).split('\n');
    const of = (start: string) => lines.findIndex((line) => line.startsWith(start));
    expect(of('fail  vTPM')).toBe(0);
    expect(of('unavailable  Endorsements within reach')).toBeGreaterThan(0);
    expect(of('pass  AMD SEV-SNP')).toBeGreaterThan(of('unavailable  '));
    expect(of('Endorsements')).toBeGreaterThan(of('pass  AMD SEV-SNP'));
  });

  it('has one line for checks that were skipped for one reason', () => {
    const text = brief(DECISION);
    expect(text).toContain('  skipped  tpm_magic, tpm_not_quote: the signature did not hold\n');
  });

  it('is short on warnings where something else decides, and says what to do where nothing does', () => {
    const warn = check('snp_debug', 'warn', { expected: false, actual: true });
    const warned = { ...ALLOW, checks: [...PASSING, warn] };
    expect(brief(warned)).toMatch(/actual {4}true\n {6}remedy /);
    const denied = brief({ ...withCheck(check('snp_chip_id', 'fail')), checks: [warn, check('snp_chip_id', 'fail')] });
    expect(denied).toContain('snp_debug warn');
    expect(denied).not.toContain('actual    true');
  });

  it('has each part of a rule, also of one that is met where everything is asked for', () => {
    const claims = new Map([['snp', { guestSvn: 4 }]]);
    const rule = (cel: string, result: 'pass' | 'fail') =>
      check('rule_not_met', result, {
        policy: 'payments',
        explain: () => explain(parseRule(cel), claims),
      });
    const decision = { ...DECISION, checks: [rule('snp.guestSvn >= 5', 'fail'), rule('snp.guestSvn == 4', 'pass')] };
    const parts = '      rule\n        snp.guestSvn >= 5 is false\n          snp.guestSvn is 4\n';
    expect(brief(decision)).toContain(parts);
    expect(brief(decision)).not.toContain('snp.guestSvn == 4');
    expect(whole(decision)).toContain('        snp.guestSvn == 4 is true\n');
  });

  it('has the path to the root in its order, then CRLs, with digests shortened', () => {
    const used = (kind: 'ark' | 'ask' | 'vcek' | 'crl', sha256: string) => {
      const notAfter = new Date('2030-01-01T00:00:00Z');
      return {
        kind,
        sha256: sha256.repeat(64),
        source: 'network',
        notAfter,
        fetchedAt: null,
        revocation: 'good',
      } as const;
    };
    const endorsements = [used('crl', '1'), used('ark', '2'), used('vcek', '3'), used('ask', '4')];
    const text = brief({ ...ALLOW, endorsements });
    expect([...text.matchAll(/^ {4}(\w+) {2}/gm)].map(([, name]) => name)).toEqual(['VCEK', 'ASK', 'ARK', 'CRL']);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(
      `ASK certifies the VCEK; from the network, valid until 2030-01-01T00:00:00Z, not revoked, SHA-256 ${'4'.repeat(16)}…`,
    );
    expect(whole({ ...ALLOW, endorsements })).toContain('4'.repeat(30));
    expect(whole({ ...ALLOW, endorsements })).not.toContain('…');
  });

  it('cuts what is long and says how long it is, but not where everything is asked for', () => {
    const long = withCheck(check('snp_chip_id', 'fail', { actual: 'a'.repeat(1000) }));
    expect(brief(long)).toContain('… (1000 characters)');
    expect(
      whole(long)
        .match(/a{10,}/g)
        ?.join(''),
    ).toHaveLength(1000);
  });

  it('has no line longer than 80 characters', () => {
    const words = Array(60).fill('words').join(' ');
    const long = check('snp_chip_id', 'fail', { expected: words, actual: 'ab'.repeat(96), detail: words });
    for (const line of brief(withCheck(long)).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('has colours only where it may, and the same text with them', () => {
    const tree = treeOf(DECISION);
    const coloured = explanationText(tree, { inColour: true, everything: false });
    expect(coloured).toContain(ESCAPE);
    expect(explanationText(tree, BRIEF)).not.toContain(ESCAPE);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes are what is taken out
    expect(coloured.replaceAll(/\u001b\[\d+m/g, '')).toBe(explanationText(tree, BRIEF));
  });

  it('writes nothing of the evidence that a terminal would obey', () => {
    const hostile = '\u001b[2J\u009b31m\r\n\u202eALLOW';
    const shown = { about: hostile, detail: hostile, expected: hostile, actual: [hostile] };
    const text = brief(withCheck(check('snp_chip_id', 'fail', shown)));
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('\\u001b[2J');
  });

  it('stands below what was decided, by which policies, and why', () => {
    const { explanation, ...presented } = presentDecision(DECISION, { allChecks: true, explain: true });
    if (explanation === undefined) throw new Error('no explanation');
    const text = explainedDecision(presented, explanation, { ...BRIEF, chosen: ['nonce'] });
    expect(text).toMatch(
      /^DENY {2}az-snp-vtpm abababababababab\npolicy {4}payments version 3: deny\nfrom body nonce\nuntil .*\nreasons {3}tpm_signature, crl_unavailable\n\nfail {2}vTPM/,
    );
  });
});
