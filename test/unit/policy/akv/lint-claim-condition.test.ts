import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { TEE } from './fixture.js';
import { at, lintOf, severities } from './lint-fixture.js';

const DEBUG = `${TEE}.x-ms-sevsnpvm-is-debuggable`;
const VMPL = `${TEE}.x-ms-sevsnpvm-vmpl`;
const HOST_DATA = `${TEE}.x-ms-sevsnpvm-hostdata`;
const VMID = 'x-ms-azurevm-vmid';

it('knows the status of a TD at each place that a token has it', () => {
  const places = ['attester_tcb_status', `${TEE}.attester_tcb_status`, 'tdx.attester_tcb_status'];
  for (const claim of places) {
    expect(lintOf({ claim, equals: 'uptodate' })[`akv_never ${at(0)}`]).toBe(
      `${claim} is compared letter by letter: write UpToDate`,
    );
  }
});

describe('lint of a value', () => {
  it.each<[string, JsonObject]>([
    ['a boolean of a boolean claim', { claim: 'secureboot', equals: true }],
    ['a number of a number claim', { claim: VMPL, equals: 0 }],
    ['text of a text claim', { claim: 'x-ms-azurevm-ostype', equals: 'Linux' }],
    ['a text of digits of a text claim', { claim: 'x-ms-azurevm-osbuild', equals: '26100' }],
    ['text of a claim that is not known', { claim: 'mine', equals: 'false' }],
    ['a number that is asked to be another', { claim: VMPL, notEquals: 1 }],
    ['a bound in the range of a claim', { claim: VMPL, lessOrEquals: 1 }],
    // A report that the host asked for has all bits of VMPL set, in rules of the other language too.
    ['the level of a report that the host asked for', { claim: VMPL, equals: 4294967295 }],
    ['a bound that refuses such a report', { claim: VMPL, less: 4 }],
    ['a bound that such a report alone meets', { claim: VMPL, greater: 3 }],
    ['the bounds of a claim without a greatest value', { claim: `${TEE}.x-ms-sevsnpvm-guestsvn`, greater: 300 }],
    ['a fraction that an integer above it meets', { claim: VMPL, greater: 2.5 }],
    ['a fraction that an integer below it meets', { claim: VMPL, less: 0.5 }],
    ['hex in lower case', { claim: HOST_DATA, equals: 'ab'.repeat(32) }],
    ['a digest that no length is known of', { claim: 'x-ms-sgx-mrsigner', equals: 'abcd' }],
    ['the type of an enclave', { claim: 'x-ms-attestation-type', equals: 'sgx' }],
    ['a status of Intel', { claim: 'tdx.attester_tcb_status', equals: 'UpToDate' }],
    ['that a claim exists that not every token has', { claim: TEE, exists: true }],
  ])('says nothing of %s', (_, condition) => {
    expect(lintOf(condition)).toEqual({});
  });

  it.each<[JsonObject, string]>([
    [
      { claim: DEBUG, equals: 'false' },
      `${DEBUG} is a boolean and the value a text, which strict comparison does not meet: write false`,
    ],
    [
      { claim: 'secureboot', notEquals: 'true' },
      'secureboot is a boolean and the value a text, which strict comparison does not meet: write true',
    ],
    [
      { claim: VMPL, equals: '0' },
      `${VMPL} is a number and the value a text, which strict comparison does not meet: write 0`,
    ],
    [
      { claim: 'x-ms-sgx-is-debuggable', equals: 'false' },
      'x-ms-sgx-is-debuggable is a boolean and the value a text, which strict comparison does not meet: write false',
    ],
    [{ claim: 'x-ms-azurevm-vmid', exists: 'true' }, 'exists of x-ms-azurevm-vmid is a text: write true'],
    [{ claim: 'mine', exists: 'true' }, 'exists of mine is a text: write true'],
  ])('calls %j akv_coerced', (condition, message) => {
    expect(lintOf(condition)).toEqual({ [`akv_coerced ${at(0)}`]: message });
  });

  it.each<[JsonObject, string]>([
    [{ claim: 'mine', exists: false }, 'exists with false has no meaning in the grammar and is never met: remove mine'],
    [{ claim: 'iss', exists: 'false' }, 'exists with false has no meaning in the grammar and is never met: remove iss'],
    [{ claim: 'secureboot', equals: 'yes' }, 'secureboot is true or false: no token meets equals "yes"'],
    [{ claim: 'secureboot', equals: 1 }, 'secureboot is true or false: no token meets equals 1'],
    [{ claim: 'secureboot', notEquals: 'False' }, 'secureboot is true or false: no token meets notEquals "False"'],
    [{ claim: 'secureboot', greater: 0 }, 'secureboot is true or false: no token meets greater 0'],
    [{ claim: VMPL, equals: '00' }, `${VMPL} is a number: no token meets equals "00"`],
    [{ claim: VMPL, equals: false }, `${VMPL} is a number: no token meets equals false`],
    [{ claim: 'x-ms-azurevm-ostype', equals: true }, 'x-ms-azurevm-ostype is text: no token meets equals true'],
    [
      { claim: 'x-ms-azurevm-osbuild', greaterOrEquals: 26100 },
      'x-ms-azurevm-osbuild is text: no token meets greaterOrEquals 26100',
    ],
    [{ claim: HOST_DATA, equals: 0 }, `${HOST_DATA} is text: no token meets equals 0`],
    [
      { claim: TEE, equals: 'sevsnpvm' },
      `${TEE} is an object, which equals no value: no token meets equals "sevsnpvm"`,
    ],
    [
      { claim: 'x-ms-azurevm-attested-pcrs', equals: '[0]' },
      'x-ms-azurevm-attested-pcrs is a list, which equals no value: no token meets equals "[0]"',
    ],
    [{ claim: VMPL, equals: 4 }, `${VMPL} is an integer from 0 to 3 or 4294967295: no token meets equals 4`],
    [
      { claim: VMPL, greater: 4294967295 },
      `${VMPL} is an integer from 0 to 3 or 4294967295: no token meets greater 4294967295`,
    ],
    [{ claim: VMPL, less: 0 }, `${VMPL} is an integer from 0 to 3 or 4294967295: no token meets less 0`],
    [{ claim: VMPL, equals: 3.5 }, `${VMPL} is an integer from 0 to 3 or 4294967295: no token meets equals 3.5`],
    [{ claim: VMPL, less: -0.5 }, `${VMPL} is an integer from 0 to 3 or 4294967295: no token meets less -0.5`],
    [{ claim: VMPL, equals: 0.5 }, `${VMPL} is an integer from 0 to 3 or 4294967295: no token meets equals 0.5`],
    [
      { claim: 'x-ms-azurevm-hvci-policy', less: 0 },
      'x-ms-azurevm-hvci-policy is an integer from 0: no token meets less 0',
    ],
    [
      { claim: `${TEE}.x-ms-compliance-status`, equals: 'Azure-Compliant-CVM' },
      `${TEE}.x-ms-compliance-status is in lower case: write azure-compliant-cvm`,
    ],
    [{ claim: VMID, equals: 'abcd' }, `${VMID} is a GUID: no token meets equals "abcd"`],
    [{ claim: HOST_DATA, equals: 'AB'.repeat(32) }, `${HOST_DATA} is in lower case: write "${'ab'.repeat(32)}"`],
    [{ claim: HOST_DATA, equals: 'abcd' }, `${HOST_DATA} is 64 hex digits in lower case: no token meets equals "abcd"`],
    [{ claim: HOST_DATA, equals: 'ABCD' }, `${HOST_DATA} is 64 hex digits in lower case: no token meets equals "ABCD"`],
    [
      { claim: HOST_DATA, equals: '<HASH>' },
      `${HOST_DATA} is 64 hex digits in lower case: no token meets equals "<HASH>"`,
    ],
    [
      { claim: 'tdx.tdx_mrtd', equals: 'abcd' },
      'tdx.tdx_mrtd is 96 hex digits in lower case: no token meets equals "abcd"',
    ],
    [
      { claim: 'tdx.attester_tcb_status', equals: 'uptodate' },
      'tdx.attester_tcb_status is compared letter by letter: write UpToDate',
    ],
    [
      { claim: `${TEE}.x-ms-attestation-type`, equals: 'SevSnpVm' },
      `${TEE}.x-ms-attestation-type is compared letter by letter: write sevsnpvm`,
    ],
    [
      { claim: 'x-ms-attestation-type', equals: 'sevsnp' },
      'x-ms-attestation-type is so far one of azurevm, sevsnpvm, tdxvm: no token meets equals "sevsnp"',
    ],
  ])('calls %j akv_never', (condition, message) => {
    expect(lintOf(condition)).toEqual({ [`akv_never ${at(0)}`]: message });
  });

  it.each(['iss', 'jti', 'iat', 'nbf', 'exp', 'x-ms-ver', 'x-ms-attestation-type', 'x-ms-policy-hash'])(
    'calls the existence of %s akv_always',
    (claim) => {
      const message = `every token has ${claim}: remove the condition, or compare the value`;
      expect(lintOf({ claim, exists: true })).toEqual({ [`akv_always ${at(0)}`]: message });
    },
  );

  it.each<[JsonObject, string]>([
    [
      { claim: VMPL, lessOrEquals: 4294967295 },
      `${VMPL} is an integer from 0 to 3 or 4294967295: every token that has it meets lessOrEquals 4294967295`,
    ],
    [
      { claim: VMPL, greater: -1 },
      `${VMPL} is an integer from 0 to 3 or 4294967295: every token that has it meets greater -1`,
    ],
    [
      { claim: `${TEE}.x-ms-sevsnpvm-snpfw-svn`, less: 256 },
      `${TEE}.x-ms-sevsnpvm-snpfw-svn is an integer from 0 to 255: every token that has it meets less 256`,
    ],
    [
      { claim: HOST_DATA, notEquals: 'abcd' },
      `${HOST_DATA} is 64 hex digits in lower case: every token that has it meets notEquals "abcd"`,
    ],
    [
      { claim: 'tdx.attester_tcb_status', notEquals: 'OUTOFDATE' },
      `tdx.attester_tcb_status is compared letter by letter: every token that has it meets notEquals "OUTOFDATE"`,
    ],
    [{ claim: 'exp', greaterOrEquals: 0 }, 'exp is an integer from 0: every token that has it meets greaterOrEquals 0'],
  ])('calls %j akv_always', (condition, message) => {
    expect(lintOf(condition)).toEqual({ [`akv_always ${at(0)}`]: message });
  });
});

