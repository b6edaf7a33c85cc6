import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import type { Comparison } from '../../../../src/policy/akv/compare-values.js';
import { couldBeMet } from '../../../../src/policy/akv/could-be-met.js';
import { read, TEE, written } from './fixture.js';

const CONFIGURATION = `${TEE}.x-ms-runtime.vm-configuration`;
const VIEW: JsonObject = {
  'x-ms-attestation-type': 'azurevm',
  [TEE]: {
    'x-ms-attestation-type': 'sevsnpvm',
    'x-ms-sevsnpvm-is-debuggable': false,
    'x-ms-sevsnpvm-vmpl': 0,
    'x-ms-runtime': {
      'client-payload': { role: 'web' },
      'vm-configuration': { 'secure-boot': true, 'current-time': 1_600_000_000 },
    },
  },
  absent: ['iss', 'x-ms-policy-hash', `${TEE}.x-ms-compliance-status`],
};

const VMPL = { claim: `${TEE}.x-ms-sevsnpvm-vmpl`, equals: 0 };
const OTHER_VMPL = { claim: `${TEE}.x-ms-sevsnpvm-vmpl`, equals: 1 };
const OPEN = { claim: 'vm-role', equals: 'db' };

const could = (comparison: Comparison, ...conditions: readonly JsonObject[]) =>
  couldBeMet(read(written(...conditions)), VIEW, comparison);

describe('whether a token about the same TEE could meet a release policy', () => {
  it.each<[string, JsonObject]>([
    ['what only Azure Attestation states', { claim: `${TEE}.x-ms-compliance-status`, equals: 'azure-compliant-cvm' }],
    ['a claim that an instance issues', OPEN],
    ['a claim that an instance issues, in an object', { claim: 'x-ms-policy.tier', equals: 'gold' }],
    ['what was measured at the start of a container', { claim: 'x-ms-inittime.a', equals: 'b' }],
    ['a key that the token confirms', { claim: 'cnf.jwk.kid', equals: 'a' }],
    ['what the guest sends along', { claim: 'x-ms-runtime.client-payload.role', equals: 'db' }],
    [
      'a claim that is there, and that no table has',
      { claim: `${TEE}.x-ms-runtime.client-payload.role`, equals: 'db' },
    ],
    ['the time of a report', { claim: `${CONFIGURATION}.current-time`, greater: 1_700_000_000 }],
    ['the firmware version of a view without', { claim: `${TEE}.x-ms-sevsnpvm-snpfw-svn`, greater: 200 }],
    ['that a claim is there', { claim: 'vm-role', exists: true }],
  ])('leaves open %s', (_, condition) => {
    expect(could('strict', VMPL, condition)).toBe(true);
    expect(could('compatible', VMPL, condition)).toBe(true);
  });

  it.each<[string, JsonObject]>([
    ['another value', OTHER_VMPL],
    ['another type of TEE', { claim: `${TEE}.x-ms-attestation-type`, equals: 'tdxvm' }],
    ['a value that it must not have', { claim: `${CONFIGURATION}.secure-boot`, notEquals: true }],
    ['an object, which equals no value', { claim: TEE, equals: 'sevsnpvm' }],
    ['that a claim is not there, which no token meets', { claim: 'vm-role', exists: false }],
  ])('is ruled out by %s', (_, condition) => {
    expect(could('strict', OPEN, condition)).toBe(false);
    expect(could('compatible', OPEN, condition)).toBe(false);
  });

  it('compares as it is told', () => {
    const text = { claim: `${TEE}.x-ms-sevsnpvm-is-debuggable`, equals: 'false' };
    expect([could('strict', text), could('compatible', text)]).toEqual([false, true]);
    const exists = { claim: 'vm-role', exists: 'true' };
    expect([could('strict', exists), could('compatible', exists)]).toEqual([false, true]);
  });

  it('needs one branch of anyOf, and every condition of allOf', () => {
    expect(could('strict', { anyOf: [OTHER_VMPL, OPEN] })).toBe(true);
    expect(could('strict', { anyOf: [OTHER_VMPL, { allOf: [OPEN, OTHER_VMPL] }] })).toBe(false);
  });

  it('needs one entry, whatever its authority', () => {
    const entry = (...allOf: readonly JsonObject[]) => ({ authority: 'https://mine.example', allOf });
    const policy = (...anyOf: readonly JsonObject[]) => read({ version: '1.0.0', anyOf });
    expect(couldBeMet(policy(entry(OTHER_VMPL), entry(VMPL)), VIEW, 'strict')).toBe(true);
    expect(couldBeMet(policy(entry(OTHER_VMPL), entry(OTHER_VMPL)), VIEW, 'strict')).toBe(false);
  });
});
