import type { Configuration } from '../../config/configuration.js';
import { type ConfigurationProblemCode, configurationProblem } from '../../config/configuration-problem.js';
import { configurationWarnings } from '../../config/configuration-warnings.js';
import type { Environment } from '../../config/environment.js';
import { readConfiguration, readConfigurationFile } from '../../config/load-configuration.js';
import { ConfigurationError } from '../../core/errors.js';
import type { LintProblem } from '../../core/lint-problem.js';
import { meantHint } from '../../core/names-in-messages.js';
import { type KeyPath, type PlacedProblem, placedText } from '../../core/places.js';
import type { Clock } from '../../core/ports.js';
import { openTokenKeys } from '../../endorsements/token-keys/open-token-keys.js';
import { ClockWatch } from '../../judge/clock-watch.js';
import { readCollectorHeaders } from '../../telemetry/traces/collector-headers.js';
import { servedLines } from '../amd-lines.js';
import { openAttestationServices } from '../attestation-services.js';
import { openHeldKeys } from '../held-keys.js';
import { openCallers } from '../open-callers.js';
import { openReceiptVaults } from '../receipt-vaults.js';
import { readConfiguredRoots } from '../reload/configured-roots.js';
import { checkReceiptKeyFiles } from '../reload/receipt-keys.js';
import { readableSecrets, secretFilesOf } from '../secret-files.js';
import { readManagementTls, readTlsMaterial } from '../tls-material.js';
import { tokenIssuers } from '../token-issuers.js';
import { checkEndings } from './check-endings.js';
import {
  type CheckedFolders,
  checkEgressPassword,
  checkFolders,
  checkKeyCredentials,
  checkReceiptCredential,
  checkStoreFile,
  checkStoreFiles,
  checkSubmissionCredentials,
  checkWritten,
} from './check-files.js';
import { type CheckedPolicies, checkPolicies } from './check-policies.js';
import { gateWarnings, missingFolders, openAccessWarning } from './load-warnings.js';
import { ProblemLog } from './problem-log.js';

/** The configuration to check, and the dependencies of the check. */
export interface CheckedInput {
  /** Path of the configuration file; null: none, so defaults hold. */
  readonly file: string | null;
  readonly environment: Environment;
  readonly clock: Clock;
}

/**
 * Checks a configuration and everything that it names: files, roots, policies and callers. Starts, writes, fetches and
 * contacts nothing. What is wrong in one place does not hide what is wrong in another; a section of the configuration
 * that is wrong itself is not followed any further. Says nothing of whether the port is free, or whether a service that
 * is named answers.
 *
 * @returns errors first; none where the service would start
 */
export async function checkConfiguration(input: CheckedInput): Promise<readonly LintProblem[]> {
  const found = new Problems();
  const { file, environment } = input;
  const text = file === null ? null : await found.of('config_file', () => readConfigurationFile(file));
  if (text === undefined) return found.list();
  const reading = readConfiguration({ text, file: file ?? undefined, environment });
  found.place('config_schema', reading.problems);
  if (reading.configuration !== null) await follow(reading.configuration, reading.wrongSections, input, found);
  return found.list();
}

/** Takes what is wrong, each once. */
class Problems {
  readonly #problems = new Map<string, LintProblem>();

  add(problems: readonly LintProblem[]): void {
    for (const problem of problems) this.#problems.set(JSON.stringify(problem), problem);
  }

  /** Takes problems of the configuration under one code. */
  place(code: ConfigurationProblemCode, problems: readonly PlacedProblem[]): void {
    this.add(problems.map((problem) => configurationProblem(code, problem)));
  }

  /** The value; undefined if the configuration is wrong, which is noted. */
  async of<T>(code: ConfigurationProblemCode, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      this.place(code, error.placed);
      return undefined;
    }
  }

  /** Errors first. */
  list(): readonly LintProblem[] {
    const all = [...this.#problems.values()];
    const are = (severity: LintProblem['severity']) => all.filter((problem) => problem.severity === severity);
    return [...are('error'), ...are('warning')];
  }
}

