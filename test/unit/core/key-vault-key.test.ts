import { describe, expect, it } from 'vitest';
import { vaultKeyId } from '../../../src/core/key-vault-key.js';

const VERSION = '0123456789abcdef0123456789abcdef';

describe('vaultKeyId', () => {
  it.each([
    ['payments.vault.azure.net', 'https://vault.azure.net/.default'],
    ['payments.managedhsm.azure.net', 'https://managedhsm.azure.net/.default'],
    ['payments.vault.azure.cn', 'https://vault.azure.cn/.default'],
    ['payments.managedhsm.azure.cn', 'https://managedhsm.azure.cn/.default'],
    ['payments.vault.usgovcloudapi.net', 'https://vault.usgovcloudapi.net/.default'],
    ['payments.managedhsm.usgovcloudapi.net', 'https://managedhsm.usgovcloudapi.net/.default'],
  ])('reads a version of a key of %s', (host, scope) => {
    const url = `https://${host}/keys/receipts-2026/${VERSION}`;
    expect(vaultKeyId(url)).toEqual({ url, host, name: 'receipts-2026', version: VERSION, scope });
  });

  it('reads the name of a vault in any letters', () => {
    const url = `https://Payments.vault.azure.net/keys/K/${VERSION}`;
    expect(vaultKeyId(url)).toMatchObject({ url, host: 'payments.vault.azure.net', name: 'K' });
  });

  it.each([
    `http://a.vault.azure.net/keys/k/${VERSION}`,
    `https://a.vault.azure.net:8443/keys/k/${VERSION}`,
    `https://u@a.vault.azure.net/keys/k/${VERSION}`,
    `https://vault.azure.net/keys/k/${VERSION}`,
    `https://a.b.vault.azure.net/keys/k/${VERSION}`,
    `https://a.vault.azure.net.example/keys/k/${VERSION}`,
    `https://a.vaultxazure.net/keys/k/${VERSION}`,
    `https://a.privatelink.vaultcore.azure.net/keys/k/${VERSION}`,
    `https://a.example/keys/k/${VERSION}`,
    `https://a.vault.azure.net/secrets/k/${VERSION}`,
    `https://a.vault.azure.net/keys/k_k/${VERSION}`,
    `https://a.vault.azure.net//keys/k/${VERSION}`,
    `https://a.vault.azure.net/keys/k/${VERSION}/`,
    `https://a.vault.azure.net/keys/k/${VERSION}?a`,
    `https://a.vault.azure.net/keys/k/${VERSION}#a`,
    `https://a.vault.azure.net/keys/k/${VERSION}0`,
    `https://a.vault.azure.net/keys/k/${VERSION.slice(1)}`,
    `https://a.vault.azure.net/keys/k/${VERSION.toUpperCase()}`,
    'https://a.vault.azure.net/keys/k',
    'https://a.vault.azure.net/keys/k/',
    'https://a.vault.azure.net',
    'k.pem',
    '',
  ])('%s is none', (url) => {
    expect(vaultKeyId(url)).toBeNull();
  });
});
