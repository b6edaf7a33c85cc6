import type { Sourced, TokenKeySet } from '../../core/endorsement.js';
import { allOrProblems, ConfigurationError, FormatError, UnfitError } from '../../core/errors.js';
import { tokenRouteOf } from '../../core/evidence-traits.js';
import { fileProblem } from '../../core/file-problem.js';
import { isObject } from '../../core/json.js';
import { type KeyPath, placedText } from '../../core/places.js';
import type { Log } from '../../core/ports.js';
import type { PartOutcome } from '../../core/reload.js';
import { type ReadBytes, readBoundedFile } from '../../files/whole-files.js';
import { type KeyKinds, parseKeySet } from '../../formats/json-web-key-set.js';
import { parsePemBlocks } from '../../formats/pem.js';
import { parseStrictJson } from '../../formats/strict-json.js';
import { parseCertificate } from '../../formats/x509-certificate.js';
import { parseCrl } from '../../formats/x509-crl.js';
import { codeOf } from '../files/material-files.js';
import type { TokenIssuer } from './token-issuer.js';
import type { IssuerKeys } from './token-keys.js';

type Keys = TokenKeySet['keys'];

const NO_KEYS: Keys = new Map();

/** A file of the configuration that is read at start and at a reload. */
export interface ReadFile {
  /** Its name, for messages. */
  readonly place: string;
  /** Reads at the start. @throws {ConfigurationError} if it is missing or unusable */
  read(): Promise<void>;
  /** Reads at a reload. @throws {ConfigurationError} if it is unusable; then nothing has changed */
  readAgain(log: Log): Promise<void>;
}

/** Keys in a file of the operator. They count as long as the file has them. */
export class KeyFile implements IssuerKeys, ReadFile {
  readonly place: string;
  readonly #naming: Naming;
  readonly #path: string;
  readonly #kinds: KeyKinds | undefined;
  readonly #readBytes: ReadBytes | undefined;
  #keys = NO_KEYS;

  /** @param kinds the accepted keys; defaults to RSA keys */
  constructor(
    naming: Naming,
    path: string,
    { readBytes, kinds }: { readBytes?: ReadBytes | undefined; kinds?: KeyKinds } = {},
  ) {
    this.#path = path;
    this.#kinds = kinds;
    this.#naming = naming;
    this.#readBytes = readBytes;
    this.place = keyPlaceText(naming);
  }

