import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { ISSUER, TEE } from './fixture.js';
import { at, linted, lintOf } from './lint-fixture.js';

const GUEST = { claim: `${TEE}.x-ms-compliance-status`, equals: 'azure-compliant-cvm' };
const path = (where: string) => [`akv_path ${where}`];

/** Problems with code akv_path of an entry that requires all of these, and no more. */
function pathsOf(...allOf: readonly JsonObject[]): readonly string[] {
  const problems = linted({ version: '1.0.0', anyOf: [{ authority: ISSUER, allOf }] });
  return Object.keys(problems).filter((key) => key.startsWith('akv_path'));
}

describe('lint of paths', () => {
  it('tells of a claim of direct tokens among those of guest tokens, and how to write it', () => {
    const condition = { claim: 'x-ms-sevsnpvm-vmpl', equals: 0 };
    expect(lintOf(condition)).toEqual({
      [`akv_path ${at(0)}`]:
        'x-ms-sevsnpvm-vmpl at the top is of tokens of attest/SevSnpVm and attest/TdxVm, and x-ms-isolation-tee.x-ms-sevsnpvm-is-debuggable (/anyOf/0/allOf/0) of guest tokens: write x-ms-isolation-tee.x-ms-sevsnpvm-vmpl',
    });
  });

  it.each<JsonObject>([
    { claim: 'x-ms-sevsnpvm-hostdata', equals: 'ab' },
    { claim: 'x-ms-compliance-status', equals: 'azure-compliant-cvm' },
    { claim: 'x-ms-compliance-status', exists: true },
    { claim: 'tdx_mrtd', equals: 'ab' },
    { claim: 'attester_tcb_status', equals: 'UpToDate' },
    { claim: 'x-ms-attestation-type', equals: 'sevsnpvm' },
    { claim: 'x-ms-attestation-type', equals: 'tdxvm' },
  ])('tells of %j in either order', (condition) => {
    expect(pathsOf(GUEST, condition)).toEqual(path('/anyOf/0/allOf/1'));
    expect(pathsOf(condition, GUEST)).toEqual(path('/anyOf/0/allOf/0'));
  });

  it.each<JsonObject>([
    { claim: 'x-ms-attestation-type', equals: 'azurevm' },
    { claim: 'secureboot', equals: true },
    { claim: 'x-ms-azurevm-vmid', exists: true },
    { claim: TEE, exists: true },
  ])('takes %j as of guest tokens', (condition) => {
    expect(pathsOf(GUEST, condition)).toEqual([]);
    expect(pathsOf({ claim: 'x-ms-sevsnpvm-vmpl', equals: 0 }, condition)).toEqual(path('/anyOf/0/allOf/0'));
  });

  it.each<JsonObject>([
    { claim: 'iss', equals: ISSUER },
    { claim: 'x-ms-runtime.client-payload.nonce', exists: true },
    { claim: 'x-ms-attestation-type', notEquals: 'azurevm' },
    { claim: 'x-ms-attestation-type', equals: 'sgx' },
    { claim: 'mine', equals: 1 },
  ])('takes %j as of either', (condition) => {
    expect(pathsOf(GUEST, condition)).toEqual([]);
    expect(pathsOf({ claim: 'x-ms-sevsnpvm-vmpl', equals: 0 }, condition)).toEqual([]);
  });

  it('names the type of the token where that is what does not fit', () => {
    const problems = lintOf({ claim: 'x-ms-attestation-type', equals: 'sevsnpvm' });
    expect(problems[`akv_path ${at(0)}`]).toMatch(
      /^x-ms-attestation-type sevsnpvm at the top .* write x-ms-isolation-tee\.x-ms-attestation-type$/,
    );
  });

  it('tells of a claim of a TD beside one of SEV-SNP', () => {
    const problems = lintOf({ claim: `${TEE}.tdx_mrtd`, exists: true });
    expect(problems).toEqual({
      [`akv_path ${at(0)}`]:
        'x-ms-isolation-tee.tdx_mrtd asks for a TD, and x-ms-isolation-tee.x-ms-sevsnpvm-is-debuggable (/anyOf/0/allOf/0) for SEV-SNP: write them in different branches of anyOf',
    });
    const type = { claim: `${TEE}.x-ms-attestation-type`, equals: 'sevsnpvm' };
    expect(pathsOf(type, { claim: `${TEE}.dbgstat`, equals: 'disabled' })).toEqual(path('/anyOf/0/allOf/1'));
    expect(
      pathsOf({ claim: 'x-ms-attestation-type', equals: 'tdxvm' }, { claim: 'x-ms-sevsnpvm-vmpl', equals: 0 }),
    ).toEqual(path('/anyOf/0/allOf/0'));
  });

  it('looks at branches of anyOf with what is around them, and not with each other', () => {
    const direct = { claim: 'x-ms-sevsnpvm-vmpl', equals: 0 };
    expect(pathsOf({ anyOf: [GUEST, direct] })).toEqual([]);
    expect(pathsOf(GUEST, { anyOf: [GUEST, direct] })).toEqual(path('/anyOf/0/allOf/1/anyOf/1'));
    expect(pathsOf({ anyOf: [GUEST, { allOf: [direct, GUEST] }] })).toEqual(path('/anyOf/0/allOf/0/anyOf/1/allOf/0'));
  });

  it('knows what every branch of anyOf needs', () => {
    const direct = { claim: 'x-ms-sevsnpvm-vmpl', equals: 0 };
    const guests = {
      anyOf: [
        GUEST,
        {
          allOf: [
            { claim: 'mine', equals: 1 },
            { claim: 'secureboot', equals: true },
          ],
        },
      ],
    };
    expect(pathsOf(guests, direct)).toEqual(path('/anyOf/0/allOf/1'));
    expect(pathsOf({ anyOf: [GUEST, { claim: 'mine', equals: 1 }] }, direct)).toEqual([]);
    expect(pathsOf({ anyOf: [GUEST, { claim: 'secureboot', equals: true }, direct] }, direct)).toEqual([]);
  });

  it('tells of a claim of the guest within x-ms-isolation-tee, where it never is', () => {
    expect(
      lintOf({ claim: `${TEE}.x-ms-azurevm-vmid`, exists: true }, { claim: `${TEE}.secureboot`, equals: true }),
    ).toEqual({
      [`akv_path ${at(0)}`]: `${TEE}.x-ms-azurevm-vmid does not exist, since the claim is at the top: write x-ms-azurevm-vmid`,
      [`akv_path ${at(1)}`]: `${TEE}.secureboot does not exist, since the claim is at the top: write secureboot`,
    });
  });

  it('tells of the type of a token that is asked of its TEE', () => {
    expect(lintOf({ claim: `${TEE}.x-ms-attestation-type`, equals: 'azurevm' })).toEqual({
      [`akv_path ${at(0)}`]: `${TEE}.x-ms-attestation-type is sevsnpvm or tdxvm: azurevm is the type of the token, x-ms-attestation-type`,
    });
  });
});
