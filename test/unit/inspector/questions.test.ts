import { describe, expect, it } from 'vitest';
import { chainOfTrust } from '../../../src/inspector/chain-of-trust.js';
import { checksFor, claimsFor, QUESTIONS } from '../../../src/inspector/questions.js';
import { CHECK_IDS } from '../../../src/model/codes.js';

const question = (name: string) => {
  const found = QUESTIONS.find((each) => each.name === name);
  if (found === undefined) throw new Error('no such question');
  return found;
};

const ALLOWED = { decision: 'allow', isNonceOfBody: false };

describe('questions', () => {
  it('have every check, each under one of them', () => {
    const checks = CHECK_IDS.map((id) => ({ id, result: 'pass' as const, about: '/evidence' }));
    const shown = QUESTIONS.flatMap((each) => checksFor(each, checks));
    expect(shown.map(({ id }) => id).sort()).toEqual([...CHECK_IDS].sort());
    expect(chainOfTrust('snp', checks, ALLOWED).flatMap((link) => link.checks)).toHaveLength(CHECK_IDS.length);
  });

  it('have claims by their paths, and nothing in place of those that are not there', () => {
    const claims = { snp: { product: 'Milan', chipId: null, part: 0 }, tdx: null };
    expect(claimsFor(question('hardware'), claims)).toEqual([
      ['snp.product', 'Milan'],
      ['snp.part', 0],
    ]);
    expect(claimsFor(question('azure'), { maa: { issuer: 'i', claims: {} } })).toEqual([['maa.issuer', 'i']]);
    expect(claimsFor(question('boot'), null)).toEqual([]);
    expect(claimsFor({ ...question('boot'), claims: ['constructor.name'] }, {})).toEqual([]);
  });
});
