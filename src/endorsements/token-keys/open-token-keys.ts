import type { Clock, Log } from '../../model/ports.js';
import { BoundedFetch, type Fetch } from '../../outgoing/bounded-fetch.js';
import type { OpenSource, SourceWorld } from '../files/open-source.js';
import { KeyFile, namingOf, type ReadFile, RootsFile, readAll, readAllAgain } from './configured-files.js';
import { KeySetDownload } from './key-set-download.js';
import { KeySetMemory, type KeySetPauses } from './key-set-memory.js';
import { issuerName, requireSoundIssuers, type TokenIssuer } from './token-issuer.js';
import { fetchedKeys, type IssuerKeys, type ServedIssuer, TokenKeys, type TokenKeysSource } from './token-keys.js';

/** Times. The defaults are for production; tests shorten them. */
export interface TokenKeysPauses extends KeySetPauses {
  /** Longest time of one request to an issuer. */
  readonly attemptTimeoutMs: number;
}

export const DEFAULT_TOKEN_KEYS_PAUSES: TokenKeysPauses = {
  refreshMs: 10 * 60_000,
  waitMs: 1_000,
  cooldownMs: 30_000,
  staleMs: 24 * 60 * 60_000,
  attemptTimeoutMs: 3_000,
};

export interface TokenKeysOptions extends Omit<SourceWorld, 'inBackground'> {
  readonly issuers: readonly TokenIssuer[];
  readonly pauses?: Partial<TokenKeysPauses>;
}

/**
 * Key sets of token issuers, with their background work. Nothing is fetched before it is needed. `ready` rejects
 * with a ConfigurationError where a file is missing or cannot be used: the service must not start then.
 */
export type OpenTokenKeys = OpenSource<TokenKeysSource>;

/** What every issuer is put together with. */
interface Parts {
  readonly fetch: Fetch;
  readonly closing: AbortSignal;
  readonly pauses: KeySetPauses;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Puts the parts together and starts to read the files.
 * @throws {ConfigurationError} for an issuer that is there twice, or keys at no place to fetch from
 */
export function openTokenKeys(options: TokenKeysOptions): OpenTokenKeys {
  const { issuers, clock, log, connect, observer, pauses: changed } = options;
  requireSoundIssuers(issuers);
  const pauses = { ...DEFAULT_TOKEN_KEYS_PAUSES, ...changed };
  const closing = new AbortController();
  const fetch = new BoundedFetch({
    origins: issuers.flatMap(({ keys }) => ('url' in keys ? [new URL(keys.url).origin] : [])),
    attemptTimeoutMs: pauses.attemptTimeoutMs,
    keepAlive: false,
    observer,
    connect,
  });
  const files: ReadFile[] = [];
  const parts: Parts = { fetch, closing: closing.signal, pauses, clock, log };
  const served = new Map(issuers.map((issuer) => [issuerName(issuer), serveIssuer(issuer, files, parts)]));
  const ready = readAll(files);
  // Whoever waits for it hears of it; nobody has to.
  ready.catch(() => {});
  return {
    source: new TokenKeys(served, ready),
    ready,
    reload: () => readAllAgain(files, log),
    close: async () => {
      closing.abort();
      await fetch.close();
    },
  };
}

function serveIssuer(issuer: TokenIssuer, files: ReadFile[], parts: Parts): ServedIssuer {
  const roots = issuer.roots === null ? null : new RootsFile(issuer, issuer.roots);
  if (roots !== null) files.push(roots);
  return { keys: keysOf(issuer, files, parts), roots };
}

function keysOf(issuer: TokenIssuer, files: ReadFile[], { fetch, ...parts }: Parts): IssuerKeys {
  if ('file' in issuer.keys) {
    const file = new KeyFile(namingOf('keys', issuer), issuer.keys.file);
    files.push(file);
    return file;
  }
  const { url, discovery = null } = issuer.keys;
  const name = issuer.issuer;
  const withCrls = issuer.roots !== null;
  const source = new KeySetDownload({ issuer: name, url, discovery, withCrls, fetch, log: parts.log });
  const memory = () =>
    new KeySetMemory({ ...parts, issuer: name, download: (before, signal) => source.get(before, signal) });
  return fetchedKeys(memory(), memory());
}
