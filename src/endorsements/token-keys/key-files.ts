import { parseKeySet } from '../../formats/json-web-key-set.js';
import { parseStrictJson } from '../../formats/strict-json.js';
import type { Sourced, TokenKeySet } from '../../model/endorsement.js';
import { ConfigurationError } from '../../model/errors.js';
import { tokenRouteOf } from '../../model/evidence-traits.js';
import { isObject } from '../../model/json.js';
import type { Log } from '../../model/ports.js';
import type { ReloadOutcome } from '../files/reload-outcome.js';
import { readConfiguredFile } from './configured-file.js';
import type { IssuerKeys } from './issuer-keys.js';
import type { TokenIssuer } from './token-issuer.js';
import { readTokenRoots } from './token-roots.js';

type Keys = TokenKeySet['keys'];

const NO_KEYS: Keys = new Map();

/** A file of the configuration that is read at start and again when told. */
export interface ReadFile {
  /** What to call it, for people. */
  readonly place: string;
  /** For the start. @throws {ConfigurationError} where it is missing or of no use */
  read(): Promise<void>;
  /** Keeps what it had where it fails. @throws {ConfigurationError} */
  readAgain(log: Log): Promise<void>;
}

/** Keys in a file of the operator's: they count as long as they are there. */
export class KeyFile implements IssuerKeys, ReadFile {
  readonly place: string;
  readonly #path: string;
  #keys = NO_KEYS;

  constructor(issuer: TokenIssuer, path: string) {
    this.#path = path;
    this.place = placeOf('keys', issuer);
  }

  async read(): Promise<void> {
    this.#keys = await readConfiguredFile(this.#path, this.place, (bytes) => parseKeySet(bytes).keys);
  }

  /** Whoever takes the file away, or all keys out of it, withdraws them. A start is still refused then. */
  async readAgain(log: Log): Promise<void> {
    this.#keys = await readConfiguredFile(this.#path, this.place, keysOrNone).catch(noneWhereGone);
    if (this.#keys.size > 0) return;
    log.warn({ file: this.place }, 'key file is gone or lists no key: no token verifies by it any more');
  }

  async find(): Promise<Sourced<TokenKeySet>> {
    return { value: { keys: this.#keys, crls: [] }, origin: 'store' };
  }
}

function keysOrNone(bytes: Uint8Array): Keys {
  const set = parseStrictJson(bytes);
  const listed = isObject(set) ? set['keys'] : undefined;
  return Array.isArray(listed) && listed.length === 0 ? NO_KEYS : parseKeySet(bytes).keys;
}

function noneWhereGone(error: unknown): Keys {
  const cause = error instanceof ConfigurationError ? error.cause : null;
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return NO_KEYS;
  throw error;
}

/** Revocation lists in the file of an issuer's roots. */
export class RootsFile implements ReadFile {
  readonly place: string;
  readonly #path: string;
  #crls: readonly Uint8Array[] = [];

  constructor(issuer: TokenIssuer, path: string) {
    this.#path = path;
    this.place = placeOf('roots', issuer);
  }

  get crls(): readonly Uint8Array[] {
    return this.#crls;
  }

  async read(): Promise<void> {
    this.#crls = (await readTokenRoots(this.#path, this.place)).crls;
  }

  /** A file that is gone is one that is wrong: to lose a list must not make a revoked certificate good. */
  readAgain(): Promise<void> {
    return this.read();
  }
}

/** As the configuration names it. */
function placeOf(what: string, { type, issuer }: TokenIssuer): string {
  return `${tokenRouteOf(type)}.issuers: ${what} of ${issuer}`;
}

/**
 * Reads files, each whatever becomes of the others.
 * @throws {ConfigurationError} with everything that is wrong with any of them
 */
export async function readAll(files: readonly ReadFile[]): Promise<void> {
  const outcomes = await Promise.allSettled(files.map((file) => file.read()));
  const errors = outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []));
  const unexpected = errors.find((error) => !(error instanceof ConfigurationError));
  if (unexpected !== undefined) throw unexpected;
  const problems = errors.flatMap((error) => (error instanceof ConfigurationError ? error.problems : []));
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/** Reads files again, each whatever becomes of the others. Never rejects. */
export function readAllAgain(files: readonly ReadFile[], log: Log): Promise<readonly ReloadOutcome[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        await file.readAgain(log);
        return { name: file.place, isTaken: true };
      } catch (error) {
        log.error({ err: error, file: file.place }, 'file of a token issuer not read again: it counts as it was');
        return { name: file.place, isTaken: false };
      }
    }),
  );
}
