import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { UsageError } from '../../cli/input.js';
import type { AmdLines } from '../../core/amd-lines.js';
import { ConfigurationError } from '../../core/errors.js';
import { fileProblem } from '../../core/file-problem.js';
import type { JsonValue } from '../../core/json.js';
import { PolicyFileError, policyTextOptions, readNamedPolicyFile } from '../../files/policy-file.js';
import { isPolicyName, testedPolicy } from '../../files/policy-names.js';
import { type Policy, parsePolicy } from '../../policy/document/policy-document.js';
import { readCaseClaims } from '../../policy/test-cases/case-claims.js';
import {
  MAX_TEST_BYTES,
  type PolicyTest,
  parsePolicyTest,
  parseTestText,
  type TestCase,
} from '../../policy/test-cases/case-document.js';
import type { PolicySuite, SuiteCase } from '../../workbench/policy-tests.js';
import { filesIn } from './policy-places.js';

/** A policy, and its test if it has one. */
interface Pair {
  readonly policy: string;
  readonly test: string | null;
}

/**
 * Reads policies and their tests.
 *
 * @param places policies, tests or folders of them
 * @param lines product lines that policies may name
 * @throws {UsageError} with the problems of all files
 */
export async function readPolicySuites(places: readonly string[], lines: AmdLines): Promise<readonly PolicySuite[]> {
  const problems: string[] = [];
  const pairs = new Map<string, Pair>();
  for (const place of places) {
    for (const path of await noting(problems, [], () => pathsAt(place))) {
      const pair = await noting(problems, null, () => pairOf(path));
      if (pair !== null) pairs.set(resolve(pair.policy), pair);
    }
  }
  const suites: PolicySuite[] = [];
  for (const pair of pairs.values()) {
    const suite = await noting(problems, null, () => readSuite(pair, lines));
    if (suite !== null) suites.push(suite);
  }
  if (problems.length > 0) throw new UsageError([...new Set(problems)]);
  return suites;
}

/** Returns the result of `read`. Collects the lines of a UsageError. */
async function noting<T>(problems: string[], otherwise: T, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    problems.push(...error.lines);
    return otherwise;
  }
}

/** The file itself, or the policies and tests of a folder. */
async function pathsAt(place: string): Promise<readonly string[]> {
  if (place === '') throw new UsageError(['the name of the policy, test or folder is empty']);
  const isFolder = await naming(place, async () => (await stat(place)).isDirectory());
  if (!isFolder) return [place];
  return filesIn(place, (name) => isPolicyName(name) || testedPolicy(name) !== null);
}

/** Finds the policy and its test from the name of either. */
async function pairOf(path: string): Promise<Pair> {
  const folder = dirname(path);
  const names = await naming(folder, () => readdir(folder));
  const tested = testedPolicy(basename(path));
  if (tested !== null) {
    const policies = names.filter((name) => isPolicyName(name) && stemOf(name) === tested);
    return pairOf(join(folder, onlyOne(policies, path, `there is no policy ${tested}.yaml beside it`)));
  }
  const tests = names.filter((name) => testedPolicy(name) === stemOf(path));
  if (tests.length === 0) return { policy: path, test: null };
  return { policy: path, test: join(folder, onlyOne(tests, path, '')) };
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}

function onlyOne([name, ...others]: readonly string[], path: string, none: string): string {
  if (name === undefined) throw new UsageError([`${path}: ${none}`]);
  if (others.length > 0) throw new UsageError([`${path}: belongs to ${[name, ...others].sort().join(' and ')}`]);
  return name;
}

async function readSuite({ policy: file, test: testFile }: Pair, lines: AmdLines): Promise<PolicySuite> {
  const options = { ...policyTextOptions(file), lines };
  const policy = await naming(file, async () => parsePolicy(await readNamedPolicyFile(file), options));
  if (testFile === null) return { policy, file, testFile, cases: [] };
  const cases = await naming(testFile, async () => {
    const test = parsePolicyTest(await readNamedPolicyFile(testFile, MAX_TEST_BYTES), policyTextOptions(testFile));
    requirePolicy(test, policy, { file, testFile });
    return readCases(test, testFile);
  });
  return { policy, file, testFile, cases };
}

function requirePolicy(
  { policy: named }: PolicyTest,
  { id }: Policy,
  { file, testFile }: { readonly file: string; readonly testFile: string },
): void {
  if (named === id || resolve(dirname(testFile), named) === resolve(file)) return;
  throw new ConfigurationError([
    `/policy: is ${named}, and the policy beside it is ${basename(file)} with the id ${id}`,
  ]);
}

async function readCases({ cases }: PolicyTest, testFile: string): Promise<readonly SuiteCase[]> {
  const problems: string[] = [];
  const files = new Map<string, Promise<JsonValue>>();
  const read: SuiteCase[] = [];
  for (const [index, each] of cases.entries()) {
    try {
      read.push(await readCase(each, index, testFile, files));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return read;
}

async function readCase(
  { input, ...rest }: TestCase,
  index: number,
  testFile: string,
  files: Map<string, Promise<JsonValue>>,
): Promise<SuiteCase> {
  if (input.kind === 'request') return { ...rest, input: { ...input, file: besideTest(testFile, input.file) } };
  const { type, changes, claims: given } = input;
  const path = ['cases', index];
  if (typeof given !== 'string') {
    return { ...rest, input: { kind: 'claims', type, claims: readCaseClaims({ given, changes, path, file: null }) } };
  }
  const content = files.get(given) ?? readClaimsFile(besideTest(testFile, given));
  files.set(given, content);
  const value = await content.catch((error: unknown) => {
    throw new ConfigurationError(problemsOf(error).map((problem) => `/cases/${index}/claims: ${given}: ${problem}`));
  });
  const claims = readCaseClaims({ given: value, changes, path, file: given });
  return { ...rest, input: { kind: 'claims', type, claims } };
}

/** Files that a test names are relative to it. Keeps the path as it is: a bare `-` would mean standard input. */
function besideTest(testFile: string, file: string): string {
  return isAbsolute(file) ? file : `${dirname(testFile)}/${file}`;
}

async function readClaimsFile(path: string): Promise<JsonValue> {
  if (path.includes('\u0000')) throw new PolicyFileError('no file has a NUL character in its name');
  return parseTestText(await readNamedPolicyFile(path, MAX_TEST_BYTES), policyTextOptions(path));
}

/** Runs a function that reads a file, and adds the name of the file to its problems. */
async function naming<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new UsageError(
      problemsOf(error).map((problem) => `${file}: ${problem}`),
      { cause: error },
    );
  }
}

/** @throws {unknown} errors that are no fault of a file */
function problemsOf(error: unknown): readonly string[] {
  if (error instanceof ConfigurationError) return error.problems;
  if (error instanceof PolicyFileError) return [error.message];
  if (error instanceof Error && 'syscall' in error) return [fileProblem(error)];
  throw error;
}
