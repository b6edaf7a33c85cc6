import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import engine from 'libsql';
import { afterEach } from 'vitest';
import type { LogStore } from '../../../src/core/decision-log.js';
import { StoreUnavailableError } from '../../../src/core/decision-log.js';
import type { StagingStore } from '../../../src/log/stage-log.js';
import { type Asked, runTogether } from '../../../src/stores/sqlite/operations.js';
import { SqliteFile, type SqliteFileOptions } from '../../../src/stores/sqlite/sqlite-file.js';

/** The store of a SQLite file without its thread, whose failures a test decides. */
export interface LocalStore extends LogStore, StagingStore {
  readonly file: SqliteFile;
  readonly path: string;
  /** `before`: what is written next is not stored. `after`: it is stored, and whoever wrote it is told otherwise. */
  fails: 'never' | 'before' | 'after';
  isReachable: boolean;
  /** What writing waits for. */
  held: Promise<void>;
}

/** Makes stores, and removes their files after each test. For a file of tests. */
export function localStores(): (path?: string, options?: SqliteFileOptions) => LocalStore {
  const folders: string[] = [];
  const files: SqliteFile[] = [];
  afterEach(() => {
    for (const file of files.splice(0)) file.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  return (path, options) => {
    const folder = mkdtempSync(join(tmpdir(), 'veritee-log-'));
    folders.push(folder);
    const store = openLocalStore(path ?? join(folder, `${randomUUID()}.db`), options);
    files.push(store.file);
    return store;
  };
}

/** One that whoever opens it has to close. */
export function openLocalStore(path: string, options?: SqliteFileOptions): LocalStore {
  const file = new SqliteFile(engine, path, options);
  file.open();
  const ask = async (name: Asked['name'], ...args: unknown[]) => {
    const [answer] = runTogether(file, [{ id: 0, name, args }]);
    if (answer === undefined || 'error' in answer) throw new StoreUnavailableError(answer?.error);
    return answer.value as never;
  };
  const store: LocalStore = {
    file,
    path,
    isReachable: true,
    fails: 'never',
    held: Promise.resolve(),
    append: async (records) => {
      await store.held;
      if (store.fails === 'before') throw new StoreUnavailableError('the disk is full');
      await ask('append', records);
      if (store.fails === 'after') throw new StoreUnavailableError('the disk does not say');
    },
    last: async (chain) => {
      if (store.fails !== 'never') throw new StoreUnavailableError('the disk is full');
      return ask('last', chain);
    },
    chains: () => ask('chains'),
    putHead: (head) => ask('putHead', head),
    records: (after, limit) => ask('records', after, limit),
    heads: (chain, from, to) => ask('heads', chain, from, to),
    entries: (chain, from, to) => ask('entries', chain, from, to),
    releaseEntries: (chain, from, to) => ask('releaseEntries', chain, from, to),
    strays: () => ask('strays'),
    list: (query) => ask('list', query),
    find: (decisionId) => ask('find', decisionId),
    object: (sha256) => ask('object', sha256),
    objects: (after, limit) => ask('objects', after, limit),
    objectsOf: (chain, from, to) => ask('objectsOf', chain, from, to),
    stage: (records) => ask('stage', records),
    putObject: (object) => ask('putObject', object),
    dropStrayObjects: () => ask('dropStrayObjects'),
    prunable: (before, after, limit) => ask('prunable', before, after, limit),
    prune: (decisions) => ask('prune', decisions),
    claimPruning: (now, everyMs) => ask('claimPruning', now, everyMs),
  };
  return store;
}
