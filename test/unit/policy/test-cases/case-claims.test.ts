import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { PolicyError } from '../../../../src/policy/document/policy-problem.js';
import { readCaseClaims } from '../../../../src/policy/test-cases/case-claims.js';
import { parseClaimPath } from '../../../../src/policy/test-cases/claim-path.js';

const PATH = ['cases', 3];

function read(given: JsonValue, set: JsonObject = {}, file: string | null = null) {
  const changes = Object.entries(set).map(([text, value]) => ({ text, path: parseClaimPath(text) ?? [], value }));
  return readCaseClaims({ given, changes, path: PATH, file });
}

function problemsOf(given: JsonValue, set: JsonObject = {}, file: string | null = null): readonly string[] {
  try {
    read(given, set, file);
  } catch (error) {
    if (!(error instanceof PolicyError) || error.policyProblems.length === 0) throw error;
    return error.policyProblems.map(({ pointer, message }) => `${pointer}: ${message}`);
  }
  return [];
}

describe('claims of a case', () => {
  it('are taken as they are, or from a whole answer', () => {
    expect(read({ snp: { vmpl: 0 } })).toEqual({ snp: { vmpl: 0 } });
    expect(read({ decision: 'deny', claims: { snp: { vmpl: 0 }, tdx: null } })).toEqual({ snp: { vmpl: 0 } });
  });

  it('are changed one after the other', () => {
    expect(read({ snp: { vmpl: 0 } }, { snp: null, 'snp.vmpl': 2, 'hcl.paravisor.known': true })).toEqual({
      snp: { vmpl: 2 },
      hcl: { paravisor: { known: true } },
    });
    expect(read({ claims: { snp: { vmpl: 0 } } }, { 'snp.vmpl': 1 })).toEqual({ snp: { vmpl: 1 } });
    expect(read({ maa: { claims: { a: 1 } } }, { 'maa.claims["a"]': null, 'maa.issuer': 'https://x' })).toEqual({
      maa: { issuer: 'https://x', claims: {} },
    });
  });

  it('are refused with a claim that there is not, at its place', () => {
    expect(problemsOf({ snp: { vmlp: 0 } })).toEqual(['/cases/3/claims/snp: has no claim "vmlp"; did you mean vmpl?']);
    expect(problemsOf({ claims: { snp: { vmpl: '0' } } })).toEqual([
      '/cases/3/claims/claims/snp/vmpl: must be of type int',
    ]);
    expect(problemsOf({ snp: { vmpl: '0' } }, {}, 'c.json')).toEqual([
      '/cases/3/claims: c.json: /snp/vmpl: must be of type int',
    ]);
    expect(problemsOf({ hcl: { vmConfiguration: { 'secure-boot': true, newMember: 1 } } })).toEqual([
      '/cases/3/claims/hcl/vmConfiguration: has no claim "secure-boot"; did you mean secureBoot?',
    ]);
    expect(problemsOf([], {}, 'c.json')).toEqual(['/cases/3/claims: c.json: document: must be an object']);
  });

  it('take the iss of a token as its issuer where none is given', () => {
    const claims = { iss: 'https://a', secureboot: true };
    expect(read({ maa: { claims }, ita: { claims: { iss: 'https://b' } } })).toMatchObject({
      maa: { issuer: 'https://a', claims },
      ita: { issuer: 'https://b' },
    });
    expect(read({ maa: { issuer: 'https://c', claims } })).toMatchObject({ maa: { issuer: 'https://c' } });
    expect(problemsOf({ maa: { claims: { iss: 7 } } })).toEqual([
      '/cases/3/claims/maa/claims/iss: must be of type string',
    ]);
    expect(read({ maa: { claims: {} } })).toMatchObject({ maa: { issuer: null } });
    expect(read({ maa: { claims } }, { 'maa.claims.iss': 'https://d' })).toMatchObject({
      maa: { issuer: 'https://d' },
    });
  });

  it('say once where the claims of a token stand', () => {
    const hint = 'the claims of a token stand in maa.claims, and its issuer in maa.issuer';
    expect(problemsOf({ iss: 'https://a', secureboot: true })).toEqual([
      `/cases/3/claims: has no claim "iss"; ${hint}`,
      '/cases/3/claims: has no claim "secureboot"',
    ]);
    expect(problemsOf({ maa: { 'x-ms-ver': '1.0' } })).toEqual([
      `/cases/3/claims/maa: has no claim "x-ms-ver"; ${hint}`,
    ]);
    expect(problemsOf({ ita: { iss: 'https://a' } })).toEqual([
      `/cases/3/claims/ita: has no claim "iss"; ${hint.replaceAll('maa', 'ita')}`,
    ]);
    expect(problemsOf({ snp: { iss: 'https://a' } })).toEqual(['/cases/3/claims/snp: has no claim "iss"']);
  });

  it('are refused with a change that is wrong, each at its own path', () => {
    const set = { 'snp.vmlp': 1, 'snp.measurement': 'ab', 'snp.vmpl': 1, 'tpm.clock.safe': null };
    expect(problemsOf({ snp: { vmpl: 0 } }, set)).toEqual([
      '/cases/3/set/snp.vmlp: has no claim "vmlp"; did you mean vmpl?',
      '/cases/3/set/snp.measurement: must be 96 hex digits in lower case',
      '/cases/3/set/tpm.clock.safe: removes a claim that is not there',
    ]);
  });
});
