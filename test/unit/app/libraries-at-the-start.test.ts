import { afterEach, describe, expect, it, vi } from 'vitest';
import { openAttestationServices } from '../../../src/app/attestation-services.js';
import { SILENT } from '../../../src/app/commands/silent-log.js';
import { openHeldKeys } from '../../../src/app/held-keys.js';
import { openReceiptVaults } from '../../../src/app/receipt-vaults.js';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';

const WORLD = { clock: SYSTEM_CLOCK, log: SILENT };
const configured = (sections: object) => loadConfiguration({ text: JSON.stringify(sections), environment: {} });

const MAA = {
  maa: { submit: { endpoints: ['https://sharedweu.weu.attest.azure.net'], credential: 'managed-identity' } },
};
const RECEIPTS = {
  receipts: {
    key: `https://my.vault.azure.net/keys/receipts/${'0'.repeat(32)}`,
    credential: 'managed-identity',
  },
};
const KEYS = {
  keys: {
    db: {
      vault: 'https://my.vault.azure.net',
      name: 'db',
      policy: 'db',
      enc: 'RSA_AES_KEY_WRAP_384',
      credential: 'managed-identity',
    },
  },
};

const OPENED: readonly [string, string, () => Promise<unknown>][] = [
  [
    'evidence is submitted with an identity',
    '@azure/identity',
    () => openAttestationServices(configured(MAA), WORLD, {}),
  ],
  ['a vault signs receipts', '@azure/identity', () => openReceiptVaults(configured(RECEIPTS), WORLD, {})],
  ['a vault signs receipts', '@azure/keyvault-keys', () => openReceiptVaults(configured(RECEIPTS), WORLD, {})],
  ['a vault releases keys', '@azure/keyvault-keys', () => openHeldKeys(configured(KEYS), WORLD, {})],
];

/** Makes a library one that is not installed. */
function withoutLibrary(name: string): void {
  vi.resetModules();
  vi.doMock(name, () => {
    throw new Error('not installed');
  });
}

afterEach(() => {
  vi.doUnmock('@azure/identity');
  vi.doUnmock('@azure/keyvault-keys');
  vi.resetModules();
});

describe('a library that is not there', () => {
  it.each(OPENED)('is missed at the start where %s: %s', async (_where, library, open) => {
    withoutLibrary(library);
    await expect(open()).rejects.toMatchObject({ cause: { message: 'not installed' } });
  });

  it('is missed nowhere where nothing of the configuration uses it', async () => {
    withoutLibrary('@azure/identity');
    withoutLibrary('@azure/keyvault-keys');
    const configuration = configured({});
    await expect(openReceiptVaults(configuration, WORLD, {})).resolves.toBeNull();
    const services = await openAttestationServices(configuration, WORLD, {});
    expect(services.services.size).toBe(0);
  });
});
