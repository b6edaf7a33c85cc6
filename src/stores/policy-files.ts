import { ConfigurationError } from '../core/errors.js';
import { folderProblem } from '../core/file-problem.js';
import { meantHint } from '../core/names-in-messages.js';
import type { KeyPath, PlacedProblem } from '../core/places.js';
import { DISK_READING, fingerprintOfPolicies, type PolicyReading, readPolicyTexts } from '../files/disk-files.js';
import { PolicyFileError } from '../files/policy-file.js';

/** Reads the text of one policy. @throws {ConfigurationError} */
export type ParsePolicy<P> = (text: string, name: string) => P;

/** A folder of policies. */
export interface PolicyFolder {
  readonly directory: string;
  /** The configuration key that names it. */
  readonly directoryPath: KeyPath;
  /** How the folder is read; defaults to the disk. */
  readonly reading?: PolicyReading;
}

export interface PolicySources<P> extends PolicyFolder {
  readonly builtIns: readonly P[];
  readonly parse: ParsePolicy<P>;
  /** Policies that each set must contain. */
  readonly needed: readonly NeededPolicy<P>[];
}

/** A policy that the configuration names. */
export interface NeededPolicy<P> {
  readonly id: string;
  /** The configuration key that names it. */
  readonly path: readonly (string | number)[];
  /** Returns why the policy cannot be used there; null if it can. Defaults to accepting any policy. */
  readonly whyUnfit?: (policy: P) => string | null;
}

/** The policies of one moment. A request uses one set throughout. */
export class PolicySet<P extends { readonly id: string }> {
  readonly #byId: ReadonlyMap<string, P>;

  constructor(byId: ReadonlyMap<string, P>) {
    this.#byId = new Map(byId);
    Object.freeze(this);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  get(id: string): P | undefined {
    return this.#byId.get(id);
  }

  /** Policy ids, in the order of the list. */
  keys(): Iterable<string> {
    return this.#byId.keys();
  }

  /** Built-in policies first, then in the order of the file names. */
  list(): readonly P[] {
    return [...this.#byId.values()];
  }
}

/** Returns a fingerprint of the directory; null if it does not exist. @throws {ConfigurationError} if it cannot be read */
export async function policyFingerprint(place: PolicyFolder): Promise<string | null> {
  const { directory, reading = DISK_READING } = place;
  return placed(place, () => fingerprintOfPolicies(directory, reading));
}

/**
 * Reads all policies, from one state of the directory.
 * @throws {ConfigurationError} with all problems
 */
export async function readPolicySet<P extends { readonly id: string }>(
  sources: PolicySources<P>,
): Promise<{ readonly set: PolicySet<P>; readonly fingerprint: string | null }> {
  const { fingerprint, policies, refused } = await readPolicyFiles(sources);
  if (refused.length > 0) throw new ConfigurationError(refused.flatMap(({ name, error }) => problemsOf(error, name)));
  const all = [...sources.builtIns, ...policies.map(({ policy }) => policy)];
  const known = new Map(all.map((policy) => [policy.id, policy]));
  const problems = problemsOfNeeded(sources.needed, known);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { set: new PolicySet(known), fingerprint };
}

/** Returns the problems of settings that name a policy which does not exist, or cannot be used there. */
export function problemsOfNeeded<P>(
  needed: readonly NeededPolicy<P>[],
  known: ReadonlyMap<string, P>,
): readonly PlacedProblem[] {
  return needed.flatMap(({ id, path, whyUnfit }) => {
    const policy = known.get(id);
    const what =
      policy === undefined ? `there is no policy ${id}${meantHint(id, known.keys())}` : (whyUnfit?.(policy) ?? null);
    return what === null ? [] : [{ path, what }];
  });
}

/** The files of a directory in the order of their names: the policies, and the problems of the other files. */
export interface PolicyFiles<P> {
  /** Fingerprint of the directory as it was read; null if there is no directory. */
  readonly fingerprint: string | null;
  readonly policies: readonly { readonly name: string; readonly policy: P }[];
  readonly refused: readonly { readonly name: string; readonly error: unknown }[];
}

/**
 * Reads every file of the directory; a failed file does not stop the others. A missing directory has no files.
 * @throws {ConfigurationError} if the directory cannot be read
 */
export async function readPolicyFiles<P extends { readonly id: string }>(
  sources: Omit<PolicySources<P>, 'needed'>,
): Promise<PolicyFiles<P>> {
  const { directory, reading = DISK_READING, parse } = sources;
  const texts = await placed(sources, () => readPolicyTexts(directory, reading));
  const policies: { readonly name: string; readonly policy: P }[] = [];
  const refused: { readonly name: string; readonly error: unknown }[] = [];
  const origins = new Map(
    sources.builtIns.map(({ id }) => [id, 'a built-in policy: give the policy an id of its own']),
  );
  for (const file of texts?.files ?? []) {
    const { name } = file;
    try {
      if ('why' in file) throw new PolicyFileError(file.why);
      const policy = parse(file.text, name);
      const other = origins.get(policy.id);
      if (other !== undefined) throw new PolicyFileError(`id ${policy.id} is that of ${other}`);
      origins.set(policy.id, name);
      policies.push({ name, policy });
    } catch (error) {
      refused.push({ name, error });
    }
  }
  return { fingerprint: texts?.fingerprint ?? null, policies, refused };
}

/** Adds the directory to an error message. */
async function placed<T>({ directory, directoryPath: path }: PolicyFolder, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const why = cause instanceof PolicyFileError ? cause.message : folderProblem(cause);
    throw new ConfigurationError([{ path, what: `${directory}: ${why}` }], { cause });
  }
}

/** Returns the problems of a file. An unexpected error counts as one, and the policies in use stay. */
function problemsOf(error: unknown, name: string): readonly string[] {
  if (error instanceof ConfigurationError) {
    return error.problems.map((problem) => (problem.startsWith(name) ? problem : `${name}: ${problem}`));
  }
  return [`${name}: ${error instanceof PolicyFileError ? error.message : 'cannot be read'}`];
}
