import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Configuration, challengeKeyPath } from '../config/configuration.js';
import { isLocalKey } from '../config/released-keys.js';
import { vaultKeyId } from '../core/key-vault-key.js';
import type { PlacedProblem } from '../core/places.js';
import { filesOf, type PlacedFile } from './check/readable-files.js';

/** Files of a configuration that hold secrets: private keys, passwords, API keys and tokens. */
export function secretFilesOf(configuration: Configuration): readonly PlacedFile[] {
  const { listen, stores, receipts, keys, callers, maa, ita, egress, traces } = configuration;
  return [
    [['listen', 'tls', 'key'], listen.tls.key],
    [['listen', 'management', 'tls', 'key'], listen.management?.tls?.key ?? null],
    ...filesOf(['maa', 'submit', 'credential'], maa.submit.credential),
    [['ita', 'submit', 'apiKeyFile'], ita.submit?.apiKeyFile ?? null],
    [['challenges', 'key'], challengeKeyPath(configuration)],
    [['stores', 'passwordFile'], stores.passwordFile],
    ...filesOf(['stores', 'credential'], stores.credential),
    [['receipts', 'key'], keyFileOf(receipts.key)],
    [['receipts', 'next'], keyFileOf(receipts.next)],
    ...filesOf(['receipts', 'credential'], receipts.credential),
    ...Object.entries(keys).flatMap(([id, key]): readonly PlacedFile[] =>
      isLocalKey(key) ? [[['keys', id, 'local'], key.local]] : filesOf(['keys', id, 'credential'], key.credential),
    ),
    ...Object.entries(callers).map(([name, { kubernetes }]): PlacedFile => {
      return [['callers', name, 'kubernetes', 'tokenFile'], kubernetes?.tokenFile ?? null];
    }),
    [['egress', 'passwordFile'], egress.passwordFile],
    [['traces', 'headersFile'], traces?.headersFile ?? null],
  ];
}

/** Null for a key that is not in a file. */
function keyFileOf(key: string | null): string | null {
  return key === null || key === 'ephemeral' || vaultKeyId(key) !== null ? null : key;
}

const READ_BY_OTHERS = 0o004;
const ENTERED_BY_OTHERS = 0o001;

/** Files that every user of this machine can read. A file that cannot be checked is reported when it is read. */
export async function readableSecrets(files: readonly PlacedFile[]): Promise<readonly PlacedProblem[]> {
  const looked = files.map(async ([path, file]): Promise<readonly PlacedProblem[]> => {
    const found = file === null ? null : await stat(file).catch(() => null);
    if (file === null || found === null || !found.isFile() || (found.mode & READ_BY_OTHERS) === 0) return [];
    if (!(await isReachedByOthers(file))) return [];
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    return [{ path, what: `${file}: every user of this machine may read this secret (mode ${mode})` }];
  });
  return (await Promise.all(looked)).flat();
}

/** Whether other users can reach a file. A folder above it that only its owner may enter keeps them out. */
async function isReachedByOthers(file: string): Promise<boolean> {
  for (let path = await realpath(file); path !== dirname(path); path = dirname(path)) {
    const folder = await stat(dirname(path));
    if ((folder.mode & ENTERED_BY_OTHERS) === 0) return false;
  }
  return true;
}
