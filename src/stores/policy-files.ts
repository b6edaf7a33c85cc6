import { join } from 'node:path';
import { DISK_FILES } from '../files/disk-files.js';
import { PolicyFileError } from '../files/policy-file.js';
import type { ConfiguredFiles } from '../model/configured-files.js';
import { ConfigurationError } from '../model/errors.js';
import { folderProblem } from '../model/file-problem.js';
import type { KeyPath, PlacedProblem } from '../model/places.js';

/** Reads the text of one policy. @throws {ConfigurationError} */
export type ParsePolicy<P> = (text: string, name: string) => P;

/** A folder of policies. */
export interface PolicyFolder {
  readonly directory: string;
  /** The place in the configuration that names it. */
  readonly directoryPath: KeyPath;
  /** How it is read; left out, from the disk. */
  readonly files?: ConfiguredFiles | undefined;
}

export interface PolicySources<P> extends PolicyFolder {
  readonly builtIns: readonly P[];
  readonly parse: ParsePolicy<P>;
  /** Policies that each set must have. */
  readonly needed: readonly NeededPolicy<P>[];
}

/** A policy that the configuration names. */
export interface NeededPolicy<P> {
  readonly id: string;
  /** The place in the configuration that names it. */
  readonly path: readonly (string | number)[];
  /** Why the policy cannot be used there; null where it can. Left out: any can. */
  readonly whyUnfit?: (policy: P) => string | null;
}

/** The policies of one moment. A request takes one set and uses it throughout. */
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

  /** Their ids, in the order of the list. */
  keys(): Iterable<string> {
    return this.#byId.keys();
  }

  /** Built-in ones first, then in the order of the file names. */
  list(): readonly P[] {
    return [...this.#byId.values()];
  }
}

/** Files whose names start with a dot are those of editors and of Kubernetes. */
const POLICY_NAME = /^[^.].*\.(yaml|yml|json)$/;

const POLICY_TEST_NAME = /^([^.].*)\.test\.(?:yaml|yml|json)$/;

/** Whether a file in a policy directory is a policy, by its name. Tests of policies lie beside them. */
export function isPolicyName(name: string): boolean {
  return POLICY_NAME.test(name) && testedPolicy(name) === null;
}

/** Name of the policy that a file tests, without its ending; null for a file that is no test. */
export function testedPolicy(name: string): string | null {
  return POLICY_TEST_NAME.exec(name)?.[1] ?? null;
}

/** How often a directory is read again that changed while it was read. */
const ATTEMPTS = 5;

/**
 * What tells that something in the directory changed: names, identity, size and time of the last change of each file.
 * Null: there is no such directory.
 */
export async function policyFingerprint(place: PolicyFolder): Promise<string | null> {
  const { directory, files = DISK_FILES } = place;
  const names = await policyNames(place);
  if (names === null) return null;
  const states = names.map(async (name) => `${name} ${await files.mark(join(directory, name))}`);
  return (await Promise.all(states)).join('\n');
}

/**
 * Reads all policies, from one state of the directory: where it changes meanwhile (a ConfigMap is exchanged as a
 * whole), it is read again, so that no set is half old and half new.
 *
 * @throws {ConfigurationError} with everything that is wrong
 */
export async function readPolicySet<P extends { readonly id: string }>(
  sources: PolicySources<P>,
): Promise<PolicySet<P>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await policyFingerprint(sources);
    const read = await readOnce(sources);
    if ((await policyFingerprint(sources)) !== before) continue;
    if ('problems' in read) throw new ConfigurationError(read.problems);
    return read.set;
  }
  const what = `${sources.directory}: keeps changing while it is read`;
  throw new ConfigurationError([{ path: sources.directoryPath, what }]);
}

type ReadSet<P extends { readonly id: string }> =
  | { readonly set: PolicySet<P> }
  | { readonly problems: readonly (string | PlacedProblem)[] };

async function readOnce<P extends { readonly id: string }>(sources: PolicySources<P>): Promise<ReadSet<P>> {
  const { policies, refused } = await readPolicyFiles(sources);
  const all = [...sources.builtIns, ...policies.map(({ policy }) => policy)];
  const set = new PolicySet(new Map(all.map((policy) => [policy.id, policy])));
  if (refused.length > 0) return { problems: refused.flatMap(({ name, error }) => problemsOf(error, name)) };
  const problems = problemsOfNeeded(sources.needed, (id) => set.get(id));
  return problems.length > 0 ? { problems } : { set };
}

/** What is wrong where a setting names a policy that there is not, or that cannot be used there. */
export function problemsOfNeeded<P>(
  needed: readonly NeededPolicy<P>[],
  find: (id: string) => P | undefined,
): readonly PlacedProblem[] {
  return needed.flatMap(({ id, path, whyUnfit }) => {
    const policy = find(id);
    const what = policy === undefined ? `there is no policy ${id}` : (whyUnfit?.(policy) ?? null);
    return what === null ? [] : [{ path, what }];
  });
}

/** The files of a directory: those that hold a policy, and why the others do not, in the order of their names. */
export interface PolicyFiles<P> {
  readonly policies: readonly { readonly name: string; readonly policy: P }[];
  readonly refused: readonly { readonly name: string; readonly error: unknown }[];
}

/**
 * Reads every file of the directory, whatever becomes of the others. A missing directory has none.
 * @throws {ConfigurationError} where the directory cannot be read
 */
export async function readPolicyFiles<P extends { readonly id: string }>(
  sources: Omit<PolicySources<P>, 'needed'>,
): Promise<PolicyFiles<P>> {
  const policies: { readonly name: string; readonly policy: P }[] = [];
  const refused: { readonly name: string; readonly error: unknown }[] = [];
  const origins = new Map(sources.builtIns.map(({ id }) => [id, 'a built-in policy']));
  for (const name of (await policyNames(sources)) ?? []) {
    try {
      const policy = await readPolicy(sources, name);
      const other = origins.get(policy.id);
      if (other !== undefined) throw new PolicyFileError(`id ${policy.id} is that of ${other}`);
      origins.set(policy.id, name);
      policies.push({ name, policy });
    } catch (error) {
      refused.push({ name, error });
    }
  }
  return { policies, refused };
}

async function readPolicy<P>(
  { directory, files = DISK_FILES, parse }: Pick<PolicySources<P>, 'directory' | 'files' | 'parse'>,
  name: string,
): Promise<P> {
  return parse(await files.policy(directory, name), name);
}

async function policyNames({
  directory,
  directoryPath: path,
  files = DISK_FILES,
}: PolicyFolder): Promise<readonly string[] | null> {
  try {
    return (await files.names(directory)).filter(isPolicyName).sort();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    const what = `${directory}: ${folderProblem(cause)}`;
    throw new ConfigurationError([{ path, what }], { cause });
  }
}

/** Whatever a file does to the reader, the policies in use stay. */
function problemsOf(error: unknown, name: string): readonly string[] {
  if (error instanceof ConfigurationError) {
    return error.problems.map((problem) => (problem.startsWith(name) ? problem : `${name}: ${problem}`));
  }
  return [`${name}: ${error instanceof PolicyFileError ? error.message : 'cannot be read'}`];
}
