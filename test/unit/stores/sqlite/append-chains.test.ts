import { describe } from 'vitest';
import { appendFile, behavesAsImportTarget, type ImportTarget } from '../../log/import-behaviour.js';
import { localStores } from '../../log/local-store.js';

const openStore = localStores();

describe('appending the chains of another file', () => {
  behavesAsImportTarget(async (): Promise<ImportTarget> => {
    const store = openStore();
    return Object.assign(store, { appendOf: async (other: typeof store) => appendFile(store.file, other) });
  });
});