/** @param wrong sections that are not followed: a default in their place would mislead */
async function follow(
  configuration: Configuration,
  wrong: ReadonlySet<string>,
  { environment, clock }: CheckedInput,
  found: Problems,
): Promise<void> {
  const isRight = (...sections: readonly string[]) => sections.every((section) => !wrong.has(section));
  await checkValues(configuration, environment, wrong, found);
  const policies = isRight('policies', 'tenants')
    ? await found.of('config_file', () =>
        checkPolicies(configuration, isRight('amd') ? servedLines(configuration) : null),
      )
    : undefined;
  found.add(policies?.problems ?? []);
  if (policies !== undefined) found.place('config_setting', whoNamesPolicies(configuration, policies, isRight));
  const { tls, managementTls } = isRight('listen') ? await checkTls(configuration, found) : NO_TLS;
  if (isRight('ita', 'tpm', 'maa')) await checkTokenFiles(configuration, clock, found);
  if (isRight('maa', 'ita')) await checkSubmission(configuration, environment, clock, found);
  if (isRight('stores', 'challenges')) {
    found.add(await checkStoreFiles(configuration));
    found.add(await checkStoreFile(configuration));
    found.add((await found.of('config_file', () => checkWritten(configuration))) ?? []);
  }
  if (isRight('receipts')) await checkReceiptKeys(configuration, environment, clock, found);
  await checkHeldKeys(configuration, environment, clock, found);
  if (isRight('callers', 'tenants')) await checkCallers(configuration, clock, found);
  await checkTraceHeaders(configuration, isRight, found);
  if (isRight('egress')) found.add(await checkEgressPassword(configuration));
  const folders = isRight('amd', 'intel', 'tpm') ? await checkEndorsementFolders(configuration, found) : NO_FOLDERS;
  const ending = { tls, managementTls, ...folders, files: policies?.files ?? [] };
  found.add(checkEndings(isRight('callers') ? configuration.callers : {}, ending, clock));
}

/** What deserves a second look in values that are right, and in the permissions of files with secrets. */
async function checkValues(
  configuration: Configuration,
  environment: Environment,
  wrong: ReadonlySet<string>,
  found: Problems,
): Promise<void> {
  found.place('config_setting', configurationWarnings(configuration, environment, wrong));
  const secrets = secretFilesOf(configuration).filter(([[section = '']]) => !wrong.has(String(section)));
  found.place('config_readable', await readableSecrets(secrets));
  const access = wrong.has('listen') || wrong.has('callers') ? null : openAccessWarning(configuration);
  if (access !== null) found.place('config_setting', [access]);
}

const NO_TLS = { tls: null, managementTls: null };

async function checkTls({ listen }: Configuration, found: Problems) {
  const tls = await found.of('config_file', () => readTlsMaterial(listen.tls));
  const managementTls = await found.of('config_file', () => readManagementTls(listen.management));
  return { tls: tls ?? null, managementTls: managementTls ?? null };
}

/** Files that callers name. Nothing is fetched. */
async function checkCallers(configuration: Configuration, clock: Clock, found: Problems): Promise<void> {
  const log = new ProblemLog((_severity, { file }, message) =>
    configurationProblem('config_setting', { path: ['callers'], what: `${file}: ${message}` }),
  );
  const opened = await found.of('config_file', () =>
    openCallers(configuration, { clock: new ClockWatch(clock, log), log }),
  );
  found.add(log.problems);
  await opened?.keyring.close();
}

async function checkTraceHeaders(
  { traces }: Configuration,
  isRight: (section: string) => boolean,
  found: Problems,
): Promise<void> {
  const file = isRight('traces') ? (traces?.headersFile ?? null) : null;
  if (file !== null) await found.of('config_file', () => readCollectorHeaders(file));
}

const NO_FOLDERS: Omit<CheckedFolders, 'problems'> = { akIssuers: [], endorsements: () => [] };

