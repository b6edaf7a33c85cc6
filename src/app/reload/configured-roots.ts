import type { Configuration } from '../../config/configuration.js';
import { allOrProblems, ConfigurationError } from '../../core/errors.js';
import type { JsonObject } from '../../core/json.js';
import type { Log } from '../../core/ports.js';
import type { PartOutcome } from '../../core/reload.js';
import { spkiDigest } from '../../crypto/key-cache.js';
import { readTokenRoots } from '../../endorsements/token-keys/configured-files.js';
import type { ReadBytes } from '../../files/whole-files.js';
import { parseCertificate } from '../../formats/x509-certificate.js';
import { type IssuerRoots, readIssuerRoots } from '../token-issuers.js';

/** Roots from the files that the configuration names. A reload may change them between two requests. */
export interface ConfiguredRoots {
  readonly issuers: IssuerRoots;
  /** Roots of AK certificates (`tpm.roots`): SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly ak: ReadonlySet<string>;
}

export const NO_CONFIGURED_ROOTS: ConfiguredRoots = { issuers: new Map(), ak: new Set() };

/** Names the roots in the decision log: by their digests, sorted. */
export function namedRoots({ issuers, ak }: ConfiguredRoots): JsonObject {
  const ofIssuers = [...issuers].map(([issuer, digests]) => [issuer, [...digests].sort()] as const);
  return { tpm: [...ak].sort(), issuers: Object.fromEntries(ofIssuers) };
}

/** @throws {ConfigurationError} if a file of roots cannot be read */
export async function readConfiguredRoots(
  configuration: Configuration,
  readBytes?: ReadBytes,
): Promise<ConfiguredRoots> {
  const issuers = readIssuerRoots(configuration, readBytes);
  const ak = allOrProblems(configuration.tpm.roots.map((file) => readAkRoots(file, readBytes)));
  await allOrProblems<unknown>([issuers, ak]);
  return { issuers: await issuers, ak: new Set((await ak).flat()) };
}

const AK_ROOTS = { key: ['tpm', 'roots'], role: '' };

async function readAkRoots(file: string, readBytes?: ReadBytes): Promise<readonly string[]> {
  const { certificates, crls } = await readTokenRoots(file, AK_ROOTS, readBytes);
  if (crls.length > 0) throw new ConfigurationError([{ path: AK_ROOTS.key, what: `${file}: CRLs are not used here` }]);
  return certificates.map((der) => spkiDigest(parseCertificate(der)));
}

export interface RootsOptions {
  readonly log: Log;
  /** Reads their files; defaults to reading from disk. */
  readonly readBytes?: ReadBytes | undefined;
}

/** The name of this part in reloads. */
const PART = 'roots';

/** Roots from the last valid read of their files. A reload replaces all of them, and only if every file is valid. */
export class ReloadedRoots implements ConfiguredRoots {
  readonly #configuration: Configuration;
  readonly #options: RootsOptions;
  #roots: ConfiguredRoots;

  private constructor(configuration: Configuration, options: RootsOptions, roots: ConfiguredRoots) {
    this.#configuration = configuration;
    this.#options = options;
    this.#roots = roots;
  }

  /** @throws {ConfigurationError} if a file of roots cannot be read */
  static async open(configuration: Configuration, options: RootsOptions): Promise<ReloadedRoots> {
    return new ReloadedRoots(configuration, options, await readConfiguredRoots(configuration, options.readBytes));
  }

  get issuers(): IssuerRoots {
    return this.#roots.issuers;
  }

  get ak(): ReadonlySet<string> {
    return this.#roots.ak;
  }

  /** Reads the files again. Never rejects: errors are logged. */
  async reload(): Promise<PartOutcome> {
    const { readBytes, log } = this.#options;
    try {
      this.#use(await readConfiguredRoots(this.#configuration, readBytes));
      return { name: PART, isTaken: true };
    } catch (error) {
      log.error({ err: error }, 'roots not reloaded: the previous ones stay in force');
      return { name: PART, isTaken: false };
    }
  }

  #use(roots: ConfiguredRoots): void {
    this.#roots = roots;
    const { issuers, ak } = roots;
    if (issuers.size + ak.size > 0) this.#options.log.info({ issuers: issuers.size, tpm: ak.size }, 'roots reloaded');
  }
}
