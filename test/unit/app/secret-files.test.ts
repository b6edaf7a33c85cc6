import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settingWarnings } from '../../../src/app/check/load-warnings.js';
import { readableSecrets, secretFilesOf } from '../../../src/app/secret-files.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { placedText, placeIn } from '../../../src/core/places.js';

const VAULT_KEY = 'https://v.vault.azure.net/keys/k/0123456789abcdef0123456789abcdef';
const CREDENTIAL = { kind: 'client-secret', tenantId: 't.example', clientId: '5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10' };
const INSTANCE = 'https://sharedweu.weu.attest.azure.net';

/** Keys of the configuration that name a file with a secret. */
function keysOf(configuration: object): readonly string[] {
  const read = loadConfiguration({ text: JSON.stringify(configuration), environment: {} });
  return secretFilesOf(read).flatMap(([path, file]) => (file === null ? [] : [path.reduce<string>(placeIn, '')]));
}

describe('files with secrets', () => {
  it('are named by these keys', () => {
    const management = { port: 1, tls: { cert: 'f', key: 'f' } };
    const kubernetes = {
      issuer: 'cluster',
      keys: 'f',
      audience: 'a',
      serviceAccounts: ['a/b'],
      tokenFile: 'f',
    };
    const configuration = {
      listen: { tls: { cert: 'f', key: 'f' }, management },
      challenges: { key: 'f' },
      stores: { url: 'postgres://veritee@db.example/veritee', passwordFile: 'f' },
      receipts: { key: 'f', next: 'f', previous: ['f'] },
      keys: {
        disk: { local: 'f', policy: 'p' },
        db: {
          vault: 'https://v.vault.azure.net',
          name: 'k',
          policy: 'p',
          enc: 'RSA_AES_KEY_WRAP_384',
          credential: { ...CREDENTIAL, secretFile: 'f' },
        },
      },
      callers: { pod: { roles: ['verify'], kubernetes } },
      maa: {
        submit: {
          endpoints: [INSTANCE],
          credential: { ...CREDENTIAL, kind: 'client-certificate', certificateFile: 'f' },
        },
      },
      ita: { submit: { api: 'https://api.example', apiKeyFile: 'f' } },
      egress: { proxy: 'http://user@proxy.example:1', passwordFile: 'f' },
      traces: { endpoint: 'https://collector.example', headersFile: 'f' },
    };
    expect(keysOf(configuration)).toEqual([
      'listen.tls.key',
      'listen.management.tls.key',
      'maa.submit.credential.certificateFile',
      'ita.submit.apiKeyFile',
      'challenges.key',
      'stores.passwordFile',
      'receipts.key',
      'receipts.next',
      'keys.disk.local',
      'keys.db.credential.secretFile',
      'callers.pod.kubernetes.tokenFile',
      'egress.passwordFile',
      'traces.headersFile',
    ]);
  });

  it('are no keys of a vault, and by default the challenge key alone', () => {
    expect(keysOf({})).toEqual(['challenges.key']);
    const credential = { ...CREDENTIAL, secretFile: 'f' };
    expect(keysOf({ receipts: { key: VAULT_KEY, credential } })).toEqual([
      'challenges.key',
      'receipts.credential.secretFile',
    ]);
  });
});

describe('a file with a secret', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritee-secrets-'));
    await chmod(folder, 0o755);
    file = join(folder, 'key');
    await writeFile(file, 'secret');
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const problems = async (at: string) => (await readableSecrets([[['keys', 'disk', 'local'], at]])).map(placedText);

  it.each([
    [0o644, '0644'],
    [0o604, '0604'],
    [0o777, '0777'],
  ])('that everybody may read is a warning: mode %d', async (mode, shown) => {
    await chmod(file, mode);
    expect(await problems(file)).toEqual([
      `keys.disk.local: ${file}: every user of this machine may read this secret (mode ${shown})`,
    ]);
  });

  it.each([0o600, 0o640, 0o660, 0o400])('twin: that others may not read is none: mode %d', async (mode) => {
    await chmod(file, mode);
    expect(await problems(file)).toEqual([]);
  });

  it.each([0o700, 0o750, 0o744])('in a folder that others may not enter is none: mode %d', async (mode) => {
    const inner = join(folder, 'inner');
    const kept = join(inner, 'below', 'key');
    await mkdir(join(inner, 'below'), { recursive: true });
    await writeFile(kept, 'secret', { mode: 0o644 });
    await symlink(kept, join(folder, 'link'));
    expect(await problems(kept)).toHaveLength(1);
    await chmod(inner, mode);
    expect(await problems(kept)).toEqual([]);
    expect(await problems(join(folder, 'link'))).toEqual([]);
  });

  it('that is not there, or is a folder, is none', async () => {
    await mkdir(join(folder, 'sub'), { mode: 0o755 });
    expect(await problems(join(folder, 'absent'))).toEqual([]);
    expect(await problems(join(folder, 'sub'))).toEqual([]);
    expect(await readableSecrets([[['receipts', 'next'], null]])).toEqual([]);
  });

  it('is named in the log of a start, beside what the configuration says', async () => {
    await chmod(file, 0o644);
    const text = JSON.stringify({ challenges: { key: file } });
    const configuration = loadConfiguration({ text, environment: {} });
    expect(await settingWarnings(configuration, { VERITEE_LOG_LEVEL: 'info' })).toEqual([
      { fields: {}, message: 'VERITEE_LOG_LEVEL is not read; did you mean VERITEE__LOG__LEVEL?' },
      {
        fields: {},
        message: `challenges.key: ${file}: every user of this machine may read this secret (mode 0644)`,
      },
    ]);
  });

  it('that the proxy asks for is named in the log of a start where it cannot be read', async () => {
    const egress = { proxy: 'https://user@proxy.example:3128', passwordFile: file };
    const warnings = () =>
      settingWarnings(loadConfiguration({ text: JSON.stringify({ egress }), environment: {} }), {});
    await chmod(file, 0o600);
    expect(await warnings()).toEqual([]);
    await rm(file);
    const fields = { code: 'config_missing', pointer: '/egress/passwordFile' };
    expect(await warnings()).toEqual([{ fields, message: `${file}: there is no such file` }]);
  });
});