function whoNamesPolicies(
  configuration: Configuration,
  policies: CheckedPolicies,
  isRight: (section: string) => boolean,
): readonly PlacedProblem[] {
  return [
    ...(isRight('callers') ? unknownPolicies(configuration, policies) : []),
    ...(isRight('gates') ? gateWarnings(configuration, policies.files) : []),
  ];
}

/** A caller may name a policy that does not exist yet; more often its id is misspelt, and the caller is refused. */
function unknownPolicies({ callers }: Configuration, { ids }: CheckedPolicies): readonly PlacedProblem[] {
  return Object.entries(callers).flatMap(([name, { policies, tenant }]) =>
    (policies ?? []).flatMap((id, index) => {
      const path: KeyPath = ['callers', name, 'policies', index];
      const known = ids.get(tenant) ?? null;
      if (known === null || known.has(id)) return [];
      return [{ path, what: `there is no policy ${id}${meantHint(id, known)}` }];
    }),
  );
}

/** Of keys in a vault, what can be known without asking it: who would ask. */
async function checkReceiptKeys(
  configuration: Configuration,
  environment: Environment,
  clock: Clock,
  found: Problems,
): Promise<void> {
  await found.of('config_file', () => checkReceiptKeyFiles(configuration));
  found.add(await checkReceiptCredential(configuration));
  await checkIdentity(['receipts', 'credential'], found, async () => {
    const options = { clock, log: new ProblemLog(unlogged) };
    await (await openReceiptVaults(configuration, options, environment))?.close();
  });
}

/** Of keys that may be released, files and identities: no vault is asked. */
async function checkHeldKeys(
  configuration: Configuration,
  environment: Environment,
  clock: Clock,
  found: Problems,
): Promise<void> {
  found.add(await checkKeyCredentials(configuration));
  try {
    const held = await openHeldKeys(configuration, { clock, log: new ProblemLog(unlogged) }, environment);
    await held.close();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    // A missing variable is reported as for other identities.
    const codeOf = (path: KeyPath) => (path.at(-1) === 'credential' ? 'config_schema' : 'config_file');
    found.add(error.placed.map((problem) => configurationProblem(codeOf(problem.path), problem)));
  }
}

/** Roots, and key sets in files. Those at a URL are fetched when they are needed, and not here. */
async function checkTokenFiles(configuration: Configuration, clock: Clock, found: Problems): Promise<void> {
  await found.of('config_file', () => readConfiguredRoots(configuration));
  await found.of('config_file', async () => {
    const keys = openTokenKeys({ issuers: tokenIssuers(configuration), clock, log: new ProblemLog(unlogged) });
    await keys.ready.finally(() => keys.close());
  });
}

async function checkSubmission(
  configuration: Configuration,
  environment: Environment,
  clock: Clock,
  found: Problems,
): Promise<void> {
  found.add(await checkSubmissionCredentials(configuration));
  await checkIdentity(['maa', 'submit', 'credential'], found, async () => {
    const options = { clock, log: new ProblemLog(unlogged) };
    await (await openAttestationServices(configuration, options, environment)).close();
  });
}

/** Whether the environment has what an identity leaves open. @param path of the identity */
async function checkIdentity(path: KeyPath, found: Problems, open: () => Promise<void>): Promise<void> {
  await found.of('config_schema', async () => {
    try {
      await open();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      throw new ConfigurationError(error.placed.map((problem) => ({ path, what: placedText(problem) })));
    }
  });
}

/** Opening contacts nobody and logs nothing. */
function unlogged(_severity: unknown, _fields: unknown, message: string): never {
  throw new Error(`logged while a configuration is checked: ${message}`);
}

async function checkEndorsementFolders(configuration: Configuration, found: Problems) {
  const missing = (await missingFolders(configuration)).map(({ fields: { key, folder, why } }) => {
    return { path: key.split('.'), what: `${folder}: ${why}` };
  });
  found.place('config_missing', missing);
  const { problems, ...folders } = await checkFolders(configuration);
  found.add(problems);
  return folders;
}
