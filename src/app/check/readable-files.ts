import type { Configuration } from '../../config/configuration.js';
import { type ConfigurationProblemCode, configurationProblem } from '../../config/configuration-problem.js';
import type { AzureIdentity } from '../../core/azure-identity.js';
import { UnfitError } from '../../core/errors.js';
import { fileProblem, isSystemError } from '../../core/file-problem.js';
import type { LintProblem } from '../../core/lint-problem.js';
import type { KeyPath } from '../../core/places.js';
import { readBoundedFile } from '../../files/whole-files.js';

/** A key of the configuration, and the file that it names; null if it names none. */
export type PlacedFile = readonly [path: KeyPath, file: string | null];

/** Returns the files that an identity names. */
export function filesOf(path: KeyPath, identity: AzureIdentity | null): readonly PlacedFile[] {
  return Object.entries(identity ?? {}).flatMap(([name, value]): PlacedFile[] =>
    name.endsWith('File') ? [[[...path, name], value]] : [],
  );
}

/** Checks that each file can be read. */
export async function checkReadable(
  code: ConfigurationProblemCode,
  files: readonly PlacedFile[],
): Promise<readonly LintProblem[]> {
  const checked = files.map(async ([path, file]) => {
    const why = file === null ? null : await whyUnreadable(file);
    return why === null ? [] : [configurationProblem(code, { path, what: `${file}: ${why}` })];
  });
  return (await Promise.all(checked)).flat();
}

async function whyUnreadable(file: string): Promise<string | null> {
  try {
    await readBoundedFile(file);
    return null;
  } catch (error) {
    if (error instanceof UnfitError) return `is ${error.message}`;
    if (isSystemError(error)) return fileProblem(error);
    throw error;
  }
}

/** This file is read for each connection. Without it, nothing is fetched through the proxy. */
export function checkEgressPassword({ egress }: Configuration): Promise<readonly LintProblem[]> {
  return checkReadable('config_missing', [[['egress', 'passwordFile'], egress.passwordFile]]);
}
