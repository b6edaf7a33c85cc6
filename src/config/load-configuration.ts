import { readFile } from 'node:fs/promises';
import { ConfigurationError } from '../model/errors.js';
import { fileProblem } from '../model/file-problem.js';
import { deepFreeze, Place, type Problem } from '../schema/schema.js';
import { readYaml, type YamlText } from '../schema/yaml.js';
import { CONFIGURATION_SCHEMA, type Configuration } from './configuration.js';
import { checkConsistency } from './consistency.js';
import { type Environment, overlayEnvironment, placeIn, yamlProblems } from './environment.js';

export interface ConfigurationInput {
  /** Text of the configuration file; null: none, so defaults hold. */
  readonly text: string | null;
  /** Name of the file, for what is said of it. Left out, places are named without file and line. */
  readonly file?: string | undefined;
  /** The environment wins over the file. */
  readonly environment: Environment;
}

/**
 * Text of the configuration file.
 * @throws {ConfigurationError} where it cannot be read, or is not UTF-8
 */
export async function readConfigurationFile(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new ConfigurationError([`configuration file ${path}: ${fileProblem(cause)}`], { cause });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError([`configuration file ${path}: is not UTF-8 text`], { cause });
  }
}

/**
 * Reads the whole configuration.
 * @returns deep-frozen
 * @throws {ConfigurationError} with everything that is wrong
 */
export function loadConfiguration({ text, file, environment }: ConfigurationInput): Configuration {
  const yaml = readYaml(text ?? '');
  const overlaid = overlayEnvironment(yaml.value ?? {}, environment, CONFIGURATION_SCHEMA);
  const place = new Place();
  const configuration = CONFIGURATION_SCHEMA.read(overlaid.tree, place);
  const unread = [...yamlProblems(yaml, file ?? 'configuration file'), ...overlaid.problems];
  // What holds between values is looked at once all are known: a default in the place of a wrong one would mislead.
  if (configuration !== undefined && unread.length === 0) checkConsistency(configuration, place);
  const problems = [...unread, ...place.problems.map((problem) => sayWhere(problem, file, yaml, overlaid.origins))];
  if (configuration === undefined || problems.length > 0) throw new ConfigurationError(problems);
  return deepFreeze(configuration);
}

/** Says by which variable a value was given, or in which line of the file it stands. */
function sayWhere(
  { path, what }: Problem,
  file: string | undefined,
  yaml: YamlText,
  origins: ReadonlyMap<string, string>,
): string {
  const places = path.map((_, index) => path.slice(0, index + 1).reduce<string>(placeIn, '')).reverse();
  const place = places[0] ?? file ?? 'configuration';
  const given = places.find((outer) => origins.has(outer));
  if (given !== undefined) return `${origins.get(given)}: ${given === place ? '' : `${place}: `}${what}`;
  const line = file === undefined ? null : yaml.lineOf(path);
  // What the file does not say may come from nowhere: then the key alone says more than the file.
  return `${line === null ? '' : `${file} line ${line}: `}${place}: ${what}`;
}
