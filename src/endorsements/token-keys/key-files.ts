import { parseKeySet } from '../../formats/json-web-key-set.js';
import type { Sourced, TokenKeySet } from '../../model/endorsement.js';
import { ConfigurationError } from '../../model/errors.js';
import { readConfiguredFile } from './configured-file.js';
import type { IssuerKeys } from './issuer-keys.js';
import type { TokenIssuer } from './token-issuer.js';
import { readTokenRoots } from './token-roots.js';

/** A file of the configuration that is read at start and again when told. */
export interface ReadFile {
  /** Keeps what it had where it fails. @throws {ConfigurationError} */
  read(): Promise<void>;
}

/** Keys in a file of the operator's: they count as long as they are there. */
export class KeyFile implements IssuerKeys, ReadFile {
  readonly #path: string;
  readonly #place: string;
  #keys: TokenKeySet['keys'] = new Map();

  constructor(issuer: TokenIssuer, path: string) {
    this.#path = path;
    this.#place = placeOf('keys', issuer);
  }

  async read(): Promise<void> {
    this.#keys = (await readConfiguredFile(this.#path, this.#place, parseKeySet)).keys;
  }

  async find(): Promise<Sourced<TokenKeySet>> {
    return { value: { keys: this.#keys, crls: [] }, origin: 'store' };
  }
}

/** Revocation lists in the file of an issuer's roots. */
export class RootsFile implements ReadFile {
  readonly #path: string;
  readonly #place: string;
  #crls: readonly Uint8Array[] = [];

  constructor(issuer: TokenIssuer, path: string) {
    this.#path = path;
    this.#place = placeOf('roots', issuer);
  }

  get crls(): readonly Uint8Array[] {
    return this.#crls;
  }

  async read(): Promise<void> {
    this.#crls = (await readTokenRoots(this.#path, this.#place)).crls;
  }
}

/** As the configuration names it. */
function placeOf(what: string, { type, issuer }: TokenIssuer): string {
  return `${type === 'maa-token' ? 'maa' : 'ita'}.issuers: ${what} of ${issuer}`;
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
