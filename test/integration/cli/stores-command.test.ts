import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { storesCommands } from '../../../src/app/commands/stores-commands.js';
import { UsageError } from '../../../src/cli/input.js';
import { StoreUnavailableError } from '../../../src/core/decision-log.js';
import { SCHEMA_VERSION } from '../../../src/stores/postgres/schema.js';
import { isWithoutPostgres, PostgresServer } from '../stores/postgres-server.js';

const SERVICE = 'service';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-stores-'));
});

afterEach(() => vi.restoreAllMocks());

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs `veritee stores migrate`. @returns its exit code, and each line that it wrote */
async function migrated(url: string, service = SERVICE): Promise<readonly [number, readonly unknown[]]> {
  const config = join(folder, 'veritee.json');
  const others = url.startsWith('postgres:') ? { challenges: { key: 'c.key' }, receipts: { key: 'r.pem' } } : {};
  await writeFile(config, JSON.stringify({ stores: { url }, ...others }));
  const lines: unknown[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(JSON.parse(String(text)));
    return true;
  });
  const code = await storesCommands.migrateStores({ service, config });
  return [code, lines];
}

describe('veritee stores migrate', () => {
  it('is refused for a file of SQLite', async () => {
    const asked = migrated(`sqlite:${join(folder, 'veritee.db')}`);
    await expect(asked).rejects.toThrow(UsageError);
    await expect(asked).rejects.toThrow('stores.url: names a file of SQLite');
  });

  describe.skipIf(isWithoutPostgres('veritee stores migrate'))('in a database', () => {
    let server: PostgresServer;

    beforeAll(async () => {
      server = await PostgresServer.start();
      await server.sql(`CREATE ROLE ${SERVICE} LOGIN`);
    });

    afterAll(() => server.close());

    const url = () => `postgres://${server.user}@127.0.0.1:${server.port}/${server.database}`;

    it('STO-03 makes the tables once, and says from which version to which', async () => {
      expect(await migrated(url())).toEqual([0, [{ from: null, to: SCHEMA_VERSION }]]);
      expect(await migrated(url())).toEqual([0, [{ from: SCHEMA_VERSION, to: SCHEMA_VERSION }]]);
    });

    it('fails where there is no such role', async () => {
      const asked = migrated(url(), 'nobody');
      await expect(asked).rejects.toThrow(StoreUnavailableError);
      await expect(asked).rejects.toThrow('there is no role nobody for --service: create it first, or name another');
    });
  });
});
