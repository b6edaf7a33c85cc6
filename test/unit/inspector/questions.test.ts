import { describe, expect, it } from 'vitest';
import { chainOfTrust } from '../../../src/inspector/chain-of-trust.js';
import { checksFor, claimsFor, factsFor, QUESTIONS } from '../../../src/inspector/questions.js';
import { CHECK_IDS } from '../../../src/tee/catalogue.js';

const question = (name: string) => {
  const found = QUESTIONS.find((each) => each.name === name);
  if (found === undefined) throw new Error('no such question');
  return found;
};

const ALLOWED = { decision: 'allow', nonceBy: 'caller' } as const;

describe('what an answer says beside its claims', () => {
  const used = {
    kind: 'vcek',
    sha256: 'ab'.repeat(32),
    source: 'store',
    notAfter: '2030-01-01T00:00:00Z',
    revocation: 'good',
  };
  const recorded = { kind: 'ark', sha256: 'cd'.repeat(32), source: 'evidence', notAfter: null };
  const answer = {
    binding: { jkt: 'thumb' },
    freshness: { bound: ['snp.reportData'] },
    endorsements: [used, recorded],
  };

  it('is the bound key, where the nonce stands, and which endorsements were used, and whence', () => {
    expect(factsFor(question('key'), answer)).toEqual(['The bound key: thumbprint thumb (RFC 7638).']);
    expect(factsFor(question('key'), { ...answer, freshness: { bound: [] } })).toEqual([
      'Nothing vouches for the key that the request names: thumbprint thumb (RFC 7638).',
    ]);
    expect(factsFor(question('fresh'), answer)).toEqual(['Nonce and key are vouched for by snp.reportData.']);
    expect(factsFor(question('fresh'), { ...answer, binding: null })).toEqual([
      'The nonce is vouched for by snp.reportData.',
    ]);
    expect(factsFor(question('hardware'), answer)).toEqual([
      "VCEK abababababababab…, from the service's folder, until 2030-01-01T00:00:00Z, revocation: good.",
      'ARK cdcdcdcdcdcdcdcd…, brought by the request.',
    ]);
  });

  it('is nothing where there is none, and for other questions', () => {
    const none = { binding: null, freshness: { bound: [] }, endorsements: [] };
    expect(QUESTIONS.flatMap((each) => factsFor(each, none))).toEqual([]);
    expect(['firmware', 'boot', 'azure', 'limits'].flatMap((name) => factsFor(question(name), answer))).toEqual([]);
  });
});

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
