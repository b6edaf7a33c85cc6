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
  /** Whether the directory must exist. One that existed once must exist from then on. */
  readonly required: boolean;
  /** Tells that a set is in use: a new one, or whichever a reload that was asked for comes to. Must not throw. */
  readonly onReloaded: (policies: readonly P[]) => void;
  /** Tells why the old set stays in use, once as long as nothing changes. Must not throw. */
  readonly onReloadFailed: (problems: readonly string[]) => void;
  readonly timing?: WatchTiming;
}

export interface WatchTiming {
  /** Quiet time after which a change counts as done: files are seldom written in one step. */
  readonly settleMs: number;
  /** How often to look for what the system's watch cannot see: network drives, a directory that was replaced. */
  readonly pollMs: number;
}

/** When it is told what a reload came to. */
type Told = 'whatever it is' | 'if it is news';

/** Texts by the names of their files. */
type PolicyTexts = ReadonlyMap<string, string>;

interface ReadPolicies<P extends { readonly id: string }> {
  readonly set: PolicySet<P>;
  readonly texts: PolicyTexts;
  readonly fingerprint: string | null;
}

/** The problems of the files. */
interface UnfitPolicies {
  readonly problems: readonly string[];
  readonly texts: PolicyTexts;
}

const DEFAULT_TIMING: WatchTiming = { settleMs: 200, pollMs: 30_000 };

/**
 * The policies in use: built-in ones and those of the directory. A set is exchanged as a whole, and only for one that
 * is right in every file.
 */
export class PolicyDirectory<P extends { readonly id: string }> {
  readonly #options: PolicyDirectoryOptions<P>;
  readonly #timing: WatchTiming;
  #set: PolicySet<P>;
  /** State of the directory that the set was read from. */
  #fingerprint: string | null;
  #watcher: FSWatcher | null = null;
  #settling: NodeJS.Timeout | null = null;
  #polling: NodeJS.Timeout | null = null;
  /** The last reload that was asked for. Never rejects. */
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

  /** @throws {ConfigurationError} where a policy is wrong, or a required directory is missing */
  static async open<P extends { readonly id: string }>(
    options: PolicyDirectoryOptions<P>,
  ): Promise<PolicyDirectory<P>> {
    requireDirectory(options, options.required, await policyFingerprint(options));
    const texts = new Map<string, string>();
    const { set, fingerprint } = await readPolicySet(recording(options, texts));
    return new PolicyDirectory(options, { set, texts, fingerprint });
  }

  /** The set in use now; it stays as it is whatever is reloaded. */
  snapshot(): PolicySet<P> {
    return this.#set;
  }

  /** Whether the files of the directory, as last read, are the set in use. */
  get isCurrent(): boolean {
    return this.#problems.length === 0;
  }

  /**
   * Reads the directory again, after the reloads already asked for. What comes of it is told. Never rejects.
   * @returns whether what was read is in use
   */
  reload(): Promise<boolean> {
    return this.#reload('whatever it is');
  }

  /** Reloads on changes from now on. Nothing of it keeps the process alive. */
  watch(): void {
    this.#polling ??= setInterval(() => void this.#reloadIfChanged(), this.#timing.pollMs).unref();
    try {
      this.#watcher ??= watch(this.#options.directory, { persistent: false }, () => this.#settle());
      this.#watcher.on('error', () => this.#unwatch());
    } catch {
      // No such directory yet, or no more watches to be had: polling finds what changes.
      this.#unwatch();
    }
  }

  /** Stops watching, and waits for a reload under way. */
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

  /** Activates the policy set if all of it is valid, and reports the outcome. @returns whether it is right */
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

  /** A directory that could not be read last time is tried again. */
  async #reloadIfChanged(): Promise<void> {
    const fingerprint = await policyFingerprint(this.#options).catch(() => 'unreadable');
    if (this.#polling === null || (fingerprint === this.#fingerprint && this.isCurrent)) return;
    await this.#reload('if it is news');
  }

  /** A reload on request may have read the change by then. */
  #settle(): void {
    if (this.#settling !== null) clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.#reload('if it is news'), this.#timing.settleMs).unref();
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}

/** The sources, of which each text that is read is written down too. */
function recording<P>(sources: PolicySources<P>, texts: Map<string, string>): PolicySources<P> {
  const parse: PolicySources<P>['parse'] = (text, name) => {
    texts.set(name, text);
    return sources.parse(text, name);
  };
  return { ...sources, parse };
}

/** @throws {ConfigurationError} where a directory is missing that must exist */
export function requireDirectory(
  { directory, directoryPath: path }: PolicyFolder,
  required: boolean,
  fingerprint: string | null,
): void {
  if (required && fingerprint === null) throw new ConfigurationError([{ path, what: `${directory} does not exist` }]);
}
