import type { Clock, Log } from '../../core/ports.js';
import { BoundedFetch, type Fetch } from '../../outside/bounded-fetch.js';
import type { FetchedMaterial, OpenSource, SourceOptions } from '../files/open-source.js';
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

export interface TokenKeysOptions extends Omit<SourceOptions, 'inBackground'> {
  readonly issuers: readonly TokenIssuer[];
  readonly pauses?: Partial<TokenKeysPauses>;
}

/**
 * Key sets of token issuers, with their background work. Nothing is fetched before the first use. `ready` rejects
 * with a ConfigurationError if a file is missing or unusable: the service must not start then.
 */
export interface OpenTokenKeys extends OpenSource<TokenKeysSource> {
  /** Fetched sets. They are only renewed on use, so their age says nothing about their issuers. */
  fetched(): readonly FetchedMaterial[];
}

/** The dependencies of every issuer. */
interface Parts extends Pick<SourceOptions, 'readBytes'> {
  /** The memories of fetched key sets, by issuer. */
  readonly memories: Map<string, KeySetMemory>;
  readonly fetch: Fetch;
  readonly closing: AbortSignal;
  readonly pauses: KeySetPauses;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Creates the parts and starts to read the files.
 * @throws {ConfigurationError} for a duplicate issuer, or keys without a usable source
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
  const read: ReadFile[] = [];
  const memories = new Map<string, KeySetMemory>();
  const parts: Parts = { readBytes: options.readBytes, memories, fetch, closing: closing.signal, pauses, clock, log };
  const served = new Map(issuers.map((issuer) => [issuerName(issuer), serveIssuer(issuer, read, parts)]));
  const ready = readAll(read);
  // The caller gets the error from `ready`; without a caller, it must not become an unhandled rejection.
  ready.catch(() => {});
  return {
    source: new TokenKeys(served, ready),
    ready,
    fetched: () =>
      [...memories].flatMap(([source, { age }]) => (age === null ? [] : [{ kind: 'token-keys', source, ...age }])),
    reload: () => readAllAgain(read, log),
    close: async () => {
      closing.abort();
      await fetch.close();
    },
  };
}

function serveIssuer(issuer: TokenIssuer, read: ReadFile[], parts: Parts): ServedIssuer {
  const roots = issuer.roots === null ? null : new RootsFile(issuer, issuer.roots, parts.readBytes);
  if (roots !== null) read.push(roots);
  return { keys: keysOf(issuer, read, parts), roots };
}

function keysOf(issuer: TokenIssuer, read: ReadFile[], { readBytes, memories, fetch, ...parts }: Parts): IssuerKeys {
  if ('file' in issuer.keys) {
    const file = new KeyFile(namingOf('keys', issuer), issuer.keys.file, { readBytes });
    read.push(file);
    return file;
  }
  const { url, discovery = null } = issuer.keys;
  const name = issuer.issuer;
  const withCrls = issuer.roots !== null;
  const source = new KeySetDownload({ issuer: name, url, discovery, withCrls, fetch, log: parts.log });
  const memory = () =>
    new KeySetMemory({ ...parts, issuer: name, download: (before, signal) => source.get(before, signal) });
  const current = memory();
  memories.set(name, current);
  return fetchedKeys(current, memory());
}
