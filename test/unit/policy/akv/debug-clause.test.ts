import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { lintReleasePolicy } from '../../../../src/policy/akv/lint-release-policy.js';
import { ISSUER, read, TEE, written } from './fixture.js';
import { linted } from './lint-fixture.js';

const OTHER = { claim: 'mine', equals: 1 };
const SNP = { claim: `${TEE}.x-ms-sevsnpvm-is-debuggable`, equals: false };
const SNP_TYPE = { claim: `${TEE}.x-ms-attestation-type`, equals: 'sevsnpvm' };
const TDX_TYPE = { claim: `${TEE}.x-ms-attestation-type`, equals: 'tdxvm' };

/** The problems of an entry as a whole. */
const debugOf = (...conditions: readonly JsonObject[]) => linted(written(...conditions))['akv_no_debug /anyOf/0'];

describe('lint of debug', () => {
  it.each<JsonObject>([
    SNP,
    { claim: SNP.claim, equals: 'false' },
    { claim: SNP.claim, notEquals: true },
    { claim: SNP.claim, notEquals: 'true' },
    { claim: 'x-ms-sevsnpvm-is-debuggable', equals: false },
    { claim: `${TEE}.tdx_td_attributes_debug`, equals: false },
    { claim: 'dbgstat', equals: 'disabled' },
    { claim: 'x-ms-sgx-is-debuggable', equals: false },
    { claim: 'tdx_td_attributes_debug', equals: false },
    { claim: 'tdx_is_debuggable', equals: false },
    { claim: 'tdx.tdx_td_attributes_debug', equals: false },
    { claim: 'tdx.tdx_is_debuggable', notEquals: true },
    { claim: 'tdx.dbgstat', equals: 'disabled' },
  ])('takes %j as a refusal', (condition) => {
    expect(debugOf(OTHER, condition)).toBeUndefined();
    expect(debugOf({ allOf: [condition] })).toBeUndefined();
    expect(debugOf({ anyOf: [condition, { allOf: [OTHER, condition] }] })).toBeUndefined();
  });

  it.each<JsonObject>([
    OTHER,
    { claim: `${TEE}.x-ms-compliance-status`, equals: 'azure-compliant-cvm' },
    { claim: SNP.claim, equals: true },
    { claim: SNP.claim, notEquals: false },
    { claim: SNP.claim, exists: true },
    { claim: 'tdx.tdx_td_attributes_debug', equals: true },
    { claim: 'tdx.attester_runtime_data.tdx_td_attributes_debug', equals: false },
    { claim: 'attester_runtime_data.tdx_td_attributes_debug', equals: false },
    { claim: 'dbgstat', notEquals: 'enabled' },
    { claim: 'x-ms-runtime.x-ms-sevsnpvm-is-debuggable', equals: false },
    { claim: 'x-ms-azurevm-debuggersdisabled', equals: true },
    { claim: 'x-ms-azurevm-kerneldebug-enabled', equals: false },
    { anyOf: [SNP, OTHER] },
    { anyOf: [SNP, { allOf: [OTHER] }] },
  ])('does not take %j as one', (condition) => {
    expect(debugOf(condition)).toMatch(/^no condition refuses a TEE that can be debugged: add /);
  });

  it('looks at the branches of an entry that has anyOf', () => {
    const entry = (...anyOf: readonly JsonObject[]) => ({ version: '1.0.0', anyOf: [{ authority: ISSUER, anyOf }] });
    expect(Object.keys(linted(entry(SNP, OTHER)))).toEqual(['akv_no_debug /anyOf/0']);
    expect(linted(entry(SNP, { claim: `${TEE}.tdx_td_attributes_debug`, equals: false }))).toEqual({});
  });

  it.each<[string, readonly JsonObject[], string]>([
    ['guests with SEV-SNP', [SNP_TYPE], `add { "claim": "${SNP.claim}", "equals": false } to allOf`],
    ['guests with TDX', [TDX_TYPE], `add { "claim": "${TEE}.tdx_td_attributes_debug", "equals": false } to allOf`],
    [
      'direct tokens',
      [{ claim: 'x-ms-sevsnpvm-vmpl', equals: 0 }],
      'add { "claim": "x-ms-sevsnpvm-is-debuggable", "equals": false } to allOf',
    ],
    [
      'guests with either',
      [{ anyOf: [SNP_TYPE, TDX_TYPE] }],
      `add { "claim": "${SNP.claim}", "equals": false } for SEV-SNP and { "claim": "${TEE}.tdx_td_attributes_debug", "equals": false } for TDX, in branches of anyOf where both are accepted`,
    ],
  ])('says what to write for %s', (_, conditions, remedy) => {
    expect(debugOf(...conditions)).toBe(`no condition refuses a TEE that can be debugged: ${remedy}`);
  });

  it('says what to write for tokens of Trust Authority, by their issuer', () => {
    const portal = 'https://portal.trustauthority.intel.com';
    const policy = read({ version: '1.0.0', anyOf: [{ authority: portal, allOf: [OTHER] }] });
    const [problem, ...more] = lintReleasePolicy(
      policy,
      { knownAuthorities: (issuer, route) => issuer === portal && route === 'ita' },
      { routes: ['maa', 'ita'], isRule: true },
    );
    expect(more).toEqual([]);
    expect(problem?.message).toBe(
      'no condition refuses a TEE that can be debugged: add { "claim": "tdx.tdx_td_attributes_debug", "equals": false } to allOf',
    );
  });
});
