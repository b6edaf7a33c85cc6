import { describe, expect, it } from 'vitest';
import { azureClaims } from '../../../src/inspector/azure.js';

describe('claims of Azure Attestation beside what was found', () => {
  it('are compared one by one, with what differs first', () => {
    const token = {
      iss: 'https://maa.example',
      'x-ms-isolation-tee': { 'x-ms-sevsnpvm-vmpl': 0, 'x-ms-sevsnpvm-is-debuggable': false },
      'x-ms-runtime': { keys: [{ kid: 'HCLAkPub', kty: 'RSA' }] },
    };
    const view = {
      'x-ms-isolation-tee': { 'x-ms-sevsnpvm-vmpl': 1, 'x-ms-sevsnpvm-is-debuggable': false, 'x-ms-sevsnpvm-svn': 7 },
      'x-ms-runtime': { keys: [{ kty: 'RSA', kid: 'HCLAkPub' }] },
      absent: ['iss'],
    };
    expect(azureClaims(token, view).map(({ name, state }) => [name, state])).toEqual([
      ['x-ms-isolation-tee.x-ms-sevsnpvm-vmpl', 'differs'],
      ['x-ms-isolation-tee.x-ms-sevsnpvm-is-debuggable', 'equal'],
      ['x-ms-runtime.keys', 'equal'],
      ['iss', 'only_azure'],
      ['x-ms-isolation-tee.x-ms-sevsnpvm-svn', 'only_found'],
    ]);
  });

  it('are those of the view without a token, and none without either', () => {
    expect(azureClaims(null, { a: 1 })).toEqual([{ name: 'a', azure: undefined, found: 1, state: 'only_found' }]);
    expect(azureClaims({ a: null }, null)).toEqual([{ name: 'a', azure: null, found: undefined, state: 'only_azure' }]);
    expect(azureClaims(null, null)).toEqual([]);
  });
});
