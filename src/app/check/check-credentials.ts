import type { Configuration } from '../../config/configuration.js';
import { configurationProblem } from '../../config/configuration-problem.js';
import type { Environment } from '../../config/environment.js';
import { isLocalKey } from '../../config/released-keys.js';
import { ConfigurationError } from '../../core/errors.js';
import type { LintProblem } from '../../core/lint-problem.js';
import { type KeyPath, placedText } from '../../core/places.js';
import type { Clock } from '../../core/ports.js';
import { openTokenKeys } from '../../endorsements/token-keys/open-token-keys.js';
import { openAttestationServices } from '../attestation-services.js';
import { openHeldKeys } from '../held-keys.js';
import { openReceiptVaults } from '../receipt-vaults.js';
import { readConfiguredRoots } from '../reload/configured-roots.js';
import { checkReceiptKeyFiles } from '../reload/receipt-keys.js';
import { tokenIssuers } from '../token-issuers.js';
import { ProblemLog, unlogged } from './problem-log.js';
import type { Problems } from './problems.js';
import { checkReadable, filesOf } from './readable-files.js';

/** Checks what submitting evidence to MAA and ITA needs, without contacting either. */
export async function checkSubmission(
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

/** Checks the files of the receipt keys, and the identity that asks a vault for them. No vault is contacted. */
export async function checkReceiptKeys(
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

/** Checks files and identities of the keys that may be released. No vault is contacted. */
export async function checkHeldKeys(
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

/** These files are read when evidence is submitted. Without them, nothing is submitted. */
function checkSubmissionCredentials({ maa, ita }: Configuration): Promise<readonly LintProblem[]> {
  return checkReadable('config_missing', [
    ...filesOf(['maa', 'submit', 'credential'], maa.submit.credential),
    [['ita', 'submit', 'apiKeyFile'], ita.submit?.apiKeyFile ?? null],
  ]);
}

/** The service does not start without this file: its receipt keys are in a vault. */
function checkReceiptCredential({ receipts }: Configuration): Promise<readonly LintProblem[]> {
  return checkReadable('config_file', filesOf(['receipts', 'credential'], receipts.credential));
}

/** These files are read when a key is released. Without them, no key of a vault is released. */
function checkKeyCredentials({ keys }: Configuration): Promise<readonly LintProblem[]> {
  const files = Object.entries(keys).flatMap(([id, key]) =>
    isLocalKey(key) ? [] : filesOf(['keys', id, 'credential'], key.credential),
  );
  return checkReadable('config_missing', files);
}

/** Checks that the environment has what an identity leaves open. @param path of the identity */
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

/** Checks the files of roots and key sets. The check fetches no key set from a URL. */
export async function checkTokenKeys(configuration: Configuration, clock: Clock, found: Problems): Promise<void> {
  await found.of('config_file', () => readConfiguredRoots(configuration));
  await found.of('config_file', async () => {
    const keys = openTokenKeys({ issuers: tokenIssuers(configuration), clock, log: new ProblemLog(unlogged) });
    await keys.ready.finally(() => keys.close());
  });
}
