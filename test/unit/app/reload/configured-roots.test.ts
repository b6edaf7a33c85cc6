import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createContainer } from '../../../../src/app/container.js';
import {
  NO_CONFIGURED_ROOTS,
  ReloadedRoots,
  readConfiguredRoots,
} from '../../../../src/app/reload/configured-roots.js';
import { loadConfiguration } from '../../../../src/config/load-configuration.js';
import { createAzureAkPki, createIntelPki } from '../../../lab/index.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

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

function configurationOfIta(name: string) {
  const issuers = [{ issuer: 'own', keys: '/etc/keys.json', roots: join(folder, name) }];
  return loadConfiguration({ text: JSON.stringify({ ita: { issuers } }), environment: {} });
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
      'has a CRL, which nothing would look at',
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

describe('roots that are read again', () => {
  const KEPT = 'roots not reloaded: the previous ones stay in force';
  const AK = AK_PKI.authority('root').pem;
  const ITA = OTHER.root.pem;

  /** Two files, what is read of them, and what the verifiers of a container go by. */
  async function opened() {
    const ak = await fileWith('ak.pem', AK);
    const ita = await fileWith('ita.pem', ITA);
    const issuers = [{ issuer: 'own', keys: '/etc/keys.json', roots: ita }];
    const text = JSON.stringify({ tpm: { roots: [ak] }, ita: { issuers } });
    const configuration = loadConfiguration({ text, environment: {} });
    const log = new RecordingLog();
    const roots = await ReloadedRoots.open(configuration, { log });
    const { akRoots, itaIssuers } = createContainer({ configuration, roots }).verifierOptions;
    const inForce = () => ({ ak: akRoots.configured, ita: itaIssuers.get('own')?.roots });
    return { roots, log, inForce, before: inForce() };
  }

  it('are those that the files hold then', async () => {
    const { roots, log, inForce, before } = await opened();
    await fileWith('ak.pem', ITA);
    await fileWith('ita.pem', AK);
    await roots.reload();
    expect(inForce().ak).toEqual(OTHER.pins);
    expect(inForce().ita).toEqual((await readConfiguredRoots(configurationOfIta('ita.pem'))).issuers.get('own'));
    expect(inForce().ita).not.toEqual(before.ita);
    expect(log.entries).toEqual([{ level: 'info', message: 'roots reloaded', fields: { issuers: 1, tpm: 1 } }]);
  });

  it.each(['ak.pem', 'ita.pem'])(
    'stay as they are, all of them, where %s is wrong, and the log says why',
    async (bad) => {
      const { roots, log, inForce, before } = await opened();
      await fileWith('ak.pem', AK + ITA);
      await fileWith('ita.pem', AK + ITA);
      await fileWith(bad, 'roots');
      await roots.reload();
      expect(inForce()).toEqual(before);
      expect(log.entries).toMatchObject([
        { level: 'error', message: KEPT, fields: { err: { name: 'ConfigurationError' } } },
      ]);
      await fileWith(bad, ITA);
      await roots.reload();
      expect(inForce()).not.toEqual(before);
    },
  );

  it('say nothing where none are configured', async () => {
    const log = new RecordingLog();
    await (await ReloadedRoots.open(configurationWith(), { log })).reload();
    expect(log.entries).toEqual([]);
  });
});

function wrapped(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return lines.map((line) => `${line}\n`).join('');
}
