import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NO_CONFIGURED_ROOTS, readConfiguredRoots } from '../../../src/composition/configured-roots.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { createAzureAkPki, createIntelPki } from '../../lab/index.js';

const folder = await mkdtemp(join(tmpdir(), 'veritee-roots-'));
afterAll(() => rm(folder, { recursive: true }));

const AK_PKI = createAzureAkPki();
const OTHER = createIntelPki();

async function fileWith(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

function configurationWith(...roots: readonly string[]) {
  return loadConfiguration({ text: JSON.stringify({ tpm: { roots } }), environment: {} });
}

describe('roots of certificates of attestation keys', () => {
  it('are none where none are configured', async () => {
    expect(await readConfiguredRoots(configurationWith())).toEqual(NO_CONFIGURED_ROOTS);
  });

  it('are the keys of every certificate in every file', async () => {
    const one = await fileWith('one.pem', AK_PKI.authority('root').pem);
    const both = await fileWith('both.pem', AK_PKI.authority('root').pem + OTHER.root.pem);
    expect((await readConfiguredRoots(configurationWith(one))).ak).toEqual(AK_PKI.pins);
    expect((await readConfiguredRoots(configurationWith(one, both))).ak).toEqual(
      new Set([...AK_PKI.pins, ...OTHER.pins]),
    );
  });

  it.each([
    ['is empty', ''],
    ['is no PEM', 'roots'],
    [
      'has a revocation list, which nothing would look at',
      `${AK_PKI.authority('root').pem}-----BEGIN X509 CRL-----\n${wrapped(OTHER.rootCrl())}-----END X509 CRL-----\n`,
    ],
  ])('are refused in a file that %s', async (_, text) => {
    const file = await fileWith('wrong.pem', text);
    await expect(readConfiguredRoots(configurationWith(file))).rejects.toMatchObject({
      name: 'ConfigurationError',
      problems: [expect.stringContaining(`tpm.roots: ${file}`)],
    });
  });

  it('are refused in a file that is not there', async () => {
    await expect(readConfiguredRoots(configurationWith(join(folder, 'none.pem')))).rejects.toMatchObject({
      name: 'ConfigurationError',
    });
  });
});

function wrapped(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return lines.map((line) => `${line}\n`).join('');
}
