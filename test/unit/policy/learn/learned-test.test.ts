import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { appraiseClaims } from '../../../../src/policy/appraise/appraise-claims.js';
import { Asserted } from '../../../../src/policy/appraise/asserted.js';
import { combinationOfSet } from '../../../../src/policy/learn/combination.js';
import { keptCases } from '../../../../src/policy/learn/kept-cases.js';
import type { TryClaims } from '../../../../src/policy/learn/learned-cases.js';
import type { LearnedPolicy } from '../../../../src/policy/learn/learned-policy.js';
import { learnedTest } from '../../../../src/policy/learn/learned-test.js';
import { runCases } from '../../judge/learn-fixture.js';
import { policy, tpmClaims } from '../fixture.js';

function learnedWith(sets: readonly JsonObject[], ruleCount = 0): LearnedPolicy {
  const referenceValues = sets.map((tpm) => ({ tpm }));
  const rules = Array.from({ length: ruleCount }, (_, index) => ({ id: `rule-${index}`, cel: 'tpm.clock.safe' }));
  const read = policy({ accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' }, referenceValues, rules });
  return { policy: read, isNew: true, added: [], seenAgain: new Map(), notes: [] };
}

/** Sets of two PCRs: three cases each, or two where the PCRs are changed together. */
const setsOfTwo = (count: number) =>
  Array.from({ length: count }, (_, set) => ({
    pcrs: { sha256: { '0': [set.toString(16).padStart(64, '0')], '7': ['ab'.repeat(32)] } },
  }));

const appraised: TryClaims = (under, type, claims) =>
  appraiseClaims(under, { type, asserted: Asserted.of(claims), at: new Date('2026-06-01T12:00:00Z') });

/** For counting cases alone. */
const allowed: TryClaims = () => ({ outcome: 'allow', matched: [], unmatched: [], reasons: [], checks: [] });

const written = (learned: LearnedPolicy, tryClaims: TryClaims, before: string | null = null) =>
  learnedTest(
    learned,
    [],
    'learned.yaml',
    keptCases(before === null ? null : { name: 'learned.test.yaml', text: before }),
    tryClaims,
  );

/** A test that has cases of these names. */
const testOf = (names: readonly string[]) =>
  `policy: learned.yaml\ncases:\n${names.map((name) => `  - name: ${name}\n    request: a.json\n    expect: { outcome: deny }\n`).join('')}`;

function namesIn({ text }: ReturnType<typeof learnedTest>): readonly string[] {
  return [...(text ?? '').matchAll(/^ {2}- name: (.*)$/gm)].map(([, name = '']) => name);
}

describe('a learned test', () => {
  it('has a case for each member, as long as a test may have so many', () => {
    expect(namesIn(written(learnedWith(setsOfTwo(333)), allowed))).toHaveLength(999);
  });

  it.each([
    [1, 999],
    [2, 666],
  ])('counts the cases of %i rules too', (rules, cases) => {
    // One set without a machine has no case: its rules would need claims.
    const learned = learnedWith(setsOfTwo(333), rules);
    const { policy: read } = learned;
    const seen = read.referenceValues.map((set) => ({
      combination: combinationOfSet(set),
      evidence: [{ seen: { type: 'tpm' as const, claims: { tpm: tpmClaims() } } }],
    }));
    const added = seen as unknown as LearnedPolicy['added'];
    expect(namesIn(written({ ...learned, added }, allowed)).filter((name) => name.startsWith('set'))).toHaveLength(
      cases,
    );
  });

  it('changes all members of a set in one case where there would be too many', () => {
    const names = namesIn(written(learnedWith(setsOfTwo(334)), allowed));
    expect(names).toHaveLength(668);
    expect(names.slice(0, 2)).toEqual(['set 1, as it is', 'set 1, with other values, which another set has']);
  });

  it('does so too where the text would be too long, and each case comes to what it expects', () => {
    const pcrs = Array.from({ length: 15 }, (_, index) => [String(index), ['ab'.repeat(32)]] as const);
    const sets = ['a', 'b'].map((letter) => ({
      boot: { commandLines: Array.from({ length: 12 }, (_, line) => `${letter.repeat(4000)} ${line}`) },
      pcrs: { sha256: Object.fromEntries(pcrs) },
    }));
    const learned = learnedWith(sets);
    const { results, names } = runCases(written(learned, appraised).text, learned.policy);
    expect(names).toEqual(
      sets.flatMap((_, set) => ['as it is', 'with other values'].map((what) => `set ${set + 1}, ${what}`)),
    );
    for (const { expect: expected, found } of results) expect(found).toEqual(expected);
    expect(results.map(({ found }) => found.outcome)).toEqual(['allow', 'deny', 'allow', 'deny']);
  });

  it('has cases that somebody added behind its own, and a note says so', () => {
    const before = testOf(['ours', 'set 1', 'set 1, as it is in the rack', 'set 1, with another kernel of ours']);
    const { text, notes } = written(learnedWith(setsOfTwo(1)), allowed, before);
    expect(namesIn({ text, notes })).toEqual([
      'set 1, as it is',
      'set 1, with another tpm.pcrs.sha256.0, which another set has',
      'set 1, with another tpm.pcrs.sha256.7, which another set has',
      'ours',
      'set 1',
      'set 1, as it is in the rack',
      'set 1, with another kernel of ours',
    ]);
    expect(notes).toEqual(['4 cases of the test that policy learn did not write are kept']);
  });

  it('has no case twice that was made before, where members are changed together', () => {
    const together = written(learnedWith(setsOfTwo(334)), allowed);
    expect(namesIn(together)).toContain('set 1, with other values, which another set has');
    expect(written(learnedWith(setsOfTwo(334)), allowed, together.text)).toEqual(together);
  });

  it('makes room for cases that are kept, or is none', () => {
    const names = Array.from({ length: 2 }, (_, index) => `own ${index}`);
    expect(namesIn(written(learnedWith(setsOfTwo(333)), allowed, testOf(names)))).toHaveLength(668);
    expect(written(learnedWith(setsOfTwo(500)), allowed, testOf(['own']))).toEqual({
      text: null,
      notes: ['there are too many sets for one test (500) beside 1 case of your own, so none is written'],
    });
  });

  it('is refused where the test before does not load, since it may have cases that somebody added', () => {
    expect(() => written(learnedWith(setsOfTwo(1)), allowed, 'policy: learned.yaml\ncases: []\n')).toThrow(
      /^learned\.test\.yaml: \/cases: .*\n?.*learned\.test\.yaml: cases that you added are kept: correct the test, or remove it$/,
    );
  });

  it('is none where no set has a case, since a test without cases is malformed', () => {
    expect(written(learnedWith(setsOfTwo(2), 1), appraised)).toEqual({
      text: null,
      notes: ['without a case in the test, since rules need claims of their evidence: set 1, 2'],
    });
  });

  it('is none, and a note says so, where two cases for each set are too many', () => {
    expect(written(learnedWith(setsOfTwo(501)), allowed)).toEqual({
      text: null,
      notes: ['there are too many sets for one test (501), so none is written'],
    });
  });
});
