import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import engine from 'libsql';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { SqliteFile } from '../../../../src/stores/sqlite/sqlite-file.js';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-finalize-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Files of the database that this process has open. */
function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

it.skipIf(!existsSync('/proc/self/fd'))('STO-05 keeps none of its files open after it has failed', async () => {
  const file = new SqliteFile(engine, join(folder, 'veritee.db'));
  file.open();
  file.read(() => file.row('SELECT value FROM meta', []));
  expect(openFiles()).not.toEqual([]);
  const fails = () =>
    file.transaction(() => {
      file.run("UPDATE meta SET value = value WHERE name = 'commits'", []);
      throw new Error('a disk that is full');
    });
  expect(fails).toThrow('a disk that is full');
  await vi.waitFor(() => expect(openFiles()).toEqual([]));
});