it('a digest of another length is an error; a word that the issuer may come to define, a warning', () => {
  const severityOf = (condition: JsonObject) => severities(condition)[`akv_never ${at(0)}`];
  expect(severityOf({ claim: HOST_DATA, equals: 'abcd' })).toBe('error');
  expect(severityOf({ claim: VMID, equals: 'abcd' })).toBe('error');
  expect(severityOf({ claim: 'tdx.attester_tcb_status', equals: 'uptodate' })).toBe('error');
  expect(severityOf({ claim: 'x-ms-attestation-type', equals: 'SevSnpVm' })).toBe('error');
  expect(severityOf({ claim: 'x-ms-attestation-type', equals: 'sevsnp' })).toBe('warning');
});

describe('lint of a name or word that is nearly known', () => {
  it.each<[JsonObject, string]>([
    [
      { claim: `${TEE}.x-ms-complianc-status`, equals: 'azure-compliant-cvm' },
      `${TEE}.x-ms-complianc-status is no claim that is known; did you mean ${TEE}.x-ms-compliance-status?`,
    ],
    [
      { claim: `${TEE}.x-ms-sevsnpvm-launchmeasurment`, notEquals: 'ab' },
      `${TEE}.x-ms-sevsnpvm-launchmeasurment is no claim that is known; did you mean ${TEE}.x-ms-sevsnpvm-launchmeasurement?`,
    ],
    [
      { claim: 'x-ms-isolation-te.x-ms-attestation-type', exists: true },
      `x-ms-isolation-te.x-ms-attestation-type is no claim that is known; did you mean ${TEE}.x-ms-attestation-type?`,
    ],
    [{ claim: 'secure-boot', equals: true }, 'secure-boot is no claim that is known; did you mean secureboot?'],
    [
      { claim: `${TEE}.x-ms-compliance-status`, equals: 'azure-complaint-cvm' },
      `${TEE}.x-ms-compliance-status has no such word that is known: did you mean azure-compliant-cvm?`,
    ],
  ])('warns of %j', (condition, message) => {
    expect(lintOf(condition)).toEqual({ [`akv_never ${at(0)}`]: message });
    expect(severities(condition)).toEqual({ [`akv_never ${at(0)}`]: 'warning' });
  });

  it.each<[JsonObject]>([
    [{ claim: 'x-ms-azurevm-custom', equals: 'a' }],
    [{ claim: `${TEE}.x-ms-foo`, equals: 'a' }],
    [{ claim: `${TEE}.x-ms-compliance-status`, equals: 'contoso-approved' }],
    [{ claim: 'attester_tcb_date', equals: 'a' }],
    [{ claim: 'x-ms-runtime.user-data', equals: 'a' }],
  ])('says nothing of %j, which is near none', (condition) => {
    expect(lintOf(condition)).toEqual({});
  });
});
