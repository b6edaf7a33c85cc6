import { type FSWatcher, watch } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { ConfigurationError } from '../core/errors.js';
import {
  type PolicyFolder,
  type PolicySet,
  type PolicySources,
  policyFingerprint,
  readPolicySet,
} from './policy-files.js';

export interface PolicyDirectoryOptions<P> extends PolicySources<P> {
  /** Whether the directory must exist. A directory that existed once is required from then on. */
  readonly required: boolean;
  /** Reports the set in use: a new set, or the result of a requested reload. Must not throw. */
  readonly onReloaded: (policies: readonly P[]) => void;
  /** Reports why the old set stays in use, once for each change. Must not throw. */
  readonly onReloadFailed: (problems: readonly string[]) => void;
  readonly timing?: WatchTiming;
}

export interface WatchTiming {
  /** Quiet time after which a change counts as complete: files are seldom written in one step. */
  readonly settleMs: number;
  /** How often to poll for changes that the system's watch misses: network drives, a replaced directory. */
  readonly pollMs: number;
}

/** When a reload is reported. */
type Told = 'whatever it is' | 'if it is news';

/** Texts by the names of their files. */
type PolicyTexts = ReadonlyMap<string, string>;

interface ReadPolicies<P extends { readonly id: string }> {
  readonly set: PolicySet<P>;
  readonly texts: PolicyTexts;
  readonly fingerprint: string | null;
}

/** The problems found in the files. */
interface UnfitPolicies {
  readonly problems: readonly string[];
  readonly texts: PolicyTexts;
}

const DEFAULT_TIMING: WatchTiming = { settleMs: 200, pollMs: 30_000 };

/**
 * The policies in use: built-in policies and those of the directory. The set is replaced as a whole, and only if every
 * file is valid.
 */
export class PolicyDirectory<P extends { readonly id: string }> {
  readonly #options: PolicyDirectoryOptions<P>;
  readonly #timing: WatchTiming;
  #set: PolicySet<P>;
  /** Fingerprint of the directory that the set was read from. */
  #fingerprint: string | null;
  #watcher: FSWatcher | null = null;
  #settling: NodeJS.Timeout | null = null;
  #polling: NodeJS.Timeout | null = null;
  /** The last requested reload. Never rejects. */
  #lastReload: Promise<boolean> = Promise.resolve(true);
  /** The problems at the last reload; none if it succeeded. */
  #problems: readonly string[] = [];
  /** The files at the last reload. */
  #texts: PolicyTexts;

  private constructor(options: PolicyDirectoryOptions<P>, { set, texts, fingerprint }: ReadPolicies<P>) {
    this.#options = options;
    this.#timing = options.timing ?? DEFAULT_TIMING;
    this.#set = set;
    this.#texts = texts;
    this.#fingerprint = fingerprint;
  }

  /** @throws {ConfigurationError} if a policy is invalid, or a required directory is missing */
  static async open<P extends { readonly id: string }>(
    options: PolicyDirectoryOptions<P>,
  ): Promise<PolicyDirectory<P>> {
    requireDirectory(options, options.required, await policyFingerprint(options));
    const texts = new Map<string, string>();
    const { set, fingerprint } = await readPolicySet(recording(options, texts));
    return new PolicyDirectory(options, { set, texts, fingerprint });
  }

  /** Returns the set in use now. A later reload does not change the returned set. */
  snapshot(): PolicySet<P> {
    return this.#set;
  }

  /** Whether the set in use is that of the files as last read. */
  get isCurrent(): boolean {
    return this.#problems.length === 0;
  }

  /**
   * Reads the directory again, after pending reloads, and reports the result. Never rejects.
   * @returns whether the files that were read are in use
   */
  reload(): Promise<boolean> {
    return this.#reload('whatever it is');
  }

  /** Reloads on changes from now on. Does not keep the process alive. */
  watch(): void {
    this.#polling ??= setInterval(() => void this.#reloadIfChanged(), this.#timing.pollMs).unref();
    try {
      this.#watcher ??= watch(this.#options.directory, { persistent: false }, () => this.#settle());
      this.#watcher.on('error', () => this.#unwatch());
    } catch {
      // The directory does not exist yet, or the system has no more watches: polling detects changes.
      this.#unwatch();
    }
  }

  /** Stops watching, and waits for a running reload. */
  async close(): Promise<void> {
    this.#unwatch();
    if (this.#polling !== null) clearInterval(this.#polling);
    if (this.#settling !== null) clearTimeout(this.#settling);
    this.#polling = null;
    this.#settling = null;
    await this.#lastReload;
  }

  #reload(told: Told): Promise<boolean> {
    this.#lastReload = this.#lastReload.then(async () => this.#take(await this.#read(), told));
    return this.#lastReload;
  }

  /** Activates the policy set if all of it is valid, and reports the outcome. @returns whether the set is valid */
  #take(read: ReadPolicies<P> | UnfitPolicies, told: Told): boolean {
    const problems = 'set' in read ? [] : read.problems;
    const isNews = !isDeepStrictEqual([problems, read.texts], [this.#problems, this.#texts]);
    this.#problems = problems;
    this.#texts = read.texts;
    if ('set' in read) {
      this.#set = read.set;
      this.#fingerprint = read.fingerprint;
    }
    if (isNews || told === 'whatever it is') {
      if (problems.length > 0) this.#options.onReloadFailed(problems);
      else this.#options.onReloaded(this.#set.list());
    }
    return problems.length === 0;
  }

  /** Never rejects. */
  async #read(): Promise<ReadPolicies<P> | UnfitPolicies> {
    const { required } = this.#options;
    const texts = new Map<string, string>();
    try {
      requireDirectory(this.#options, required || this.#fingerprint !== null, await policyFingerprint(this.#options));
      const { set, fingerprint } = await readPolicySet(recording(this.#options, texts));
      return { set, texts, fingerprint };
    } catch (error) {
      const problems = error instanceof ConfigurationError ? error.problems : ['policies: cannot be read'];
      return { problems, texts };
    }
  }

  /** Reloads if the directory changed, or could not be read last time. */
  async #reloadIfChanged(): Promise<void> {
    const fingerprint = await policyFingerprint(this.#options).catch(() => 'unreadable');
    if (this.#polling === null || (fingerprint === this.#fingerprint && this.isCurrent)) return;
    await this.#reload('if it is news');
  }

  /** Skips the reload if a requested reload has read the change already. */
  #settle(): void {
    if (this.#settling !== null) clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.#reload('if it is news'), this.#timing.settleMs).unref();
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}

/** Wraps the sources, and records each text that they read. */
function recording<P>(sources: PolicySources<P>, texts: Map<string, string>): PolicySources<P> {
  const parse: PolicySources<P>['parse'] = (text, name) => {
    texts.set(name, text);
    return sources.parse(text, name);
  };
  return { ...sources, parse };
}

/** @throws {ConfigurationError} if a required directory is missing */
export function requireDirectory(
  { directory, directoryPath: path }: PolicyFolder,
  required: boolean,
  fingerprint: string | null,
): void {
  if (required && fingerprint === null) throw new ConfigurationError([{ path, what: `${directory} does not exist` }]);
}
