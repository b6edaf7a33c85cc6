import type { Configuration } from '../../config/configuration.js';
import { configurationWarnings } from '../../config/configuration-warnings.js';
import type { Environment } from '../../config/environment.js';
import { readConfiguration, readConfigurationFile } from '../../config/load-configuration.js';
import type { LintProblem } from '../../core/lint-problem.js';
import type { PlacedProblem } from '../../core/places.js';
import type { Clock } from '../../core/ports.js';
import { readCollectorHeaders } from '../../telemetry/traces/collector-headers.js';
import { servedLines } from '../amd-lines.js';
import { readableSecrets, secretFilesOf } from '../secret-files.js';
import { readManagementTls, readTlsMaterial } from '../tls-material.js';
import { checkCallers, unknownPolicies } from './check-callers.js';
import { checkHeldKeys, checkReceiptKeys, checkSubmission, checkTokenKeys } from './check-credentials.js';
import { checkEndings } from './check-endings.js';
import { checkEndorsementFolders, NO_FOLDERS } from './check-endorsement-folders.js';
import { type CheckedPolicies, checkPolicies } from './check-policies.js';
import { checkStores } from './check-stores.js';
import { gateWarnings, openAccessWarning } from './load-warnings.js';
import { Problems } from './problems.js';
import { checkEgressPassword } from './readable-files.js';

/** The configuration to check, and the dependencies of the check. */
export interface CheckedInput {
  /** Path of the configuration file; null if there is none, and the defaults hold. */
  readonly file: string | null;
  readonly environment: Environment;
  readonly clock: Clock;
}

/**
 * Checks a configuration and everything that it names: files, roots, policies and callers. The check starts, writes and
 * fetches nothing, and contacts no service. A problem in one place does not hide a problem in another. A section that is
 * wrong itself is not followed further. The check does not see whether the port is free or a named service answers.
 *
 * @returns errors first; empty if the service would start without a warning
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
  if (isRight('ita', 'tpm', 'maa')) await checkTokenKeys(configuration, clock, found);
  if (isRight('maa', 'ita')) await checkSubmission(configuration, environment, clock, found);
  if (isRight('stores', 'challenges')) await checkStores(configuration, found);
  if (isRight('receipts')) await checkReceiptKeys(configuration, environment, clock, found);
  await checkHeldKeys(configuration, environment, clock, found);
  if (isRight('callers', 'tenants')) await checkCallers(configuration, clock, found);
  await checkTraceHeaders(configuration, isRight, found);
  if (isRight('egress')) found.add(await checkEgressPassword(configuration));
  const folders = isRight('amd', 'intel', 'tpm') ? await checkEndorsementFolders(configuration, found) : NO_FOLDERS;
  const ending = { tls, managementTls, ...folders, files: policies?.files ?? [] };
  found.add(checkEndings(isRight('callers') ? configuration.callers : {}, ending, clock));
}

/** Warns of values that are valid but unusual, and checks the permissions of files with secrets. */
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

async function checkTraceHeaders(
  { traces }: Configuration,
  isRight: (section: string) => boolean,
  found: Problems,
): Promise<void> {
  const file = isRight('traces') ? (traces?.headersFile ?? null) : null;
  if (file !== null) await found.of('config_file', () => readCollectorHeaders(file));
}

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
