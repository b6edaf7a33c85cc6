import { describe, expect, it } from 'vitest';
import { releasableKey } from '../../../src/core/key-release.js';

const VERSION = 'e473cd4c66224d16870bbe2eb4c58078';

describe('releasableKey', () => {
  it.each([
    ['https://payments.vault.azure.net', 'payments.vault.azure.net', 'https://vault.azure.net/.default'],
    ['https://Payments.Managedhsm.azure.net/', null, null],
    [
      'https://Payments.managedhsm.azure.net/',
      'payments.managedhsm.azure.net',
      'https://managedhsm.azure.net/.default',
    ],
    ['https://payments.vault.azure.cn', 'payments.vault.azure.cn', 'https://vault.azure.cn/.default'],
    ['https://payments.vault.example', null, null],
    ['http://payments.vault.azure.net', null, null],
    ['https://payments.vault.azure.net:8443', null, null],
  ])('of %s', (vault, host, scope) => {
    const key = host === null ? null : { host, name: 'disk', version: VERSION, scope, roots: null };
    expect(releasableKey(vault, 'disk', VERSION)).toEqual(key);
  });

  it('need not name a version', () => {
    const root = new Uint8Array([1]);
    const key = releasableKey('https://payments.vault.azure.net', 'disk', null, [root]);
    expect(key).toMatchObject({ version: null, roots: [root] });
  });

  it.each([
    ['a/b', null],
    ['', null],
    ['disk', 'newest'],
  ])('names none by %j and %j', (name, version) => {
    expect(releasableKey('https://payments.vault.azure.net', name, version)).toBeNull();
  });
});
