import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OpenParts } from '../../../src/app/open-parts.js';
import { openPostgres } from '../../../src/app/postgres-server.js';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { postgresAddressOf } from '../../../src/config/stores.js';
import { ConfigurationError } from '../../../src/core/errors.js';
import * as credentials from '../../../src/outside/azure-identity/open-credential.js';
import { PostgresServer } from '../../../src/stores/postgres/connection.js';
import { TlsAuthority } from '../../lab/index.js';
import { KeptLog } from '../log/recorded.js';

vi.mock('../../../src/outside/azure-identity/open-credential.js', async (original) => ({
  ...(await original<typeof credentials>()),
  openCredential: vi.fn(async () => ({ token: async () => 'an access token', close: async () => {} })),
}));

const SHARED = { challenges: { key: 'challenges.key' }, receipts: { key: 'receipts.pem' } };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-postgres-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

async function opened(stores: object): Promise<void> {
  const configuration = loadConfiguration({ text: JSON.stringify({ ...SHARED, stores }), environment: {} });
  const address = postgresAddressOf(configuration);
  if (address === null) throw new Error('no address');
  await openPostgres(configuration, address, { clock: SYSTEM_CLOCK, log: new KeptLog() }, new OpenParts());
}

/** What a server would be opened with. */
async function settingsOf(stores: object) {
  const opening = vi.spyOn(PostgresServer, 'open').mockResolvedValue({ close: async () => {} } as never);
  await opened(stores);
  const [options] = opening.mock.calls[0] ?? [];
  if (options === undefined) throw new Error('no server was opened');
  return options.settings;
}

describe('the password for a database', () => {
  it('is that of the file, as it is when it is asked for', async () => {
    const passwordFile = join(folder, 'password');
    const { password } = await settingsOf({ url: 'postgres://veritee@db.example/veritee', passwordFile });
    await expect(password?.()).rejects.toThrow(`stores.passwordFile: ${passwordFile}: there is no such file`);
    writeFileSync(passwordFile, '\n');
    await expect(password?.()).rejects.toThrow(`stores.passwordFile: ${passwordFile}: is empty`);
    writeFileSync(passwordFile, 'first\n');
    expect(await password?.()).toBe('first');
    writeFileSync(passwordFile, 'second');
    expect(await password?.()).toBe('second');
  });

  it('is an access token for the cloud of the server', async () => {
    const url = 'postgres://veritee@db.postgres.database.usgovcloudapi.net/veritee';
    const { password } = await settingsOf({ url, credential: 'managed-identity' });
    expect(await password?.()).toBe('an access token');
    const scope = 'https://ossrdbms-aad.database.usgovcloudapi.net/.default';
    expect(credentials.openCredential).toHaveBeenCalledWith(expect.objectContaining({ scope }));
  });

  it('is none where none is configured', async () => {
    expect((await settingsOf({ url: 'postgres://veritee@db.example/veritee' })).password).toBeNull();
  });
});

describe('authorities of a database', () => {
  const url = 'postgres://veritee@db.example/veritee';

  it('are those of the file, as it is when they are asked for', async () => {
    const ca = join(folder, 'ca.pem');
    const { tls } = await settingsOf({ url, ca });
    for (const { pem } of [new TlsAuthority(), new TlsAuthority()]) {
      writeFileSync(ca, pem);
      expect(await tls?.ca?.()).toBe(pem);
    }
  });

  it.each([
    ['cannot be read', null, 'there is no such file'],
    // TLS takes an empty text for none, and then those of Node.js count.
    ['are none', '', 'not PEM certificates'],
  ])('keep the service from starting where they %s', async (_title, text, why) => {
    const ca = join(folder, 'ca.pem');
    if (text !== null) writeFileSync(ca, text);
    const refused = opened({ url, ca });
    await expect(refused).rejects.toThrow(ConfigurationError);
    await expect(refused).rejects.toThrow(`stores.url: cannot be used: db.example:5432: ${ca}: ${why}`);
  });
});
