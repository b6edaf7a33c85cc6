import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Sourced, TokenKeySet, Unavailable } from '../../core/endorsement.js';
import { UnfitError } from '../../core/errors.js';
import { isSystemError } from '../../core/file-problem.js';
import { isObject, parsedObject } from '../../core/json.js';
import type { KeyPath } from '../../core/places.js';
import { type ReadBytes, readBoundedFile, writeAtomically } from '../../files/whole-files.js';
import { type KeyKinds, parseKeySet } from '../../formats/json-web-key-set.js';
import { BoundedFetch } from '../../outside/bounded-fetch.js';
import { FetchError } from '../../outside/fetch-error.js';
import type { SourceOptions } from '../files/open-source.js';
import { KeyFile, type Naming, readConfiguredFile } from './configured-files.js';
import { type DownloadedKeys, KeySetDownload } from './key-set-download.js';
import { KeySetMemory } from './key-set-memory.js';
import { DEFAULT_TOKEN_KEYS_PAUSES, type TokenKeysPauses } from './open-token-keys.js';
import { fetchedKeys, type IssuerKeys } from './token-keys.js';

/** The source of the keys of an issuer of caller tokens. */
export interface CallerKeyPlace {
  /** `iss`, character by character. */
  readonly issuer: string;
  /** `discovery`: named in the issuer's discovery document; else an https URL, or a file. */
  readonly keys: string;
  /** PEM file of the authorities for the server's certificate; null: those of Node. */
  readonly ca: string | null;
  /** File of the token for the server, read for each fetch; null: no token is sent. */
  readonly tokenFile: string | null;
  /** The tenant of Entra whose tokens the keys are for; null: another issuer. */
  readonly tenantId: string | null;
  /** Place of the caller's method in the configuration, for messages. */
  readonly path: KeyPath;
}

export interface CallerKeysOptions extends SourceOptions {
  /** Folder of fetched sets, for starts during an outage. */
  readonly folder: string;
  readonly pauses?: Partial<TokenKeysPauses> | undefined;
}

/** Clusters and workload identities also sign with ES256. Certificates of keys are not verified: the source of the keys is trusted. */
function kindsOf({ issuer, tenantId }: CallerKeyPlace): KeyKinds {
  return { ec: true, judgesCertificates: false, tenant: tenantId === null ? null : { issuer, tenantId } };
}

/** The identity of a source of keys. */
export function placeId({ issuer, keys, ca, tokenFile, tenantId }: CallerKeyPlace): string {
  return JSON.stringify([issuer, keys, ca, tokenFile, tenantId]);
}

