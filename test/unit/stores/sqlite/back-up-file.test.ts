import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import engine from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../../../../src/app/system.js';
import { StoreUnavailableError } from '../../../../src/core/decision-log.js';
import { verifyLog } from '../../../../src/log/verify-log.js';
import { backUpFile } from '../../../../src/stores/sqlite/back-up-file.js';
import { SqliteChallengeStore } from '../../../../src/stores/sqlite/sqlite-challenge-store.js';
import { SqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js';
import { keepingLog } from '../../log/kept-evidence.js';
import { localStores } from '../../log/local-store.js';
import { judged } from '../../log/recorded.js';

const openFile = localStores();

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-backup-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ID = 'challenge-that-was-issued';

/** A store that is in use, with a log and an unused challenge. */
async function used(path: string) {
  const store = await SqliteStore.open(path);
  const { log } = await keepingLog(store);
  const options = { key: new Uint8Array(32), clock: SYSTEM_CLOCK, lifetimeMs: 60_000 };
  const challenges = await SqliteChallengeStore.open(store, options);
  const [issuedAt, expiresAt] = [new Date(), new Date(Date.now() + 60_000)];
  await challenges.put(ID, { tenant: 'a', audience: null, policy: null, evidenceType: null }, { issuedAt, expiresAt });
  return { store, log };
}

describe('a copy of a store that is in use', () => {
  it('STO-01 has the whole log and no challenge, in one file for its owner', async () => {
    const [path, copy] = [join(folder, 'veritee.db'), join(folder, "it's a copy.db")];
    const { store, log } = await used(path);
    await backUpFile(path, copy);
    await log.record(judged());
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(expect.not.arrayContaining([expect.stringContaining('.tmp')]));
    expect((await readFile(copy)).includes(ID)).toBe(false);
    const backedUp = openFile(copy);
    expect(await verifyLog(backedUp, { keptHeads: [], keys: null })).toMatchObject({ problems: [], records: 4 });
    expect(backedUp.file.rows('SELECT id FROM challenges', [])).toEqual([]);
    expect(await store.records(null, 10)).toHaveLength(5);
    await store.close();
  });

  it.each([
    ['a file of another program', 'a text', 'not a database'],
    ['an empty file', '', 'it is empty'],
  ])('is not made of %s', async (_, content, why) => {
    const path = join(folder, 'veritee.db');
    writeFileSync(path, content);
    const refused = backUpFile(path, join(folder, 'copy.db'));
    await expect(refused).rejects.toThrow(StoreUnavailableError);
    await expect(refused).rejects.toThrow(why);
    expect(await readdir(folder)).toEqual(['veritee.db']);
  });

  it('is not made of a file of a newer version', async () => {
    const path = join(folder, 'veritee.db');
    const database = new engine(path);
    database.exec('PRAGMA application_id = 0x76727465; PRAGMA user_version = 99');
    database.close();
    await expect(backUpFile(path, join(folder, 'copy.db'))).rejects.toThrow('a newer version of veritee');
    expect(await readdir(folder)).toEqual(['veritee.db']);
  });

  it('is not made in a folder that is not there', async () => {
    const path = join(folder, 'veritee.db');
    openFile(path);
    await expect(backUpFile(path, join(folder, 'none', 'copy.db'))).rejects.toThrow('ENOENT');
  });
});