  async read(): Promise<void> {
    const parse = (bytes: Uint8Array) => parseKeySet(bytes, this.#kinds).keys;
    this.#keys = await readConfiguredFile(this.#path, this.#naming, parse, this.#readBytes);
  }

  /** Removing the file, or all keys in it, withdraws the keys. The service does not start without them. */
  async readAgain(log: Log): Promise<void> {
    const parse = (bytes: Uint8Array) => keysOrNone(bytes, this.#kinds);
    this.#keys = await readConfiguredFile(this.#path, this.#naming, parse, this.#readBytes).catch(noneWhereGone);
    if (this.#keys.size > 0) return;
    log.warn({ file: this.place }, 'key file is gone or lists no key: no token can be verified with it any more');
  }

  async find(): Promise<Sourced<TokenKeySet>> {
    return { value: { keys: this.#keys, crls: [] }, origin: 'store' };
  }
}

function keysOrNone(bytes: Uint8Array, kinds: KeyKinds | undefined): Keys {
  const set = parseStrictJson(bytes);
  const listed = isObject(set) ? set['keys'] : undefined;
  return Array.isArray(listed) && listed.length === 0 ? NO_KEYS : parseKeySet(bytes, kinds).keys;
}

function noneWhereGone(error: unknown): Keys {
  const cause = error instanceof ConfigurationError ? error.cause : null;
  if (codeOf(cause) === 'ENOENT') return NO_KEYS;
  throw error;
}

/** CRLs in the file of an issuer's roots. */
export class RootsFile implements ReadFile {
  readonly place: string;
  readonly #naming: Naming;
  readonly #path: string;
  readonly #readBytes: ReadBytes | undefined;
  #crls: readonly Uint8Array[] = [];

  constructor(issuer: TokenIssuer, path: string, readBytes?: ReadBytes) {
    this.#path = path;
    this.#naming = namingOf('roots', issuer);
    this.place = keyPlaceText(this.#naming);
    this.#readBytes = readBytes;
  }

  get crls(): readonly Uint8Array[] {
    return this.#crls;
  }

  async read(): Promise<void> {
    const { crls } = await readTokenRoots(this.#path, this.#naming, this.#readBytes);
    this.#crls = crls;
  }

  /** A missing file is an error: losing a CRL must not make a revoked certificate valid. */
  readAgain(): Promise<void> {
    return this.read();
  }
}

/** How the configuration names a file. */
export interface Naming {
  readonly key: KeyPath;
  /** The purpose of the file; empty if the key states it. */
  readonly role: string;
}

export function namingOf(what: string, { type, issuer }: Pick<TokenIssuer, 'type' | 'issuer'>): Naming {
  return { key: [tokenRouteOf(type), 'issuers'], role: `${what} of ${issuer}` };
}

/** The name of a file in messages. */
function keyPlaceText({ key, role }: Naming): string {
  return placedText({ path: key, what: role });
}

/**
 * Reads files; a failed file does not stop the others.
 * @throws {ConfigurationError} with the problems of all of them
 */
export async function readAll(files: readonly ReadFile[]): Promise<void> {
  await allOrProblems(files.map((file) => file.read()));
}

/** Reads files again; a failed file does not stop the others. Never rejects. */
export function readAllAgain(files: readonly ReadFile[], log: Log): Promise<readonly PartOutcome[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        await file.readAgain(log);
        return { name: file.place, isTaken: true };
      } catch (error) {
        log.error(
          { err: error, file: file.place },
          'file of a token issuer not reloaded: the previous content stays in force',
        );
        return { name: file.place, isTaken: false };
      }
    }),
  );
}

/**
 * Reads a file of the configuration.
 * @throws {ConfigurationError} if it cannot be read, or `parse` throws a FormatError
 */
export async function readConfiguredFile<T>(
  path: string,
  { key, role }: Naming,
  parse: (bytes: Uint8Array) => T,
  readBytes: ReadBytes = readBoundedFile,
): Promise<T> {
  try {
    return parse(await readBytes(path));
  } catch (cause) {
    const what = [role, path, reasonOf(cause)].filter((part) => part !== '').join(': ');
    throw new ConfigurationError([{ path: key, what }], { cause });
  }
}

/** @throws {unknown} an error that is about neither the file nor its content */
function reasonOf(error: unknown): string {
  if (error instanceof FormatError) return error.message;
  if (error instanceof UnfitError) return `is ${error.message}`;
  if (error instanceof Error && 'code' in error) return fileProblem(error);
  throw error;
}

/** The trust anchors for an issuer's certificates. */
export interface TokenRoots {
  /** DER, in the order of the file; at least one. */
  readonly certificates: readonly Uint8Array[];
  /** DER. */
  readonly crls: readonly Uint8Array[];
}

/**
 * Reads a PEM file of root certificates and CRLs. Only their form is checked.
 * @throws {ConfigurationError}
 */
export function readTokenRoots(path: string, naming: Naming, readBytes?: ReadBytes): Promise<TokenRoots> {
  return readConfiguredFile(path, naming, parseTokenRoots, readBytes);
}

function parseTokenRoots(bytes: Uint8Array): TokenRoots {
  const certificates: Uint8Array[] = [];
  const crls: Uint8Array[] = [];
  for (const { label, der } of parsePemBlocks(Buffer.from(bytes).toString('latin1'))) {
    if (label === 'CERTIFICATE') certificates.push(parseCertificate(der).der);
    else crls.push(parseCrl(der).der);
  }
  if (certificates.length === 0) throw new FormatError('cert_format', 'has no certificate');
  return { certificates, crls };
}