/** The keys of one source. */
export interface OpenCallerKeys {
  /** Never throws for an unreachable source. */
  find(kid: string, signal: AbortSignal): Promise<Sourced<TokenKeySet> | Unavailable>;
  /** Whether opening the source again would give the same. Never throws: opening reports an unusable file. */
  isCurrent(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens the keys of one source. Nothing is fetched before the first use.
 * @throws {ConfigurationError} if a configured file is unusable
 */
export async function openCallerKeys(place: CallerKeyPlace, options: CallerKeysOptions): Promise<OpenCallerKeys> {
  return isFile(place.keys) ? fromFile(place, options) : fromNetwork(place, options);
}

function isFile(keys: string): boolean {
  return keys !== 'discovery' && !keys.startsWith('https://');
}

async function fromFile(place: CallerKeyPlace, { readBytes }: CallerKeysOptions): Promise<OpenCallerKeys> {
  const naming = { key: [...place.path, 'keys'], role: '' };
  const file = new KeyFile(naming, place.keys, { readBytes, kinds: kindsOf(place) });
  await file.read();
  // The file is read again.
  return { find: () => file.find(), isCurrent: async () => false, close: async () => undefined };
}

async function fromNetwork(place: CallerKeyPlace, options: CallerKeysOptions): Promise<OpenCallerKeys> {
  const { clock, log, folder, readBytes } = options;
  const { issuer } = place;
  const pauses = { ...DEFAULT_TOKEN_KEYS_PAUSES, ...options.pauses };
  const authorities = await authoritiesOf(place, readBytes);
  const { fetch, download } = downloadOf(place, options, authorities, pauses.attemptTimeoutMs);
  const file = join(folder, `${keySetFileName(place, authorities)}.json`);
  const kept = new KeptKeySet(file, { log, kinds: kindsOf(place) });
  const closing = new AbortController();
  const memory = new KeySetMemory({
    issuer,
    pauses,
    clock,
    log,
    closing: closing.signal,
    download: (before, signal) => download.get(before, signal),
    onFetched: (found, fetchedOn) => kept.keep(found, fetchedOn),
  });
  await kept.restore(memory);
  const source: IssuerKeys = fetchedKeys(memory, memory);
  return {
    find: (kid, signal) => source.find(kid, { at: clock.now(), historical: false, signal }),
    // A fetched key set is valid no longer than the authorities under which it was fetched.
    isCurrent: () =>
      authoritiesOf(place, readBytes).then(
        (text) => text === authorities,
        () => false,
      ),
    close: async () => {
      closing.abort();
      await fetch.close();
      await kept.close();
    },
  };
}

function downloadOf(
  place: CallerKeyPlace,
  { log, observer, connect }: CallerKeysOptions,
  authorities: string | null,
  attemptTimeoutMs: number,
) {
  const { issuer, keys, tokenFile } = place;
  const url = keys === 'discovery' ? null : keys;
  const discovery = url === null ? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration` : null;
  const fetch = new BoundedFetch({
    origins: [new URL(url ?? discovery ?? '').origin],
    attemptTimeoutMs,
    keepAlive: false,
    observer,
    connect: { ...connect, ...(authorities === null ? {} : { ca: authorities }) },
  });
  const authorization = tokenFile === null ? {} : { authorization: () => bearerOf(tokenFile) };
  const kinds = kindsOf(place);
  const download = new KeySetDownload({ issuer, url, discovery, withCrls: false, kinds, fetch, log, ...authorization });
  return { fetch, download };
}

/**
 * Each source has its own file, so that its keys never count for another. A source with other authorities in the same file counts as
 * another: keys fetched under an authority are valid no longer than that authority.
 */
function keySetFileName(place: CallerKeyPlace, authorities: string | null): string {
  return createHash('sha256')
    .update(JSON.stringify([placeId(place), authorities]))
    .digest('hex');
}

/** The last fetched key set, in a file that only the service reads. An account that can write it is trusted like the service. */
class KeptKeySet {
  readonly #file: string;
  readonly #log: SourceOptions['log'];
  readonly #kinds: KeyKinds;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string, { log, kinds }: Pick<SourceOptions, 'log'> & { readonly kinds: KeyKinds }) {
    this.#file = file;
    this.#log = log;
    this.#kinds = kinds;
  }

  /** Restores the set. A missing or unusable file is treated as if no set had been stored. */
  async restore(memory: KeySetMemory): Promise<void> {
    try {
      const { fetchedAt, keySet } = parsedObject(Buffer.from(await readBoundedFile(this.#file)).toString()) ?? {};
      const fetchedOn = new Date(String(fetchedAt));
      if (!isObject(keySet) || Number.isNaN(fetchedOn.getTime())) throw new UnfitError('not a kept key set');
      const bytes = Buffer.from(JSON.stringify(keySet));
      memory.restore(
        { keys: parseKeySet(bytes, this.#kinds).keys, keySet: bytes, crls: new Map(), complete: true },
        fetchedOn,
      );
    } catch (error) {
      if (isSystemError(error) && error.code === 'ENOENT') return;
      this.#log.warn({ file: this.#file, err: error }, 'kept key set of a token issuer cannot be used');
    }
  }

  keep({ keySet }: DownloadedKeys, fetchedOn: Date): void {
    const content = `{"fetchedAt":"${fetchedOn.toISOString()}","keySet":${Buffer.from(keySet).toString()}}`;
    const write = () => writeAtomically(this.#file, content, 'owner');
    this.#writing = this.#writing.then(write).catch((error: unknown) => {
      this.#log.warn({ file: this.#file, err: error }, 'key set of a token issuer cannot be kept');
    });
  }

  close(): Promise<void> {
    return this.#writing;
  }
}

/** The text of `ca`; null if there is none. @throws {ConfigurationError} also if the token for the server is unusable */
async function authoritiesOf(
  { ca, tokenFile, path }: CallerKeyPlace,
  readBytes: ReadBytes | undefined,
): Promise<string | null> {
  if (tokenFile !== null) await readBearer(tokenFile, { key: [...path, 'tokenFile'], role: '' });
  return ca === null ? null : readAuthorities(ca, { key: [...path, 'ca'], role: '' }, readBytes);
}

/** Ignores text between the certificates, which bundles of authorities have. @throws {ConfigurationError} */
function readAuthorities(file: string, naming: Naming, readBytes?: ReadBytes): Promise<string> {
  const parse = (bytes: Uint8Array) => {
    const text = Buffer.from(bytes).toString('latin1');
    try {
      createSecureContext({ ca: text });
    } catch (cause) {
      throw new UnfitError('not PEM certificates', { cause });
    }
    if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new UnfitError('without a certificate');
    return text;
  };
  return readConfiguredFile(file, naming, parse, readBytes);
}

/** @throws {ConfigurationError} */
function readBearer(file: string, naming: Naming): Promise<string> {
  return readConfiguredFile(file, naming, bearerIn);
}

/** @throws {FetchError} if the file is unusable now: projected tokens are replaced while the service runs */
async function bearerOf(file: string): Promise<string> {
  try {
    return bearerIn(await readBoundedFile(file));
  } catch (cause) {
    throw new FetchError('network', 'the file of the token for the issuer cannot be read', { cause });
  }
}

function bearerIn(bytes: Uint8Array): string {
  const token = Buffer.from(bytes).toString('latin1').trim();
  if (!/^[\x21-\x7e]{1,16384}$/.test(token)) throw new UnfitError('no token');
  return `Bearer ${token}`;
}
