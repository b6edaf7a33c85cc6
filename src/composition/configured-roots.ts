import type { Configuration } from '../config/configuration.js';
import { spkiDigest } from '../crypto/key-cache.js';
import { readTokenRoots } from '../endorsements/token-keys/configured-files.js';
import { parseCertificate } from '../formats/x509-certificate.js';
import { allOrProblems, ConfigurationError } from '../model/errors.js';
import type { JsonObject } from '../model/json.js';
import type { Log } from '../model/ports.js';
import { type IssuerRoots, readIssuerRoots } from './token-issuers.js';

/** Roots from the files that the configuration names. A reload may change them between two requests. */
export interface ConfiguredRoots {
  readonly issuers: IssuerRoots;
  /** Of certificates of attestation keys (`tpm.roots`): SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly ak: ReadonlySet<string>;
}

export const NO_CONFIGURED_ROOTS: ConfiguredRoots = { issuers: new Map(), ak: new Set() };

/** Which roots these are, for the decision log: by their digests, in an order of their own. */
export function namedRoots({ issuers, ak }: ConfiguredRoots): JsonObject {
  const ofIssuers = [...issuers].map(([issuer, digests]) => [issuer, [...digests].sort()] as const);
  return { tpm: [...ak].sort(), issuers: Object.fromEntries(ofIssuers) };
}

/** @throws {ConfigurationError} where a file of roots cannot be read */
export async function readConfiguredRoots(configuration: Configuration): Promise<ConfiguredRoots> {
  const issuers = readIssuerRoots(configuration);
  const ak = allOrProblems(configuration.tpm.roots.map(readAkRoots));
  await allOrProblems<unknown>([issuers, ak]);
  return { issuers: await issuers, ak: new Set((await ak).flat()) };
}

const AK_ROOTS = { key: ['tpm', 'roots'], role: '' };

async function readAkRoots(file: string): Promise<readonly string[]> {
  const { certificates, crls } = await readTokenRoots(file, AK_ROOTS);
  if (crls.length > 0) throw new ConfigurationError([{ path: AK_ROOTS.key, what: `${file}: CRLs are not used here` }]);
  return certificates.map((der) => spkiDigest(parseCertificate(der)));
}

/** Roots as their files last held them. They are exchanged as a whole, and only where every file is right. */
export class ReloadedRoots implements ConfiguredRoots {
  readonly #configuration: Configuration;
  readonly #log: Log;
  #roots: ConfiguredRoots;
  #lastReload: Promise<boolean> = Promise.resolve(true);

  private constructor(configuration: Configuration, log: Log, roots: ConfiguredRoots) {
    this.#configuration = configuration;
    this.#log = log;
    this.#roots = roots;
  }

  /** @throws {ConfigurationError} where a file of roots cannot be read */
  static async open(configuration: Configuration, log: Log): Promise<ReloadedRoots> {
    return new ReloadedRoots(configuration, log, await readConfiguredRoots(configuration));
  }

  get issuers(): IssuerRoots {
    return this.#roots.issuers;
  }

  get ak(): ReadonlySet<string> {
    return this.#roots.ak;
  }

  /**
   * Reads the files again, after the reloads already asked for. Never rejects: what comes of it is in the log.
   * @returns whether what was read is in force
   */
  reload(): Promise<boolean> {
    this.#lastReload = this.#lastReload.then(() => this.#reload());
    return this.#lastReload;
  }

  async #reload(): Promise<boolean> {
    try {
      this.#roots = await readConfiguredRoots(this.#configuration);
    } catch (error) {
      this.#log.error({ err: error }, 'roots not reloaded: the previous ones stay in force');
      return false;
    }
    const { issuers, ak } = this.#roots;
    if (issuers.size + ak.size > 0) this.#log.info({ issuers: issuers.size, tpm: ak.size }, 'roots reloaded');
    return true;
  }
}
